"""Noise added to an ECG at a signal-to-noise ratio, as the noise stress test `nst` of the WFDB software defines it.

For each lead, SNR = 10 log10(S / N) dB. S is A^2 / 8, the power of a sine wave whose peak-to-peak amplitude is A: the
QRS complex's, measured from 50 ms before to 50 ms after each of the first 300 normal beats, the mean without the
5 % smallest and the 5 % largest. N is the square of the noise's amplitude: in each of its first 300 seconds the root
mean square about that second's mean, again the mean without the 5 % smallest and largest. Baseline wander slower
than a second therefore counts little. Each lead gets the gain that its own S and N ask for. Unlike `nst`, which leaves
the first five minutes and every other two minutes clean, the noise here is added to all of the signal.

Moody, Muldrow and Mark, A noise stress test for arrhythmia detectors, Computers in Cardiology 11:381-384, 1984; the
manual pages nst(1) and sigamp(1) of the WFDB Applications Guide.
"""

import math
from pathlib import Path
from typing import Final

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfiltfilt

from pipeline.ecg.resampling import resampled
from pipeline.ecg.synthetic import noise as synthetic
from pipeline.errors import UserError

Signal = NDArray[np.float64]

_MOST_MEASUREMENTS: Final = 300
_QRS_REACH_S: Final = 0.05
_MOTION_EVERY_S: Final = 1.5
_MOTION_DECAY_S: Final = (0.1, 0.8)
_MOTION_BAND_HZ: Final = (0.5, 15.0)


def qrs_amplitude(ecg: Signal, normal_beats: NDArray[np.int64], fs_hz: float) -> Signal:
    """The trimmed mean of the QRS complexes' peak-to-peak amplitude in each lead, in the unit of `ecg`.

    Args:
        ecg: (n_samples, n_leads).
        normal_beats: (k,) samples of annotated normal beats; those nearer than 50 ms to an end are passed over.

    Raises ValueError when no beat is left to measure.
    """
    reach = max(1, round(_QRS_REACH_S * fs_hz))
    inside = normal_beats[(normal_beats >= reach) & (normal_beats < len(ecg) - reach)][:_MOST_MEASUREMENTS]
    if not len(inside):
        raise ValueError("no normal beat with 50 ms of signal on both sides to measure the QRS amplitude by")
    windows = ecg[inside[:, None] + np.arange(-reach, reach + 1)]
    return _trimmed_mean(np.ptp(windows, axis=1))


