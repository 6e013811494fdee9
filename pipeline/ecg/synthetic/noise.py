"""What a recording adds to the heart's signal: wander, muscle, mains, artefacts."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from pipeline.ecg.synthetic.patient import Noise

Signal = NDArray[np.float64]


def wander(noise: Noise, breathing_hz: float, samples: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    """The baseline z0 of both leads, shape (samples, 2), in mV: breathing and slower drifts."""
    time_s = np.arange(samples) / fs_hz
    result = np.zeros((samples, 2))
    for lead in range(2):
        for frequency in (breathing_hz, *rng.uniform(0.01, 0.12, size=4)):
            height = noise.wander_mv * rng.uniform(0.4, 1.0)
            phase = rng.uniform(0, 2 * np.pi)
            result[:, lead] += height * np.sin(2 * np.pi * frequency * time_s + phase)
    return result


def disturbance(noise: Noise, samples: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    """Muscle and mains noise and fibrillating atria, shape (samples, 2), in mV."""
    time_s = np.arange(samples) / fs_hz
    result = muscle(noise.muscle_mv, samples, fs_hz, rng)
    for lead in range(2):
        mains = noise.mains_mv * rng.uniform(0.3, 1.7)
        turn = 2 * np.pi * noise.mains_hz * time_s + rng.uniform(0, 2 * np.pi)
        result[:, lead] += mains * (np.sin(turn) + 0.2 * np.sin(3 * turn))
    if noise.flutter_mv:
        result += noise.flutter_mv * _fibrillation(time_s, rng)[:, None] * np.array([0.8, 1.2])
    return result


def muscle(height_mv: float, samples: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    """Muscle noise, shape (samples, 2), in mV: it swells and fades over some seconds, with a few strong bursts."""
    high_hz = min(90.0, 0.45 * fs_hz)
    band = butter(2, [5.0, high_hz], btype="bandpass", fs=fs_hz, output="sos")
    result = np.asarray(sosfiltfilt(band, rng.normal(size=(samples, 2)), axis=0))
    result *= height_mv / np.maximum(np.std(result, axis=0), 1e-9)
    knots = np.arange(0, samples + 10 * fs_hz, 5 * fs_hz)
    level = rng.lognormal(-0.1, 0.45, size=len(knots))
    level[rng.random(len(knots)) < 0.04] *= 3.0
    envelope = np.interp(np.arange(samples), knots, level)
    return np.asarray(result * envelope[:, None] * rng.uniform(0.7, 1.4, size=2))


def bury(signal: Signal, beat_s: float, fs_hz: int, rng: np.random.Generator) -> None:
    """Add, in place, an electrode artefact that makes the beat at `beat_s` unreadable."""
    start = max(0, int((beat_s - 0.4) * fs_hz))
    length = min(int(0.9 * fs_hz), len(signal) - start)
    steps = np.cumsum(rng.normal(0, 1, size=(length, 2)), axis=0)
    steps -= np.linspace(0, 1, length)[:, None] * steps[-1]
    height = rng.uniform(1.0, 2.5) / max(float(np.abs(steps).max()), 1e-9)
    signal[start : start + length] += height * steps + rng.normal(0, 0.15, size=(length, 2))


def add_spike(signal: Signal, sample: int, height_mv: float, leads: tuple[float, float], fs_hz: int) -> None:
    """Add, in place, a pacemaker's spike of 2 ms and the amplifier's recovery from it.

    `leads` is the spike's height in each lead in units of `height_mv`.
    """
    width = max(1, round(0.002 * fs_hz))
    tail = min(round(0.03 * fs_hz), len(signal) - sample)
    if tail <= width:
        return
    shape = np.zeros(tail)
    shape[:width] = 1.0
    shape[width:] = -0.12 * np.exp(-np.arange(tail - width) / (0.008 * fs_hz))
    signal[sample : sample + tail] += height_mv * shape[:, None] * np.array(leads)


def _fibrillation(time_s: Signal, rng: np.random.Generator) -> Signal:
    """Atrial f waves: a saw tooth of 5 to 7 Hz whose rate and height wander."""
    drift = np.interp(time_s, np.arange(0, time_s[-1] + 2), _walk(int(time_s[-1]) + 3, rng))
    turn = 2 * np.pi * rng.uniform(5.0, 7.0) * time_s + 4.0 * drift
    return (1 + 0.4 * np.tanh(drift)) * (np.sin(turn) + 0.4 * np.sin(2 * turn))


def _walk(steps: int, rng: np.random.Generator) -> Signal:
    return np.asarray(np.cumsum(rng.normal(0, 0.5, size=steps)))
