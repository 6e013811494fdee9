"""What a network that reads context sees of a recording: every beat against what is usual for this patient."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.windows import WINDOW_LEADS, WINDOW_SAMPLES

Floats = npt.NDArray[np.float32]

CHANNELS: Final = 2 * WINDOW_LEADS
INTERVAL_FEATURES: Final = (
    "rr_prev_rel_record",
    "rr_next_rel_record",
    "rr_prev_rel_before",
    "rr_next_rel_before",
    "rr_prev_rel_around",
    "rr_next_rel_prev",
    "rr_prev_rel_prev",
    "rr_prev",
    "rr_record",
    "rr_variability",
)
"""The first columns of `ContextInputs.rhythm`: log ratios of RR intervals."""

RHYTHM_FEATURES: Final = (
    *INTERVAL_FEATURES,
    "likeness_record_0",
    "likeness_record_1",
    "likeness_prev_0",
    "likeness_prev_1",
)
"""Columns of `ContextInputs.rhythm`: log ratios of RR intervals, and correlations of beats, a lead each."""

_USUAL_BEATS: Final = 16_384
_BLOCK_BEATS: Final = 640
_MARGIN_BEATS: Final = 64
_BEFORE_BEATS: Final = 10
_AROUND_BEATS: Final = 41
_VARIABILITY_BEATS: Final = 21
_LIMIT: Final = 5.0
_LOG_LIMIT: Final = 2.0
_TYPICAL_RR_S: Final = 0.8
_MIN_AMPLITUDE_MV: Final = 1e-3


@dataclass(frozen=True)
class ContextInputs:
    """The beats of one recording as the network reads them.

    Attributes:
        beats: (n, 126, 4) float32: both leads, then both leads less the recording's typical beat; in units of the
            typical beat's peak-to-peak amplitude, its larger deflection upwards.
        rhythm: (n, 14) float32, columns `RHYTHM_FEATURES`; 0 where a neighbour is missing.
    """

    beats: Floats
    rhythm: Floats


@dataclass(frozen=True)
class Usual:
    """What is usual for a recording.

    Attributes:
        typical: (2, 126) the median window, level off, in units of its own peak-to-peak amplitude, its larger
            deflection upwards.
        scale: (2,) what brings a window in mV to these units; 0 for a lead that is flat.
    """

    typical: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]


def context_inputs(windows: Floats, times_s: npt.NDArray[np.float64]) -> ContextInputs:
    """Put consecutive beats of one recording in relation to each other.

    The typical beat is the median window. Neither gain, nor offset, nor a lead's polarity changes the result.

    Args:
        windows: (n, 2, 126) in mV, as `beat_windows` cuts them; a lead that is missing is all zeros.
        times_s: (n,) ascending times of the beats.
    """
    if not len(windows):
        empty = np.zeros((0, len(RHYTHM_FEATURES)), np.float32)
        return ContextInputs(np.zeros((0, WINDOW_SAMPLES, CHANNELS), np.float32), empty)
    usual = usual_beat(windows[usual_beats(len(windows))])
    pieces = [windows[start : start + _BLOCK_BEATS] for start in range(0, len(windows), _BLOCK_BEATS)]
    return joined(list(context_in_pieces(pieces, times_s, usual)))


def usual_beats(n_beats: int) -> slice:
    """The beats that make the typical beat: all up to 16,384 (some hours), beyond that every second, third, ..."""
    return slice(None, None, max(-(-n_beats // _USUAL_BEATS), 1))


def usual_beat(windows: Floats) -> Usual:
    """The typical beat of a recording from the windows of its `usual_beats`, (n, 2, 126) in mV, at least one."""
    typical = np.median(_levelled(windows), axis=0)
    amplitude = np.ptp(typical, axis=1)
    upwards = np.where((typical**3).sum(axis=1) < 0, -1.0, 1.0)
    scale = np.where(amplitude > _MIN_AMPLITUDE_MV, upwards / np.maximum(amplitude, _MIN_AMPLITUDE_MV), 0.0)
    return Usual(typical * scale[:, None], scale)


def context_in_pieces(
    pieces: Iterable[Floats], times_s: npt.NDArray[np.float64], usual: Usual
) -> Iterator[ContextInputs]:
    """Make the inputs of `context_inputs` from windows that come in pieces; memory holds one piece.

    Args:
        pieces: (n, 2, 126) each, in mV, the windows of consecutive beats.
        times_s: Ascending times of the beats of all pieces.

    Yields:
        The inputs of each piece's beats.
    """
    intervals = _intervals(times_s)
    last: npt.NDArray[np.float64] | None = None
    done = 0
    for windows in pieces:
        if not len(windows):
            continue
        shape = _levelled(windows) * usual.scale[:, None]
        beats = np.empty((len(windows), WINDOW_SAMPLES, CHANNELS), np.float32)
        np.clip(shape.transpose(0, 2, 1), -_LIMIT, _LIMIT, out=beats[..., :WINDOW_LEADS], casting="same_kind")
        np.clip(
            (shape - usual.typical).transpose(0, 2, 1),
            -_LIMIT,
            _LIMIT,
            out=beats[..., WINDOW_LEADS:],
            casting="same_kind",
        )
        rhythm = [intervals[done : done + len(windows)], _likeness(shape, usual.typical, last)]
        yield ContextInputs(beats, np.concatenate(rhythm, axis=1).astype(np.float32))
        last, done = shape[-1], done + len(windows)


def joined(pieces: Sequence[ContextInputs]) -> ContextInputs:
    """Consecutive pieces of one recording as one."""
    return ContextInputs(
        np.concatenate([each.beats for each in pieces]), np.concatenate([each.rhythm for each in pieces])
    )


def _levelled(windows: Floats) -> npt.NDArray[np.float64]:
    return windows.astype(np.float64) - np.median(windows, axis=2, keepdims=True)


@dataclass(frozen=True)
class Block:
    """A stretch of a recording that a network reads at once, and the beats of it whose result is kept."""

    start: int
    stop: int
    keep_from: int
    keep_to: int


def blocks(n_beats: int) -> list[Block]:
    """Cut a recording into blocks of 640 beats, so that memory stays bounded however long it is.

    Each beat is judged with at least 64 beats on each side, where the recording has them.
    """
    if n_beats <= _BLOCK_BEATS:
        return [Block(0, n_beats, 0, n_beats)]
    found = []
    kept = 0
    while kept < n_beats:
        start = min(max(kept - _MARGIN_BEATS, 0), n_beats - _BLOCK_BEATS)
        stop = start + _BLOCK_BEATS
        keep_to = n_beats if stop == n_beats else stop - _MARGIN_BEATS
        found.append(Block(start, stop, kept, keep_to))
        kept = keep_to
    return found


def _intervals(times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n, 10): RR around each beat against the recording, the ten before, the twenty on each side, and each other."""
    missing = np.full(1, np.nan)
    log_rr = np.log(np.maximum(np.diff(times_s), 1e-3))
    before, after = np.concatenate([missing, log_rr]), np.concatenate([log_rr, missing])
    record = float(np.median(log_rr)) if len(log_rr) else np.log(_TYPICAL_RR_S)
    norm_before = _rolling_median(before, _BEFORE_BEATS, centred=False)
    change = np.abs(before - np.concatenate([missing, before[:-1]]))
    columns = [
        2 * (before - record),
        2 * (after - record),
        2 * (before - norm_before),
        2 * (after - norm_before),
        2 * (before - _rolling_median(before, _AROUND_BEATS, centred=True)),
        2 * (after - before),
        2 * (before - np.concatenate([missing, before[:-1]])),
        before - np.log(_TYPICAL_RR_S),
        np.full(len(before), record - np.log(_TYPICAL_RR_S)),
        10 * _rolling_median(change, _VARIABILITY_BEATS, centred=True),
    ]
    values: npt.NDArray[np.float64] = np.nan_to_num(np.stack(columns, axis=1))
    return values.clip(-2 * _LOG_LIMIT, 2 * _LOG_LIMIT)


def _likeness(
    shape: npt.NDArray[np.float64], typical: npt.NDArray[np.float64], last: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64]:
    """(n, 4) correlation of each beat with the typical one and with the one before (`last`: the first's), by lead."""
    before = np.zeros_like(shape[:1]) if last is None else last[None]
    centred, power = _centred(np.concatenate([before, shape]))
    usual, usual_power = _centred(typical[None])
    to_record = (centred[1:] * usual).sum(axis=-1) / np.sqrt(power[1:] * usual_power + 1e-9)
    to_prev = (centred[1:] * centred[:-1]).sum(axis=-1) / np.sqrt(power[1:] * power[:-1] + 1e-9)
    return np.concatenate([to_record, to_prev], axis=1)


def _centred(beats: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Beats less their mean, and the sum of their squares."""
    centred = beats - beats.mean(axis=-1, keepdims=True)
    return centred, (centred**2).sum(axis=-1)


def _rolling_median(values: npt.NDArray[np.float64], beats: int, centred: bool) -> npt.NDArray[np.float64]:
    return pd.Series(values).rolling(beats, min_periods=1, center=centred).median().to_numpy()
