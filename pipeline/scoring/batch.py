"""`heartbeat score`: recordings read, labelled and written one after the other."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.ecg.detection import detect_beats
from pipeline.ecg.recordings import Signal, check_present, read_beat_samples, read_signal
from pipeline.errors import UserError
from pipeline.scoring.network import load_network
from pipeline.scoring.output import Format, open_output
from pipeline.scoring.score import View, held, score_recording

USUAL_ANNOTATOR = "atr"


@dataclass(frozen=True)
class BeatSource:
    """Where beat positions come from; without either: `<record>.atr` where it is there, else detection."""

    annotator: str | None = None
    detect: bool = False


def score_records(
    model: Path,
    records: Sequence[Path],
    out: Path,
    form: Format = "parquet",
    source: BeatSource = BeatSource(),
    view: View | None = None,
    threads: int = 1,
) -> int:
    """Label recordings given by path without extension, and return the number of beats.

    Raises:
        UserError: the model or a recording cannot be used, or `out` cannot be written; nothing is written then.
    """
    names = [path.name for path in records]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{name}: two recordings have this name; score them one at a time, into different outputs")
    for path in records:
        check_present(path)
    network = load_network(model, threads)
    total = 0
    with open_output(out, form) as write, ScoringProgress(len(records)) as progress:
        for path in records:
            signal = read_signal(path)
            beats, origin = find_beats(path, signal, source)
            scored = score_recording(network, signal, beats, view, progress.within)
            write(scored, signal.name, signal.fs_hz)
            progress.finished(f"{path.name}: {len(scored):,} beats {origin}")
            total += len(scored)
    return total


def find_beats(path: Path, signal: Signal, source: BeatSource) -> tuple[npt.NDArray[np.int64], str]:
    """Samples of a recording's beats, and in words where they come from.

    Raises:
        UserError: the annotation file is missing or damaged.
    """
    annotator = source.annotator
    if annotator is None and not source.detect and path.with_name(f"{path.name}.{USUAL_ANNOTATOR}").is_file():
        annotator = USUAL_ANNOTATOR
    if annotator is None:
        return detect_beats(held(signal.millivolts), signal.fs_hz), "detected"
    return read_beat_samples(path, annotator, signal), f"of {path.name}.{annotator}"


class ScoringProgress:
    """A bar with an estimate on a terminal, a line a recording elsewhere."""

    def __init__(self, recordings: int) -> None:
        console = Console(stderr=True)
        self._lines = not console.is_terminal
        self._recordings, self._done = recordings, 0
        self._started = time.monotonic()
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

    def finished(self, news: str) -> None:
        """Note that a recording is done."""
        self._done += 1
        self._bar.update(self._task, completed=self._done, description=news)
        if self._lines:
            left = (time.monotonic() - self._started) / self._done * (self._recordings - self._done)
            print(f"score {self._done}/{self._recordings}: {news}, about {left:.0f} s left", file=sys.stderr)
