"""What a network that reads context sees of a recording: every beat against what is usual for this patient."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.windows import WINDOW_LEADS, WINDOW_SAMPLES

Floats = npt.NDArray[np.float32]

CHANNELS: Final = 2 * WINDOW_LEADS
RHYTHM_FEATURES: Final = (
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
    "likeness_record_0",
    "likeness_record_1",
    "likeness_prev_0",
    "likeness_prev_1",
)
"""Columns of `ContextInputs.rhythm`: log ratios of RR intervals, and correlations of beats, a lead each."""

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
    level = windows.astype(np.float64) - np.median(windows, axis=2, keepdims=True)
    typical = np.median(level, axis=0)
    amplitude = np.ptp(typical, axis=1)
    upwards = np.where((typical**3).sum(axis=1) < 0, -1.0, 1.0)
    scale = np.where(amplitude > _MIN_AMPLITUDE_MV, upwards / np.maximum(amplitude, _MIN_AMPLITUDE_MV), 0.0)
    shape, typical = level * scale[:, None], typical * scale[:, None]
    channels = np.concatenate([shape, shape - typical], axis=1).transpose(0, 2, 1)
    rhythm = [*_intervals(times_s), *_likeness(shape, typical)]
    return ContextInputs(
        beats=np.clip(channels, -_LIMIT, _LIMIT).astype(np.float32),
        rhythm=np.stack(rhythm, axis=1).astype(np.float32),
    )


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


def _intervals(times_s: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """RR before and after each beat against the recording, the ten before, the twenty on each side, and each other."""
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
    return [np.clip(np.nan_to_num(column), -2 * _LOG_LIMIT, 2 * _LOG_LIMIT) for column in columns]


def _likeness(shape: npt.NDArray[np.float64], typical: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """Correlation of each beat with the typical one and with the one before, lead by lead."""
    to_record = _correlation(shape, typical[None])
    to_prev = np.concatenate([np.zeros((1, WINDOW_LEADS)), _correlation(shape[1:], shape[:-1])])
    return [*to_record.T, *to_prev.T]


def _correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    one = one - one.mean(axis=-1, keepdims=True)
    other = other - other.mean(axis=-1, keepdims=True)
    power = (one**2).sum(axis=-1) * (other**2).sum(axis=-1)
    result: npt.NDArray[np.float64] = (one * other).sum(axis=-1) / np.sqrt(power + 1e-9)
    return result


def _rolling_median(values: npt.NDArray[np.float64], beats: int, centred: bool) -> npt.NDArray[np.float64]:
    return pd.Series(values).rolling(beats, min_periods=1, center=centred).median().to_numpy()
