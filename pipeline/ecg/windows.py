"""R-centred two-lead beat windows and rhythm features, for models that read context."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.resampling import resampled_length, resampled_pieces, resampled_places

WINDOW_RATE_HZ: Final = 120
WINDOW_LEADS: Final = 2
BEFORE_SAMPLES: Final = 48
AFTER_SAMPLES: Final = 78
WINDOW_SAMPLES: Final = BEFORE_SAMPLES + AFTER_SAMPLES
"""0.4 s before the annotation to 0.65 s after it."""

_LOCAL_BEATS: Final = 10


def beat_windows(
    signal: npt.NDArray[np.float32], fs_hz: float, beats: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Cut a window around each beat from the first two leads, resampled to 120 Hz with an anti-alias filter.

    Args:
        signal: (n_samples, n_leads) in mV. A missing second lead gives zeros.
        fs_hz: Sampling rate of `signal` and `beats`.
        beats: (n_beats,) samples of the beats' annotations.

    Returns:
        (n_beats, 2, 126) float32 in mV; the edges of the recording are repeated beyond its ends.
    """
    leads = signal[:, :WINDOW_LEADS]
    return np.concatenate(list(windows_in_pieces([leads], len(signal), fs_hz, beats)))


def windows_in_pieces(
    pieces: Iterable[npt.NDArray[np.float32]], n_samples: int, fs_hz: float, beats: npt.NDArray[np.int64]
) -> Iterator[npt.NDArray[np.float32]]:
    """Cut the windows of `beat_windows` from a signal that comes in pieces; memory holds one piece.

    Args:
        pieces: (n, 1 or 2) each, in mV, one after the other.
        n_samples: Samples of all pieces together, at least one.
        beats: (n_beats,) ascending samples.

    Yields:
        (n, 2, 126) float32, the windows of the next n beats.
    """
    centres = resampled_places(beats, fs_hz, WINDOW_RATE_HZ)
    end = resampled_length(n_samples, fs_hz, WINDOW_RATE_HZ)
    start = known = cut = 0
    waiting: list[npt.NDArray[np.float32]] = []
    for slower in resampled_pieces(pieces, fs_hz, WINDOW_RATE_HZ):
        waiting.append(slower.astype(np.float32, copy=False))
        known += len(slower)
        ready = len(beats) if known == end else int(np.searchsorted(centres, known - AFTER_SAMPLES, side="right"))
        together = np.concatenate(waiting)
        yield _windows(together, centres[cut:ready], start, end)
        cut = ready
        needed_from = max(int(centres[cut]) - BEFORE_SAMPLES, start) if cut < len(beats) else known
        kept = together[min(needed_from, known) - start :]
        waiting, start = [kept], known - len(kept)


def _windows(
    slower: npt.NDArray[np.float32], centres: npt.NDArray[np.int64], start: int, end: int
) -> npt.NDArray[np.float32]:
    """Windows around `centres` from samples `start` and on of a signal of `end` samples."""
    offsets = np.arange(-BEFORE_SAMPLES, AFTER_SAMPLES)
    places = np.clip(centres[:, None] + offsets, 0, end - 1) - start
    windows = np.zeros((len(centres), WINDOW_LEADS, WINDOW_SAMPLES), dtype=np.float32)
    for lead in range(slower.shape[1]):
        windows[:, lead] = slower[places, lead]
    return windows


def rhythm_features(beats: npt.NDArray[np.int64], fs_hz: float) -> pd.DataFrame:
    """RR intervals of consecutive beats against a local and a record-wide norm.

    Args:
        beats: (n_beats,) samples of all beats of one recording, in order.

    Returns:
        One row a beat, float32, NaN where a neighbour is missing: `rr_prev_s`, `rr_next_s`; `rr_local_s`, the median
        of the ten intervals up to and with the one before the beat; `rr_record_s`, the recording's median; and the
        ratios `rr_prev_rel_local`, `rr_prev_rel_record`, `rr_next_rel_record`, `rr_next_rel_prev`.
    """
    intervals = np.diff(beats) / fs_hz
    missing = np.full(1, np.nan)
    before = np.concatenate([missing, intervals])[: len(beats)]
    after = np.concatenate([intervals, missing])[-len(beats) :] if len(beats) else before
    local = pd.Series(before).rolling(_LOCAL_BEATS, min_periods=1).median().to_numpy()
    overall = float(np.median(intervals)) if len(intervals) else float("nan")
    features = pd.DataFrame(
        {
            "rr_prev_s": before,
            "rr_next_s": after,
            "rr_local_s": local,
            "rr_record_s": np.full(len(beats), overall),
            "rr_prev_rel_local": before / local,
            "rr_prev_rel_record": before / overall,
            "rr_next_rel_record": after / overall,
            "rr_next_rel_prev": after / before,
        }
    )
    return features.astype(np.float32)
