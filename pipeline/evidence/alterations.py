"""What is done to a recording before it is judged again, and what that may cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.detection import detect_beats
from pipeline.ecg.recordings import Signal
from pipeline.ecg.resampling import resampled, resampled_places
from pipeline.ecg.windows import beat_windows
from pipeline.evidence.judging import Calls, calls_at, calls_of_detections
from pipeline.evidence.recordings import Annotated
from pipeline.scoring.network import Network
from pipeline.scoring.pieces import held
from pipeline.scoring.score import LOOK_AHEAD_BEATS, View, score_recording, stream_scores

Change = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

_OTHER_RATE_HZ: Final = 250


@dataclass(frozen=True)
class Alteration:
    """One row of the table.

    Attributes:
        name: What was done, in words.
        judge: The calls on the altered recording.
        most_cost: Limit of the fall in macro-F1.
        least_same: Limit of the share of calls that stay as they were.
    """

    name: str
    judge: Callable[[Network, Annotated], Calls]
    most_cost: float | None = None
    least_same: float | None = None


def judge_whole(network: Network, case: Annotated) -> Calls:
    """The whole recording as it is, at the annotated positions."""
    return calls_at(case, predicted(network, case.signal, case.beats))


def predicted(network: Network, signal: Signal, beats: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(n,) the class of each beat, as a position in `CLASSES`."""
    called = score_recording(network, signal, beats).predicted
    return called.map(CLASSES.index).to_numpy(dtype=np.int64)


def _changed(change: Change) -> Callable[[Network, Annotated], Calls]:
    def judge(network: Network, case: Annotated) -> Calls:
        altered = Signal(case.signal.name, case.signal.fs_hz, change(case.signal.millivolts))
        return calls_at(case, predicted(network, altered, case.beats))

    return judge


def _scaled(first: float, second: float) -> Callable[[Network, Annotated], Calls]:
    return _changed(lambda millivolts: millivolts * np.array([first, second], np.float32))


def _at_other_rate(network: Network, case: Annotated) -> Calls:
    fs_hz = case.signal.fs_hz
    slower = resampled(held(case.signal.millivolts), fs_hz, _OTHER_RATE_HZ).astype(np.float32)
    beats = resampled_places(case.beats, fs_hz, _OTHER_RATE_HZ)
    return calls_at(case, predicted(network, Signal(case.signal.name, float(_OTHER_RATE_HZ), slower), beats))


def _detected(network: Network, case: Annotated) -> Calls:
    found = detect_beats(held(case.signal.millivolts), case.signal.fs_hz)
    return calls_of_detections(case, found, predicted(network, case.signal, found))


def _streamed(network: Network, case: Annotated) -> Calls:
    windows = beat_windows(held(case.signal.millivolts), case.signal.fs_hz, case.beats)
    judged = np.flatnonzero(case.judged)
    called = stream_scores(network, windows, case.beats / case.signal.fs_hz, View(), wanted=judged).argmax(axis=1)
    return Calls(called.astype(np.int64), np.zeros(0, np.int64))


ALTERATIONS: Final = (
    Alteration("leads swapped", _changed(lambda millivolts: millivolts[:, ::-1]), most_cost=0.005),
    Alteration("first lead lost", _scaled(0, 1), most_cost=0.05),
    Alteration("second lead lost", _scaled(1, 0), most_cost=0.05),
    Alteration(f"resampled to {_OTHER_RATE_HZ} Hz", _at_other_rate, most_cost=0.005),
    Alteration("gain x 0.5", _scaled(0.5, 0.5), least_same=0.99),
    Alteration("gain x 2", _scaled(2, 2), least_same=0.99),
    Alteration("gain x 0.5 in the first lead, x 2 in the second", _scaled(0.5, 2), least_same=0.99),
    Alteration("both leads upside down", _scaled(-1, -1), least_same=0.99),
    Alteration("first lead upside down", _scaled(-1, 1), least_same=0.99),
    Alteration("beats detected (XQRS), not annotated", _detected, most_cost=0.02),
    Alteration(f"streaming, {LOOK_AHEAD_BEATS} beats of look-ahead", _streamed),
)
