"""The equations of motion of McSharry et al. 2003, solved for a train of beats."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

_REACH = 5.0
"""How many widths from its centre a bump still acts."""


@dataclass(frozen=True)
class Bumps:
    """The Gaussian attractors of the z equation, one entry for each wave of each beat.

    Attributes:
        beat_s: shape (n,), when the beat's pass round the unit circle is at phase zero, in seconds.
        omega: shape (n,), the angular velocity of that pass, in rad/s.
        angle: shape (n,), the phase at which the wave peaks, in rad.
        width: shape (n,), the wave's Gaussian width, in rad.
        amplitude_mv: shape (n, leads), the height of the wave in each lead.
    """

    beat_s: NDArray[np.float64]
    omega: NDArray[np.float64]
    angle: NDArray[np.float64]
    width: NDArray[np.float64]
    amplitude_mv: NDArray[np.float64]


def solve(bumps: Bumps, baseline_mv: NDArray[np.float64], fs_hz: int) -> NDArray[np.float64]:
    """The potential z(t) of every lead, shape (samples, leads), float64, in mV.

    The model is x' = ax - wy, y' = ay + wx, z' = - sum_i a_i d_i exp(-d_i^2 / 2 b_i^2) - (z - z0)
    with a = 1 - sqrt(x^2 + y^2) and d_i the phase distance to wave i. Started on its limit cycle
    (x, y) stays there, so a beat's phase is w (t - t_beat) exactly; z is then linear in its
    forcing, so the beats' forcings add up (which lets a premature P wave ride on a T wave) and
    z follows by a first-order filter (trapezoidal rule). a_i = A_i w / b_i^2 makes A_i the
    height in mV.

    Args:
        bumps: the waves of all beats.
        baseline_mv: z0, shape (samples, leads), to which z relaxes with a time constant of 1 s.
        fs_hz: the sampling rate.
    """
    step_s = 1.0 / fs_hz
    forcing = _forcing(bumps, baseline_mv.shape, fs_hz) + baseline_mv
    gain = step_s / 2 / (1 + step_s / 2)
    decay = (1 - step_s / 2) / (1 + step_s / 2)
    return np.asarray(lfilter([gain, gain], [1.0, -decay], forcing, axis=0), dtype=np.float64)


def _forcing(bumps: Bumps, shape: tuple[int, ...], fs_hz: int) -> NDArray[np.float64]:
    """The sum over all waves, evaluated only where each acts; waves of like width go together."""
    samples, leads = shape
    forcing = np.zeros((samples, leads))
    reach = np.ceil(_REACH * bumps.width / bumps.omega * fs_hz)
    octave = np.ceil(np.log2(np.maximum(reach, 1.0))).astype(np.int64)
    centre = bumps.beat_s + bumps.angle / bumps.omega
    for group in np.unique(octave):
        of = np.flatnonzero(octave == group)
        half = 2 ** int(group)
        index = np.rint(centre[of] * fs_hz).astype(np.int64)[:, None] + np.arange(-half, half + 1)
        distance = bumps.omega[of, None] * (index / fs_hz - centre[of, None])
        squared = bumps.width[of, None] ** 2
        push = -bumps.omega[of, None] / squared * distance * np.exp(-(distance**2) / (2 * squared))
        inside = (index >= 0) & (index < samples)
        for lead in range(leads):
            weights = (bumps.amplitude_mv[of, lead, None] * push)[inside]
            forcing[:, lead] += np.bincount(index[inside], weights, minlength=samples)
    return forcing
