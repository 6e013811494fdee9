"""A recording handed over as numbers, by a request or a table: checked, then labelled as any other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.recordings import LOWEST_RATE_HZ, Signal
from pipeline.ecg.windows import WINDOW_LEADS
from pipeline.errors import UserError
from pipeline.scoring.network import Network
from pipeline.scoring.pieces import detected
from pipeline.scoring.score import score_recording

HIGHEST_RATE_HZ: Final = 10_000.0
LONGEST_S: Final = 3600.0
"""An hour; a longer recording is for `heartbeat score`."""

_LARGEST_MV: Final = 1e4


@dataclass(frozen=True)
class Strip:
    """A recording as numbers, in the names that requests and tables give them."""

    record: str
    fs_hz: float
    signal_mv: list[list[float | None]]
    beats: list[int] | None = None


def example_strip() -> Strip:
    """Three seconds of two leads at 100 Hz, drawn as narrow peaks, with their beats."""
    beats = [50, 130, 210]
    peaks = np.exp(-(((np.arange(300)[:, None] - beats) / 3) ** 2)).sum(axis=1)
    return Strip("example", 100.0, [np.round(gain * peaks, 3).tolist() for gain in (1.0, 0.5)], beats)


def label_strip(network: Network, name: str, fs_hz: Any, signal_mv: Any, beats: Any = None) -> pd.DataFrame:
    """Label the beats of a recording: `score_recording` on what `checked_signal` and `checked_beats` let through.

    Args:
        network: The model.
        name: Names the recording in the answer.
        fs_hz: Sampling rate.
        signal_mv: One sequence of samples in mV for each of one or two leads, of one length; None or NaN where invalid.
        beats: Ascending samples of the beats; None finds them.

    Raises:
        UserError: one sentence that names the field at fault.
    """
    signal = checked_signal(name, fs_hz, signal_mv)
    places = detected(signal) if beats is None else checked_beats(beats, signal.n_samples)
    return score_recording(network, signal, places)


def checked_signal(name: str, fs_hz: Any, signal_mv: Any) -> Signal:
    """The recording that the numbers describe.

    Raises:
        UserError: it is empty, has no valid sample, is too slow, too long, of more than two leads or of unequal ones.
    """
    rate = _checked_rate(fs_hz)
    leads = _checked_leads(signal_mv)
    samples = leads.shape[1]
    if samples < 2:
        raise UserError(
            f"signal_mv: {samples} sample{'' if samples else 's'} a lead; send a stretch of ECG, such as 10 s"
        )
    if samples > LONGEST_S * rate:
        raise UserError(
            f"signal_mv: {samples / rate / 3600:.1f} hours long; send at most {LONGEST_S / 3600:g}, "
            "or label the recording with `heartbeat score`"
        )
    finite = np.isfinite(leads)
    if not finite.any():
        raise UserError("signal_mv: no valid sample; check the electrodes or the file that it was read from")
    largest = float(np.abs(leads[finite]).max())
    if largest > _LARGEST_MV:
        raise UserError(f"signal_mv: reaches {largest:g} mV; send millivolts, not the converter's units")
    return Signal(name, rate, np.ascontiguousarray(leads.T, dtype=np.float32))


def checked_beats(beats: Any, samples: int) -> npt.NDArray[np.int64]:
    """Samples of the beats.

    Raises:
        UserError: they are not whole numbers, lie outside the signal or do not ascend.
    """
    remedy = "send samples of the signal, counted from 0, or leave beats out to have them found"
    try:
        places = np.asarray(beats)
    except (TypeError, ValueError) as error:
        raise UserError(f"beats: not a list of whole numbers; {remedy}") from error
    if places.ndim == 1 and not len(places):
        return np.zeros(0, np.int64)
    if places.ndim != 1 or places.dtype.kind not in "iuf" or not np.array_equal(places, np.rint(places)):
        raise UserError(f"beats: not a list of whole numbers; {remedy}")
    outside = places[(places < 0) | (places >= samples)]
    if len(outside):
        raise UserError(f"beats: {outside[0]:.0f} lies outside the signal of {samples} samples; {remedy}")
    if (np.diff(places.astype(np.int64)) <= 0).any():
        raise UserError("beats: not ascending; sort them and name each beat once")
    return places.astype(np.int64)


def _checked_rate(fs_hz: Any) -> float:
    try:
        rate = float(fs_hz)
    except (TypeError, ValueError) as error:
        raise UserError("fs_hz: not a number; send the sampling rate in Hz, such as 360") from error
    if not math.isfinite(rate) or not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
        raise UserError(
            f"fs_hz: {rate:g} Hz; send a signal of {LOWEST_RATE_HZ:g} to {HIGHEST_RATE_HZ:g} Hz "
            "(models are trained on 360 Hz)"
        )
    return rate


def _checked_leads(signal_mv: Any) -> npt.NDArray[np.float64]:
    """(leads, samples), NaN where invalid."""
    shape = "send one list of numbers for each lead, [[...], [...]]"
    if not isinstance(signal_mv, Sequence | np.ndarray) or isinstance(signal_mv, str | bytes):
        raise UserError(f"signal_mv: not a list of leads; {shape}")
    if not len(signal_mv):
        raise UserError(f"signal_mv: empty; {shape}")
    if len(signal_mv) > WINDOW_LEADS:
        raise UserError(
            f"signal_mv: {len(signal_mv)} leads; send the {WINDOW_LEADS} to be judged, one list of samples each"
        )
    try:
        leads = [np.asarray(lead, dtype=np.float64) for lead in signal_mv]
    except (TypeError, ValueError) as error:
        raise UserError(f"signal_mv: not numbers; {shape}") from error
    if any(lead.ndim != 1 for lead in leads):
        raise UserError(f"signal_mv: a lead is not a list of numbers; {shape}")
    lengths = [len(lead) for lead in leads]
    if len(set(lengths)) > 1:
        raise UserError(f"signal_mv: leads of {lengths[0]} and {lengths[1]} samples; send leads of one length")
    return np.stack(leads)