def noise_amplitude(noise: Signal, fs_hz: float) -> Signal:
    """The trimmed mean of the root mean square of each second of `noise` about its mean, by lead.

    Args:
        noise: (n_samples, n_leads), at least a second.

    Raises ValueError when there is less than a second.
    """
    second = round(fs_hz)
    n_seconds = min(len(noise) // second, _MOST_MEASUREMENTS)
    if not n_seconds:
        raise ValueError(f"{len(noise)} samples of noise at {fs_hz:g} Hz; a second is needed to measure it")
    return _trimmed_mean(noise[: n_seconds * second].reshape(n_seconds, second, -1).std(axis=1))


def snr_db(ecg: Signal, noise: Signal, normal_beats: NDArray[np.int64], fs_hz: float) -> Signal:
    """The signal-to-noise ratio of each lead, (n_leads,) dB.

    Args:
        ecg: (n_samples, n_leads) clean signal.
        noise: (n_samples, n_leads) what is added to it, in the same unit.
        normal_beats: (k,) samples of annotated normal beats.
    """
    power = qrs_amplitude(ecg, normal_beats, fs_hz) ** 2 / 8
    return np.asarray(10 * np.log10(power / noise_amplitude(noise, fs_hz) ** 2))


def add_noise(
    ecg: Signal, noise: Signal, normal_beats: NDArray[np.int64], wanted_snr_db: float, fs_hz: float
) -> Signal:
    """The signal with the noise at the wanted signal-to-noise ratio in each lead.

    Args:
        ecg: (n_samples, n_leads) clean signal.
        noise: (n_samples, n_noises) in any unit; where there are fewer noises than leads, they are used in turn.
        normal_beats: (k,) samples of annotated normal beats.
        wanted_snr_db: 24 dB is slight, 0 dB drowns the P waves, -6 dB is the worst that the NSTDB has.

    Returns:
        (n_samples, n_leads), in the unit of `ecg`.

    Raises ValueError when lengths differ, a lead or a noise is flat, or there is nothing to measure.
    """
    if len(ecg) != len(noise):
        raise ValueError(f"{len(noise)} samples of noise for {len(ecg)} of signal; they must be as many")
    paired = noise[:, np.arange(ecg.shape[1]) % noise.shape[1]]
    level = noise_amplitude(paired, fs_hz)
    heights = qrs_amplitude(ecg, normal_beats, fs_hz)
    if not (level > 0).all() or not (heights > 0).all():
        raise ValueError("a flat lead or a flat noise has no signal-to-noise ratio")
    gain = heights / np.sqrt(8) / level * 10 ** (-wanted_snr_db / 20)
    return np.asarray(ecg + gain * (paired - paired.mean(axis=0)))


def muscle_noise(samples: int, fs_hz: int, seed: int) -> Signal:
    """Muscle noise of two leads, (samples, 2), about 1 mV root mean square: 5 to 90 Hz, swelling and fading."""
    return synthetic.muscle(1.0, samples, fs_hz, np.random.default_rng(seed))


def electrode_motion_noise(samples: int, fs_hz: int, seed: int) -> Signal:
    """Noise of moving electrodes on two leads, (samples, 2), of 1 mV root mean square.

    Jumps of random height, one every second and a half, each of which fades within tenths of a second; between 0.5
    and 15 Hz, where it can be mistaken for ectopic beats. Half of each lead's jumps are the other's too.
    """
    random = np.random.default_rng(seed)
    jumps = (random.random((samples, 3)) < 1 / (_MOTION_EVERY_S * fs_hz)) * random.laplace(size=(samples, 3))
    mixed = jumps[:, :2] + jumps[:, 2:] * random.choice([-1.0, 1.0], size=2)
    faded = np.zeros_like(mixed)
    for decay_s in _MOTION_DECAY_S:
        keep = np.exp(-1 / (decay_s * fs_hz))
        faded += lfilter([1.0], [1.0, -keep], mixed, axis=0)
    wobble = np.asarray(random.normal(scale=0.5, size=(samples, 2)))
    band = butter(2, _MOTION_BAND_HZ, btype="bandpass", fs=fs_hz, output="sos")
    moved = np.asarray(sosfiltfilt(band, faded + wobble, axis=0))
    return np.asarray(moved / np.maximum(moved.std(axis=0), 1e-12))


def read_noise(folder: Path, name: str, start_s: float, seconds: float, fs_hz: float) -> Signal:
    """A window of a WFDB noise record, such as `bw`, `em` and `ma` of the MIT-BIH Noise Stress Test Database.

    Args:
        folder: Holds `<name>.hea` and its signal file; no annotations are needed.
        start_s, seconds: The window.
        fs_hz: The rate that is wanted; the record is resampled where its own is another.

    Returns:
        (round(seconds * fs_hz), n_noises) in the record's physical unit, mV unless it says otherwise.

    Raises:
        UserError: the record is missing, cannot be read or ends before the window does.
    """
    header = folder / f"{name}.hea"
    try:
        own_hz = float(wfdb.rdheader(str(folder / name)).fs)
        first, wanted = round(start_s * own_hz), round(seconds * fs_hz)
        # Up to where the last wanted sample lies, which floats may place a trifle before a whole number.
        last = first + math.floor(round((wanted - 1) * own_hz / fs_hz, 6)) + 1
        window = wfdb.rdrecord(str(folder / name), sampfrom=first, sampto=last).p_signal.astype(np.float64)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename or header}: not found; restore the noise record from its source") from error
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise UserError(
            f"{header}: no noise from {start_s:g} s to {start_s + seconds:g} s ({' '.join(str(error).split())}); "
            "choose a window inside the record"
        ) from error
    if own_hz != fs_hz:
        # In units of the wanted rate, which need not be whole.
        window = resampled(window, own_hz / fs_hz, 1)
    return np.asarray(window[:wanted], dtype=np.float64)


def _trimmed_mean(values: Signal) -> Signal:
    """The mean of (n, n_leads) without the 5 % smallest and the 5 % largest of each lead."""
    cut = len(values) // 20
    return np.asarray(np.sort(values, axis=0)[cut : len(values) - cut].mean(axis=0))
