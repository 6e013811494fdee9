"""RR intervals of the sinus node: a series with the bimodal spectrum of McSharry et al. 2003."""

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 4.0
"""The rate at which the series is sampled."""

_LOW_HZ = 0.1
"""The Mayer waves of blood pressure."""
_WIDTH_HZ = 0.01
_ACTIVITY_S = 45.0
"""The time in which the heart rate follows rest and effort."""


def tachogram(
    mean_s: float,
    sd_s: float,
    lf_hf: float,
    breathing_hz: float,
    duration_s: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """RR intervals in seconds, shape (samples,), at `RATE_HZ`, at least `duration_s` long.

    The power spectrum is the sum of two Gaussians, at 0.1 Hz and at the breathing rate, with
    power in the ratio `lf_hf`; the phases are random, and the inverse transform is scaled to the
    given mean and standard deviation.
    """
    samples = int(np.ceil(duration_s * RATE_HZ)) + 64
    frequency = np.asarray(np.fft.rfftfreq(samples, 1.0 / RATE_HZ), dtype=np.float64)
    power = lf_hf * _peak(frequency, _LOW_HZ) + _peak(frequency, breathing_hz)
    phase = rng.uniform(0.0, 2 * np.pi, len(frequency))
    phase[0] = 0.0
    series = np.fft.irfft(np.sqrt(power) * np.exp(1j * phase), samples)
    deviation = float(np.std(series))
    beat_to_beat = sd_s * (series - series.mean()) / deviation
    return np.asarray(mean_s * _activity(samples, rng) + beat_to_beat)


def _activity(samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Rest and effort: a factor about 1 that changes within a minute or so."""
    knots = np.arange(0.0, samples + 2 * _ACTIVITY_S * RATE_HZ, _ACTIVITY_S * RATE_HZ)
    values = rng.normal(1.0, 0.12, size=len(knots))
    return np.asarray(np.interp(np.arange(samples), knots, values))


def _peak(frequency: NDArray[np.float64], centre_hz: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-((frequency - centre_hz) ** 2) / (2 * _WIDTH_HZ**2)))
