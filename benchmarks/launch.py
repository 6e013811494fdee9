"""Run a command and report its wall time and peak memory: `python -I launch.py REPORT COMMAND ...`.

A process of its own, of the standard library alone: Linux counts the memory of the process that starts a command
into the command's peak, so a small one has to start it.
"""

import json
import os
import subprocess
import sys
import time


def main() -> int:
    """Write `wall_s` and `peak_rss_mib`, the largest process of the command, to REPORT; return its exit code."""
    report, *command = sys.argv[1:]
    started = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    to_mib = 2**20 if sys.platform == "darwin" else 2**10
    with open(report, "w", encoding="utf-8") as file:
        json.dump({"wall_s": wall_s, "peak_rss_mib": usage.ru_maxrss / to_mib}, file)
    return abs(process.returncode)


if __name__ == "__main__":
    sys.exit(main())
