"""The shapes of waves and complexes: Gaussian dipoles, drawn anew for each patient.

A wave is a row of five numbers: its time after the beat in seconds, its width (standard deviation)
in seconds, and its dipole vector in mV: to the left, downwards and forwards.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Waves = NDArray[np.float64]


@dataclass(frozen=True)
class Complex:
    """One shape of ventricular activation; both arrays have the shape (waves, 5)."""

    qrs: Waves
    recovery: Waves
    """ST segment and T wave, with times as at an RR interval of 1 s."""


def direction(frontal_deg: float, forwards: float) -> NDArray[np.float64]:
    """A unit vector from its angle in the frontal plane (0 left, 90 down) and its forward part."""
    flat = np.sqrt(1.0 - forwards**2)
    angle = np.deg2rad(frontal_deg)
    return np.array([flat * np.cos(angle), flat * np.sin(angle), forwards])


def narrow(rng: np.random.Generator) -> Complex:
    """A normally conducted beat: septal q, main vector, basal s, T along the main vector."""
    height = rng.lognormal(np.log(1.35), 0.25)
    axis = rng.normal(52.0, 14.0)
    main = height * direction(axis, rng.uniform(-0.6, -0.1))
    septal = height * rng.uniform(0.04, 0.12) * direction(axis + 150 + rng.normal(0, 20), 0.7)
    basal = height * rng.uniform(0.08, 0.3) * direction(axis + 180 + rng.normal(0, 30), -0.4)
    width = rng.uniform(0.011, 0.015)
    qrs = waves(
        (-2.6 * width, 0.75 * width, septal),
        (0.0, width, main),
        (2.4 * width, rng.uniform(0.7, 1.1) * width, basal),
    )
    share = float(np.clip(rng.normal(0.24, 0.05), 0.15, 0.36))
    return Complex(qrs, _recovery(share * main, rng, forwards=rng.uniform(0.0, 0.25) * height))


def left_block(rng: np.random.Generator) -> Complex:
    """Left bundle branch block: broad, notched, leftwards and backwards, with a discordant T."""
    height = rng.lognormal(np.log(1.2), 0.2)
    axis = rng.normal(35.0, 8.0)
    first = rng.uniform(0.65, 0.85) * height * direction(axis + rng.normal(0, 8), -0.3)
    second = height * direction(axis + rng.normal(0, 8), -0.6)
    late = rng.uniform(0.4, 0.65) * height * direction(axis - 25, -0.6)
    width = rng.uniform(0.014, 0.018)
    qrs = waves((-2.0 * width, width, first), (0.0, width, second), (2.0 * width, width, late))
    return Complex(qrs, _recovery(-rng.uniform(0.28, 0.4) * second, rng))


def right_block(rng: np.random.Generator, base: Complex, degree: float = 1.0) -> Complex:
    """Right bundle branch block of `base`: a slow last vector to the right and forwards.

    `degree` below 1 is the partial block of an aberrantly conducted premature beat.
    """
    height = float(np.abs(base.qrs[:, 2:]).max())
    last = degree * height * rng.uniform(0.5, 0.75) * direction(rng.uniform(170.0, 190.0), 0.6)
    width = 0.014 + 0.008 * degree
    qrs = np.vstack([base.qrs, waves((0.030 + 0.028 * degree, width, last))])
    recovery = base.recovery.copy()
    recovery[:, 2:] -= 0.35 * last / len(recovery)
    return Complex(qrs, recovery)


def ectopic(rng: np.random.Generator) -> Complex:
    """A beat from a ventricular focus: broad, spread from cell to cell, with a discordant T."""
    height = rng.lognormal(np.log(2.1), 0.2)
    frontal = 60.0 + 180.0 * rng.integers(2) + rng.uniform(-55.0, 55.0)
    forwards = rng.uniform(-0.6, 0.6)
    main = height * direction(frontal, forwards)
    early = height * rng.uniform(0.1, 0.6) * direction(frontal + rng.normal(0, 50), forwards)
    late = height * rng.uniform(0.1, 0.7) * direction(frontal + rng.normal(0, 80), -forwards)
    width = rng.uniform(0.022, 0.034)
    qrs = waves(
        (-1.7 * width, 0.8 * width, early),
        (0.0, width, main),
        (2.0 * width, rng.uniform(0.7, 1.0) * width, late),
    )
    share = -rng.uniform(0.25, 0.5)
    return Complex(qrs, _recovery(share * (main + 0.5 * late), rng, later_s=0.03))


def paced(rng: np.random.Generator) -> Complex:
    """A beat paced from the right ventricle's apex: leftwards and upwards, after the spike."""
    height = rng.lognormal(np.log(1.7), 0.15)
    axis = rng.normal(-80.0, 10.0)
    first = 0.6 * height * direction(axis + rng.normal(0, 20), 0.1)
    main = height * direction(axis, rng.uniform(-0.6, -0.2))
    late = rng.uniform(0.2, 0.6) * height * direction(axis + rng.normal(0, 30), -0.5)
    width = rng.uniform(0.020, 0.027)
    lag = 0.02 + 2.8 * width
    qrs = waves((lag - 1.6 * width, 0.8 * width, first), (lag, width, main), (lag + 2 * width, width, late))
    recovery = _recovery(-rng.uniform(0.25, 0.45) * main, rng, later_s=lag)
    return Complex(qrs, recovery)


def atrial(rng: np.random.Generator, axis_deg: float, height_mv: float) -> Waves:
    """A P wave of two bumps, for the right and the left atrium, about time zero."""
    right = 0.8 * height_mv * direction(axis_deg, 0.4)
    left = height_mv * direction(axis_deg + rng.normal(-10, 10), -0.3)
    width = rng.uniform(0.014, 0.020)
    return waves((-0.016, width, right), (0.016, width, left))


def blend(first: Complex, second: Complex, share: float) -> Complex:
    """A fusion beat: the dipoles of two activation fronts, `share` of it the second's."""
    qrs = np.vstack([scaled(first.qrs, 1.0 - share), scaled(second.qrs, share)])
    recovery = np.vstack([scaled(first.recovery, 1.0 - share), scaled(second.recovery, share)])
    return Complex(qrs, recovery)


def scaled(shape: Waves, factor: float) -> Waves:
    """The same waves with their dipoles multiplied by `factor`."""
    result = shape.copy()
    result[:, 2:] *= factor
    return result


def slowed(shape: Complex, factor: float) -> Complex:
    """The same complex with a QRS that takes `factor` times as long."""
    qrs = shape.qrs.copy()
    qrs[:, :2] *= factor
    return Complex(qrs, shape.recovery)


def waves(*rows: tuple[float, float, NDArray[np.float64]]) -> Waves:
    """Rows of time, width and dipole as one array of shape (waves, 5)."""
    return np.array([[time_s, width_s, *dipole] for time_s, width_s, dipole in rows])


def _recovery(
    t_wave: NDArray[np.float64],
    rng: np.random.Generator,
    later_s: float = 0.0,
    forwards: float = 0.0,
) -> Waves:
    """ST segment and a T wave that rises slowly and falls faster, with `t_wave` as its dipole."""
    dipole = t_wave + np.array([0.0, 0.0, forwards])
    peak = rng.uniform(0.285, 0.315) + later_s
    return waves(
        (peak - 0.15, 0.045, rng.normal(0.0, 0.15) * dipole),
        (peak - 0.055, 0.050, 0.55 * dipole),
        (peak, 0.034, 0.75 * dipole),
    )
