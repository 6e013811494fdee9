"""How far a batch of downloads is: a bar with an estimate on a terminal, two lines elsewhere."""

import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class FetchProgress:
    """Counts the bytes and files of one batch; safe to call from several threads.

    The sizes are not known before the server names them, so the bar runs over files: a file that
    is half here counts as half, and the estimate follows from that.
    """

    def __init__(self, names: Sequence[str], heading: str, console: Console | None = None) -> None:
        self.received_bytes = 0
        self._heading = heading
        self._shares = dict.fromkeys(names, 0.0)
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        if console is not None or sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[amount]}"),
                TimeRemainingColumn(),
                console=console or Console(stderr=True),
            )
            self._task = self._bar.add_task(heading, total=len(names), amount=self._amount())

    def __enter__(self) -> Self:
        if self._bar is None:
            print(f"{self._heading}: {len(self._shares)} files", file=sys.stderr)
        else:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None:
            print(f"{self._heading}: done, {self._amount()}", file=sys.stderr)

    def received(self, name: str, n_bytes: int, position: int, size: int | None) -> None:
        """Note that `n_bytes` more of file `name` arrived, which now reaches to `position`."""
        with self._lock:
            self.received_bytes += n_bytes
            # Short of a whole file: only `finished`, after the check, makes it one.
            self._shares[name] = min(position / size, 0.999) if size else 0.0
            self._show()

    def finished(self, name: str) -> None:
        """Note that file `name` is checked and in its place."""
        with self._lock:
            self._shares[name] = 1.0
            self._show()

    def _amount(self) -> str:
        whole = sum(share == 1.0 for share in self._shares.values())
        return f"{whole}/{len(self._shares)} files, {self.received_bytes / 1e6:.1f} MB"

    def _show(self) -> None:
        if self._bar is not None:
            done = sum(self._shares.values())
            self._bar.update(self._task, completed=done, amount=self._amount())
