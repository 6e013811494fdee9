"""Slow change within a record: posture turns the heart's axis, its tone reshapes the waves."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_POSTURE_S = 25.0
_POSTURE_SD = 0.22
_TONE_S = 20.0
_TONE_RANGE = (0.4, 1.6)
"""Times between independent values, which are joined by straight lines, and how far they vary."""


class Tone(NamedTuple):
    """Factors on a beat's waves."""

    first: float
    """On the first wave of the QRS complex."""
    last: float
    """On its last wave."""
    width: float
    recovery: float


def posture(time_s: Array, rng: np.random.Generator) -> Array:
    """What posture adds to the two leads' vectors at each beat, shape (beats, 2, 3)."""
    moments = _moments(time_s, _POSTURE_S)
    values = rng.normal(0.0, _POSTURE_SD, size=(2, 3, len(moments)))
    moved = [[np.interp(time_s, moments, axis) for axis in lead] for lead in values]
    return np.moveaxis(np.array(moved), -1, 0)


def tones(time_s: Array, rng: np.random.Generator) -> list[Tone]:
    """The tone at each beat."""
    moments = _moments(time_s, _TONE_S)
    first, last, width, recovery = (
        np.interp(time_s, moments, values) for values in rng.uniform(*_TONE_RANGE, size=(4, len(moments)))
    )
    width = 1.0 + 0.2 * (width - 1.0)
    recovery = 1.0 + 0.7 * (recovery - 1.0)
    return [Tone(*map(float, row)) for row in zip(first, last, width, recovery, strict=True)]


def _moments(time_s: Array, every_s: float) -> Array:
    return np.arange(0.0, time_s[-1] + 2 * every_s, every_s)
