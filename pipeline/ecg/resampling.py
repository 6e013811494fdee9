"""Signals and their annotations at another sampling rate, both by the same exact ratio."""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

_FINEST = 1000


def resampled(signal: npt.NDArray[Any], fs_hz: float, to_hz: int) -> npt.NDArray[Any]:
    """Bring a signal to `to_hz` with an anti-alias filter.

    Args:
        signal: (n_samples,) or (n_samples, n_leads) at `fs_hz`.
    """
    ratio = _ratio(fs_hz, to_hz)
    return np.asarray(resample_poly(signal, ratio.numerator, ratio.denominator, axis=0))


def resampled_places(samples: npt.NDArray[np.int64], fs_hz: float, to_hz: int) -> npt.NDArray[np.int64]:
    """Where samples at `fs_hz` lie in a signal that `resampled` brought to `to_hz`."""
    return np.asarray(np.rint(samples * float(_ratio(fs_hz, to_hz))), dtype=np.int64)


def _ratio(fs_hz: float, to_hz: int) -> Fraction:
    """Headers tell of rates such as 250.5 or 128.205 Hz; thousandths keep the filter short."""
    return Fraction(to_hz) / Fraction(fs_hz).limit_denominator(_FINEST)
