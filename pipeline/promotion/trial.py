"""A network tried on the validation recordings of the workspace: as they are, at another gain, with early beats."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import ContextInputs, blocks, context_inputs
from pipeline.errors import UserError
from pipeline.scoring.network import Network
from pipeline.stages.protocol_data import ProtocolData

Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]

_GAINS: Final = {"gain x0.5": 0.5, "gain x2": 2.0, "polarity flipped": -1.0}
_EARLY: Final = 0.3
_EARLY_BEATS: Final = 100
_SURROUNDINGS: Final = 40
_STRIP_BEATS: Final = 12
_STRIPS: Final = 100


@dataclass(frozen=True)
class Recording:
    """A recording with validation beats.

    Attributes:
        beats: record, sample, aami of all its beats.
        windows: (n, 2, 126) in mV.
        times_s: (n,) of the beats.
        counts: (n,) bool, the validation beats.
    """

    beats: pd.DataFrame
    windows: Floats
    times_s: Times
    counts: npt.NDArray[np.bool_]


def validation_recordings(data: ProtocolData) -> list[Recording]:
    """The recordings that hold validation beats, whole.

    Raises:
        UserError: the data set is rows alone.
    """
    if data.windows is None:
        raise UserError("data/beats.parquet: has rows and no recordings; promotion tries models on recordings")
    chosen = data.on("validation")
    found = []
    for places in data.beats.groupby("record", sort=False).indices.values():
        if chosen[places].any():
            beats = data.beats.iloc[places][["record", "sample", "aami"]].reset_index(drop=True)
            times_s = np.nancumsum(data.beats.rr_prev_s.to_numpy(dtype=np.float64)[places])
            found.append(Recording(beats, data.windows[places], times_s, chosen[places]))
    return found


def judged(
    network: Network, recordings: list[Recording], changed: Callable[[Floats], Floats] = lambda windows: windows
) -> pd.DataFrame:
    """The validation beats with their probabilities: record, sample, aami, p_N ... p_Q."""
    tables = []
    for each in recordings:
        found = _probabilities(network, context_inputs(changed(each.windows), each.times_s))[each.counts]
        columns = {f"p_{name}": found[:, place] for place, name in enumerate(CLASSES)}
        tables.append(each.beats[each.counts].reset_index(drop=True).assign(**columns))
    return pd.concat(tables, ignore_index=True)


def unchanged_by_gain(network: Network, recordings: list[Recording], before: pd.DataFrame) -> dict[str, float]:
    """The share of validation beats whose class stays, for each change of gain or polarity."""
    named = [f"p_{name}" for name in CLASSES]
    classes = before[named].to_numpy().argmax(axis=1)
    shares = {}
    for name, gain in _GAINS.items():
        after = judged(network, recordings, lambda windows, gain=gain: windows * np.float32(gain))  # type: ignore[misc]
        shares[name] = float((after[named].to_numpy().argmax(axis=1) == classes).mean())
    return shares


def early_rises(network: Network, recordings: list[Recording]) -> npt.NDArray[np.float64]:
    """How p(S) of normal beats among normal ones changes when they come 30 % early; short recordings are left out."""
    rises: list[float] = []
    share = -(-_EARLY_BEATS // len(recordings))
    for each in recordings:
        if len(each.beats) <= 2 * _SURROUNDINGS:
            continue
        normal = (each.beats.aami == "N").to_numpy()
        calm = np.convolve(normal, np.ones(11), mode="same") == 11
        candidates = np.flatnonzero(calm & each.counts)
        candidates = candidates[(candidates > _SURROUNDINGS) & (candidates < len(normal) - _SURROUNDINGS)]
        chosen = candidates[np.linspace(0, len(candidates) - 1, min(share, len(candidates))).astype(int)]
        rises += [_rise(network, each, beat) for beat in np.unique(chosen)]
    return np.asarray(rises)


def _rise(network: Network, recording: Recording, beat: int) -> float:
    """The change of p(S) of one beat, judged among the forty on each side of it."""
    piece = slice(beat - _SURROUNDINGS, beat + _SURROUNDINGS)
    windows, times_s = recording.windows[piece], recording.times_s[piece]
    early = times_s.copy()
    early[_SURROUNDINGS] -= _EARLY * (times_s[_SURROUNDINGS] - times_s[_SURROUNDINGS - 1])
    place = CLASSES.index("S")
    before, after = (network.probabilities([context_inputs(windows, each)])[0] for each in (times_s, early))
    return float(after[_SURROUNDINGS, place] - before[_SURROUNDINGS, place])


def strip_ms(network: Network, recordings: list[Recording]) -> float:
    """The median time to judge twelve beats, about ten seconds of ECG, from their windows on."""
    longest = max(recordings, key=lambda each: len(each.windows))
    windows, times_s = longest.windows[:_STRIP_BEATS], longest.times_s[:_STRIP_BEATS]
    spent = []
    for _ in range(_STRIPS):
        started = time.perf_counter()
        network.probabilities([context_inputs(windows, times_s)])
        spent.append(time.perf_counter() - started)
    return float(np.median(spent) * 1000)


def _probabilities(network: Network, inputs: ContextInputs) -> Floats:
    """(n, 5), block by block, as `evaluate` judges."""
    result = np.empty((len(inputs.beats), len(CLASSES)), np.float32)
    for block in blocks(len(inputs.beats)):
        piece = slice(block.start, block.stop)
        found = network.probabilities([ContextInputs(inputs.beats[piece], inputs.rhythm[piece])])[0]
        result[block.keep_from : block.keep_to] = found[block.keep_from - block.start : block.keep_to - block.start]
    return result
