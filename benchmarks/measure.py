"""Commands measured one at a time, in rotating order, with progress and an estimate of the time left."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.errors import UserError

_LAUNCHER = Path(__file__).with_name("launch.py")
_LINES_SHOWN = 15


@dataclass(frozen=True)
class Measured:
    """One run of a command; `output` is what it printed, errors included."""

    wall_s: float
    peak_rss_mib: float
    output: str


@dataclass(frozen=True)
class Job:
    """Something to measure.

    Attributes:
        name: Shown while it runs.
        expected_s: A guess for the first estimate of the time left.
        work: Runs it once.
    """

    name: str
    expected_s: float
    work: Callable[[], Any]


def run_command(command: Sequence[str | Path], folder: Path | None = None) -> Measured:
    """Run a command to its end in `folder`.

    Raises:
        UserError: it failed; its last lines are shown on stderr.
    """
    with tempfile.TemporaryDirectory() as reports:
        report = Path(reports) / "report.json"
        finished = subprocess.run(
            [sys.executable, "-I", _LAUNCHER, report, *map(str, command)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if finished.returncode:
            print("\n".join(finished.stdout.splitlines()[-_LINES_SHOWN:]), file=sys.stderr)
            raise UserError(f"`{' '.join(map(str, command))}` failed (exit code {finished.returncode}), see above")
        return Measured(**json.loads(report.read_text(encoding="utf-8")), output=finished.stdout)


def rotated(jobs: Sequence[Job], repeats: int) -> list[Job]:
    """Every job once a round; each round starts with the next one, so that none always runs first or last."""
    return [job for start in range(repeats) for job in (*jobs[start % len(jobs) :], *jobs[: start % len(jobs)])]


def run_all(title: str, queue: Sequence[Job]) -> dict[str, list[Any]]:
    """Run the queue and return each job's results by name, in the order of its repeats."""
    console = Console(stderr=True)
    results: dict[str, list[Any]] = {}
    total = sum(job.expected_s for job in queue)
    spent = reached = 0.0
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total, left=f"about {_duration(total)} in all")
        for number, job in enumerate(queue, 1):
            bar.update(task, description=f"{title} {number}/{len(queue)}: {job.name}")
            started = time.monotonic()
            results.setdefault(job.name, []).append(job.work())
            took = time.monotonic() - started
            spent, reached = spent + took, reached + job.expected_s
            left = f"about {_duration(spent / reached * (total - reached))} left"
            bar.update(task, completed=reached, left=left)
            if not console.is_terminal:
                print(f"{title} {number}/{len(queue)}: {job.name} took {took:.1f} s, {left}", flush=True)
    return results


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
