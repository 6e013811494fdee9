"""R-centred two-lead beat windows and rhythm features, for models that read context."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.resampling import resampled, resampled_places

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
    slower = resampled(leads, fs_hz, WINDOW_RATE_HZ).astype(np.float32)
    centres = resampled_places(beats, fs_hz, WINDOW_RATE_HZ)
    offsets = np.arange(-BEFORE_SAMPLES, AFTER_SAMPLES)
    places = np.clip(centres[:, None] + offsets, 0, len(slower) - 1)
    windows = np.zeros((len(beats), WINDOW_LEADS, WINDOW_SAMPLES), dtype=np.float32)
    for lead in range(leads.shape[1]):
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
