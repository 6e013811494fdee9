"""Beats of a recording that nobody has annotated."""

from typing import Final

import numpy as np
import numpy.typing as npt
from wfdb.processing import XQRS, correct_peaks

_SHORTEST_S: Final = 2.0
_PEAK_REACH_S: Final = 0.1
_BASELINE_S: Final = 0.3


def detect_beats(millivolts: npt.NDArray[np.float32], fs_hz: float) -> npt.NDArray[np.int64]:
    """Find the beats with wfdb's XQRS on the first lead that is not flat, and move them to their largest deflection.

    XQRS marks some beats, ventricular ones above all, up to a tenth of a second beside the peak that annotators mark.

    Args:
        millivolts: (n_samples, n_leads), without invalid samples.
        fs_hz: Sampling rate.

    Returns:
        (n_beats,) ascending samples; none where the recording is flat or shorter than two seconds.
    """
    lead = next((lead for lead in millivolts.T.astype(np.float64) if np.ptp(lead) > 0), None)
    if lead is None or len(lead) < _SHORTEST_S * fs_hz:
        return np.zeros(0, np.int64)
    detector = XQRS(lead, fs_hz)
    detector.detect(verbose=False)
    found = np.asarray(detector.qrs_inds, dtype=np.int64)
    if not len(found):
        return found
    peaks = correct_peaks(lead, found, round(_PEAK_REACH_S * fs_hz), round(_BASELINE_S * fs_hz), peak_dir="both")
    return np.unique(np.asarray(peaks, dtype=np.int64))
