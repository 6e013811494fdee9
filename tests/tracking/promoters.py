"""Processes that promote: run as `python promoters.py STORE_ROOT MODEL VERSION [kill-at]`, told by a line on stdin."""

import os
import signal
import sys
from pathlib import Path

from pipeline.tracking import ledger
from pipeline.tracking.store import open_store


def main() -> None:
    """Say `ready`, wait for a line, promote from what was champion before it, and say whether that counted."""
    root, model, version = sys.argv[1:4]
    kill_at = sys.argv[4] if len(sys.argv) > 4 else ""
    store = open_store(Path(root), create=False)
    before = ledger.settle(store, model)
    print("ready", flush=True)
    sys.stdin.readline()
    _die(kill_at == "before-entry")
    entry = ledger.append(store, model, "promote", before, int(version), "passed", "")
    _die(kill_at == "after-entry")
    ledger.settle(store, model)
    _die(kill_at == "after-alias")
    print("won" if entry.counts else "lost", flush=True)


def _die(now: bool) -> None:
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
