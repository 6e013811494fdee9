"""What is watched of each scored beat: what the model said, the rhythm, and the signal that the beat lies in."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.windows import WINDOW_LEADS

UNCERTAIN_BELOW: Final = 0.8
"""A beat whose top probability is lower would be left to a person."""

CHOICES: Final = {"predicted": tuple(CLASSES), "uncertain": ("no", "yes")}
"""Facts that are one of a few words; all others are numbers."""

SIGNAL_FACTS: Final = ("amplitude_mv", "upward", "roughness_mv", "wander_mv", "likeness")
FACTS: Final = (
    *CHOICES,
    "confidence",
    "rr_prev_s",
    *(f"{fact}_{lead}" for lead in range(WINDOW_LEADS) for fact in SIGNAL_FACTS),
    "lead_correlation",
)

_FLAT_MV: Final = 1e-3

Floats = npt.NDArray[np.float64]


def beat_facts(windows: npt.NDArray[np.float32], scored: pd.DataFrame) -> pd.DataFrame:
    """One row a beat of one recording: `record` and the columns `FACTS`; NaN where there is nothing to measure.

    The network sees neither gain nor polarity; these facts do. In each lead: `amplitude_mv`, peak to peak; `upward`,
    the share of it above the window's median; `roughness_mv`, the root mean square of second differences at 120 Hz
    (muscle and mains noise); `wander_mv`, how far the median is from the previous beat's; `likeness`, the correlation
    with the recording's typical beat. `lead_correlation` is between the leads.

    Args:
        windows: (n, 2, 126) in mV, as `beat_windows` cuts them; a missing lead is all zeros.
        scored: n rows of one recording as `heartbeat score` writes them: `record`, `time_s`, `predicted`, `p_N`...
    """
    level = np.median(windows, axis=2).astype(np.float64)
    centred = windows - level[..., None]
    amplitude = np.ptp(centred, axis=2)
    known = np.where(amplitude > _FLAT_MV, 1.0, np.nan)
    typical = np.broadcast_to(np.median(centred, axis=0), centred.shape)
    by_lead = {
        "amplitude_mv": amplitude,
        "upward": centred.max(axis=2) / np.maximum(amplitude, _FLAT_MV) * known,
        "roughness_mv": np.sqrt(np.mean(np.diff(centred, n=2, axis=2) ** 2, axis=2)),
        "wander_mv": np.abs(np.diff(level, axis=0, prepend=np.nan)),
        "likeness": _correlation(centred, typical),
    }
    confidence = scored[[f"p_{name}" for name in CLASSES]].max(axis=1).to_numpy(np.float64)
    columns: dict[str, object] = {
        "record": scored["record"].to_numpy(),
        "predicted": scored["predicted"].to_numpy(),
        "uncertain": np.where(confidence < UNCERTAIN_BELOW, "yes", "no"),
        "confidence": confidence,
        "rr_prev_s": np.diff(scored["time_s"].to_numpy(np.float64), prepend=np.nan),
        "lead_correlation": _correlation(centred[:, 0], centred[:, 1]),
    }
    columns |= {f"{name}_{lead}": values[:, lead] for name, values in by_lead.items() for lead in range(WINDOW_LEADS)}
    return pd.DataFrame(columns)[["record", *FACTS]]


def _correlation(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> Floats:
    """Pearson's correlation along the last axis; NaN where either is flat."""
    one, other = (each - each.mean(axis=-1, keepdims=True) for each in (one, other))
    size = np.sqrt((one**2).sum(axis=-1) * (other**2).sum(axis=-1))
    found = np.full(size.shape, np.nan)
    np.divide((one * other).sum(axis=-1), size, out=found, where=size > _FLAT_MV**2)
    return found
