"""How far scoring has got, and how long the rest will take."""

import sys
import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_EVERY_S: Final = 2.0


class ScoringProgress:
    """A bar with an estimate on a terminal; elsewhere a line a recording, at most one every two seconds."""

    def __init__(self, recordings: int) -> None:
        console = Console(stderr=True)
        self._lines = not console.is_terminal
        self._recordings, self._done = recordings, 0
        self._started, self._told = time.monotonic(), -_LINE_EVERY_S
        self._bar = Progress(
            TextColumn("score"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=self._lines,
        )
        self._task = self._bar.add_task("", total=recordings)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def within(self, share: float) -> None:
        """Note the share of the present recording that is done."""
        self._bar.update(self._task, completed=self._done + share)

    def finished(self, news: str, always: bool = True) -> None:
        """Note that a recording is done; off a terminal, unless `always`, not every one has a line."""
        self._done += 1
        self._bar.update(self._task, completed=self._done, description=news)
        now = time.monotonic()
        if self._lines and (always or self._done == self._recordings or now - self._told >= _LINE_EVERY_S):
            self._told = now
            left = (now - self._started) / self._done * (self._recordings - self._done)
            print(f"score {self._done}/{self._recordings}: {news}, about {left:.0f} s left", file=sys.stderr)
