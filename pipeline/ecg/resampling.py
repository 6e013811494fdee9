"""Signals and their annotations at another sampling rate, both by the same exact ratio."""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

_FINEST = 1000
_FILTER_REACH = 10
"""Samples at the lower rate that the filter of `resample_poly` reaches to each side."""


def resampled(signal: npt.NDArray[Any], fs_hz: float, to_hz: int) -> npt.NDArray[Any]:
    """Bring a signal to `to_hz` with an anti-alias filter.

    Args:
        signal: (n_samples,) or (n_samples, n_leads) at `fs_hz`.
    """
    ratio = _ratio(fs_hz, to_hz)
    return np.asarray(resample_poly(signal, ratio.numerator, ratio.denominator, axis=0))


def resampled_pieces(pieces: Iterable[npt.NDArray[Any]], fs_hz: float, to_hz: int) -> Iterator[npt.NDArray[Any]]:
    """Do the same as `resampled`, to the last bit, for a signal that comes in pieces.

    Args:
        pieces: (n, n_leads) each, one after the other, together at least one sample.

    Yields:
        Pieces of the resampled signal, one after the other; the last may be empty.
    """
    ratio = _ratio(fs_hz, to_hz)
    up, down = ratio.numerator, ratio.denominator
    reach = math.ceil(_FILTER_REACH * max(up, down) / up)
    margin = down * math.ceil(reach / down)
    start = done = 0  # Samples of the input: where `waiting` starts, and up to where the output is made.
    waiting: npt.NDArray[Any] | None = None
    for piece in pieces:
        waiting = piece if waiting is None else np.concatenate([waiting, piece])
        ready = (start + len(waiting) - reach) // down * down
        if ready > done:
            yield resampled(waiting, fs_hz, to_hz)[(done - start) // down * up : (ready - start) // down * up]
            done = ready
            kept_from = max(done - margin, 0)
            waiting, start = waiting[kept_from - start :], kept_from
    if waiting is not None:
        yield resampled(waiting, fs_hz, to_hz)[(done - start) // down * up :]


def resampled_length(n_samples: int, fs_hz: float, to_hz: int) -> int:
    """Samples that `resampled` makes of `n_samples`."""
    return math.ceil(n_samples * _ratio(fs_hz, to_hz))


def resampled_places(samples: npt.NDArray[np.int64], fs_hz: float, to_hz: int) -> npt.NDArray[np.int64]:
    """Where samples at `fs_hz` lie in a signal that `resampled` brought to `to_hz`."""
    return np.asarray(np.rint(samples * float(_ratio(fs_hz, to_hz))), dtype=np.int64)


def _ratio(fs_hz: float, to_hz: int) -> Fraction:
    """Headers tell of rates such as 250.5 or 128.205 Hz; thousandths keep the filter short."""
    return Fraction(to_hz) / Fraction(fs_hz).limit_denominator(_FINEST)
