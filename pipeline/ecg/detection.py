"""Beats of a recording that nobody has annotated."""

from typing import Final

import numpy as np
import numpy.typing as npt
from wfdb.processing import XQRS, correct_peaks

from pipeline.ecg.resampling import resampled

_HIGHEST_RATE_HZ: Final = 360
_SHORTEST_S: Final = 2.0
_PEAK_REACH_S: Final = 0.1
_BASELINE_S: Final = 0.3


def detect_beats(millivolts: npt.NDArray[np.float32], fs_hz: float) -> npt.NDArray[np.int64]:
    """Find the beats with wfdb's XQRS on the first lead that is not flat, and move them to their largest deflection.

    XQRS marks some beats, ventricular ones above all, up to a tenth of a second beside the peak that annotators mark.
    From about 500 Hz on it loses beats, at 2,000 Hz all of them, and its time grows with the rate's square: a lead of a
    higher rate is shown to it at 360 Hz, and its beats are as exact as that rate's samples.

    Args:
        millivolts: (n_samples, n_leads), without invalid samples.
        fs_hz: Sampling rate.

    Returns:
        (n_beats,) ascending samples; none where the recording is flat or shorter than two seconds.
    """
    lead = next((lead for lead in millivolts.T.astype(np.float64) if np.ptp(lead) > 0), None)
    if lead is None or len(lead) < _SHORTEST_S * fs_hz:
        return np.zeros(0, np.int64)
    if fs_hz <= _HIGHEST_RATE_HZ:
        return _peaks(lead, fs_hz)
    peaks = _peaks(resampled(lead, fs_hz, _HIGHEST_RATE_HZ), _HIGHEST_RATE_HZ)
    samples: npt.NDArray[np.int64] = np.rint(peaks * (fs_hz / _HIGHEST_RATE_HZ)).astype(np.int64)
    return np.minimum(samples, len(lead) - 1)


class _Detector(XQRS):  # type: ignore[misc]
    """XQRS that looks back at each peak once: what was too small stays so until a beat moves the threshold."""

    last_qrs_peak_num: int | None

    def _backsearch(self) -> None:
        super()._backsearch()
        if self.last_qrs_peak_num is not None:
            self.last_qrs_peak_num = self.peak_num


def _peaks(lead: npt.NDArray[np.float64], fs_hz: float) -> npt.NDArray[np.int64]:
    detector = _Detector(lead, fs_hz)
    detector.detect(verbose=False)
    found = np.asarray(detector.qrs_inds, dtype=np.int64)
    if not len(found):
        return found
    peaks = correct_peaks(lead, found, round(_PEAK_REACH_S * fs_hz), round(_BASELINE_S * fs_hz), peak_dir="both")
    return np.unique(np.asarray(peaks, dtype=np.int64))
