"""Every beat of one recording with its class: with the whole recording in view, or as a monitor would see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import context_inputs
from pipeline.ecg.recordings import Signal
from pipeline.ecg.windows import beat_windows
from pipeline.errors import UserError
from pipeline.scoring.network import Network

LOOK_AHEAD_BEATS: Final = 4
HISTORY_BEATS: Final = 128

Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]
Advance = Callable[[float], None]

_PIECES_AT_ONCE = 32


@dataclass(frozen=True)
class View:
    """What a beat is judged by in streaming: itself, so many beats before it and so many after it."""

    history: int = HISTORY_BEATS
    look_ahead: int = LOOK_AHEAD_BEATS


def score_recording(
    network: Network,
    signal: Signal,
    beats: npt.NDArray[np.int64],
    view: View | None = None,
    advance: Advance = lambda share: None,
) -> pd.DataFrame:
    """Label every beat of a recording.

    Windows and inputs are made by the functions that make the training's, here over all beats, the last included.
    An invalid sample holds the last valid one of its lead; a lead without any is missing, which is all zeros.

    Args:
        network: The model.
        signal: The recording.
        beats: (n,) samples of its beats, ascending.
        view: None shows the network the whole recording.
        advance: Told the share of the work that is done, 0 to 1.

    Returns:
        One row a beat: `record`, `sample` (as in `beats`), `time_s`, `predicted` (a class) and its probabilities
        `p_N`, `p_S`, `p_V`, `p_F` and `p_Q` (float32).

    Raises:
        UserError: there are beats, but no lead has a valid sample.
    """
    if len(beats) and not np.isfinite(signal.millivolts).any():
        raise UserError(f"{signal.name}: no valid sample in the first two leads; restore the recording from its source")
    windows = beat_windows(held(signal.millivolts), signal.fs_hz, beats)
    times_s = beats / signal.fs_hz
    if not len(beats):
        probability = np.zeros((0, len(CLASSES)), np.float32)
    elif view is None:
        probability = network.probabilities([context_inputs(windows, times_s)])[0]
    else:
        probability = stream_scores(network, windows, times_s, view, advance)
    advance(1.0)
    columns = {
        "record": pd.Series([signal.name] * len(beats), dtype="str"),
        "sample": beats,
        "time_s": times_s,
        "predicted": pd.Series(np.asarray(CLASSES)[probability.argmax(axis=1)], dtype="str"),
    }
    return pd.DataFrame(columns | {f"p_{name}": probability[:, place] for place, name in enumerate(CLASSES)})


def stream_scores(
    network: Network,
    windows: Floats,
    times_s: Times,
    view: View,
    advance: Advance = lambda share: None,
    wanted: npt.NDArray[np.int64] | None = None,
) -> Floats:
    """Judge each beat by what is known `view.look_ahead` beats after it, as if nothing later existed.

    The network runs on the beat's own piece of the recording, whose typical beat and rhythm norms come from that piece
    alone. The first beats have less history, the last ones less look-ahead.

    Args:
        windows: (n, 2, 126) in mV, as `beat_windows` cuts them.
        times_s: (n,) ascending times of the beats.
        wanted: (m,) ascending places of the beats to judge; None for all of them.

    Returns:
        (n, 5) class probabilities, or (m, 5) of the wanted beats.
    """
    every = np.arange(len(windows))
    beats = every if wanted is None else wanted
    starts = np.maximum(every - view.history, 0)
    ends = np.minimum(every + view.look_ahead + 1, len(windows))
    result = np.zeros((len(windows), len(CLASSES)), np.float32)
    # Pieces of one length share a run, so that none is padded.
    new_run = np.flatnonzero(np.diff((ends - starts)[beats]) != 0) + 1
    for run in np.split(beats, new_run):
        for at_once in np.split(run, range(_PIECES_AT_ONCE, len(run), _PIECES_AT_ONCE)):
            pieces = [slice(starts[beat], ends[beat]) for beat in at_once]
            inputs = [context_inputs(windows[piece], times_s[piece]) for piece in pieces]
            scores = network.probabilities(inputs)
            result[at_once] = scores[np.arange(len(at_once)), at_once - starts[at_once]]
            advance((at_once[-1] + 1) / len(windows))
    return result[beats]


def held(millivolts: Floats) -> Floats:
    """Replace invalid samples by the lead's last valid one, and by 0 before its first: nothing looks ahead."""
    if np.isfinite(millivolts).all():
        return millivolts
    frame = pd.DataFrame(np.where(np.isfinite(millivolts), millivolts, np.nan))
    return frame.ffill().fillna(0.0).to_numpy(np.float32)
