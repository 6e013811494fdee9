"""Noise at a signal-to-noise ratio: the definition by hand, the ratio measured afterwards, the generators."""

import math

import numpy as np
import pytest
import wfdb

from pipeline.ecg.noise import (
    add_noise,
    electrode_motion_noise,
    muscle_noise,
    noise_amplitude,
    qrs_amplitude,
    read_noise,
    snr_db,
)
from pipeline.errors import UserError

FS_HZ = 360
SECONDS = 60
SAMPLES = SECONDS * FS_HZ
BEATS = np.arange(1, SECONDS) * FS_HZ
GENERATORS = (muscle_noise, electrode_motion_noise)


def ecg_of(*heights_mv: float) -> np.ndarray:
    """A triangle of 60 ms at each beat, a lead for each height."""
    lead = np.zeros(SAMPLES)
    shape = np.bartlett(23)
    for beat in BEATS:
        lead[beat - 11 : beat + 12] = shape
    return lead[:, None] * np.array(heights_mv)


def sine(hz: float, height: float) -> np.ndarray:
    return height * np.sin(2 * np.pi * hz * np.arange(SAMPLES) / FS_HZ)[:, None]


def test_at_0_db_a_sine_is_as_high_as_the_qrs() -> None:
    noisy = add_noise(ecg_of(1.5, 0.5), sine(10, 7.0), BEATS, 0, FS_HZ)
    added = noisy - ecg_of(1.5, 0.5)
    assert np.ptp(added, axis=0) == pytest.approx([1.5, 0.5], rel=1e-3)


@pytest.mark.parametrize("generate", GENERATORS)
@pytest.mark.parametrize("wanted", [24.0, 6.0, 0.0, -6.0])
def test_the_ratio_measured_after_mixing_is_the_one_asked(generate, wanted: float) -> None:
    clean = ecg_of(1.5, 0.5)
    added = add_noise(clean, generate(SAMPLES, FS_HZ, 3), BEATS, wanted, FS_HZ) - clean
    assert snr_db(clean, added, BEATS, FS_HZ) == pytest.approx([wanted, wanted], abs=0.1)


def test_steady_noise_has_the_plain_power_ratio() -> None:
    clean = ecg_of(2.0)
    white = np.random.default_rng(1).normal(size=(SAMPLES, 1))
    added = add_noise(clean, white, BEATS, 6, FS_HZ) - clean
    assert 10 * np.log10(2.0**2 / 8 / added.var()) == pytest.approx(6, abs=0.1)


def test_of_the_beats_only_the_middle_ninety_percent_count() -> None:
    ecg = ecg_of(1.0)
    beats = BEATS[:40]
    ecg[beats[0] - 11 : beats[0] + 12] *= 50
    ecg[beats[1] - 11 : beats[1] + 12] *= 0
    assert qrs_amplitude(ecg, beats, FS_HZ) == pytest.approx([1.0])
    assert qrs_amplitude(ecg, np.concatenate([[3], beats]), FS_HZ) == pytest.approx([1.0])  # too near the start


def test_wander_slower_than_a_second_counts_little() -> None:
    assert noise_amplitude(sine(10, 1.0), FS_HZ) == pytest.approx([np.sqrt(0.5)], rel=1e-3)
    assert noise_amplitude(sine(0.05, 1.0), FS_HZ)[0] < 0.1


def test_noises_are_paired_with_leads_in_turn() -> None:
    clean = ecg_of(1.0, 1.0, 2.0)
    noise = np.hstack([sine(10, 1.0), sine(25, 1.0)])
    added = add_noise(clean, noise, BEATS, 0, FS_HZ) - clean
    assert added[:, 2] == pytest.approx(2 * added[:, 0])
    assert np.corrcoef(added[:, 0], added[:, 1])[0, 1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("noise", "beats", "complaint"),
    [
        (np.ones((SAMPLES - 1, 1)), BEATS, "samples of noise for"),
        (np.ones((SAMPLES, 1)), BEATS, "flat"),
        (sine(10, 1.0), BEATS[:0], "no normal beat"),
    ],
)
def test_what_cannot_be_mixed_is_refused(noise, beats, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        add_noise(ecg_of(1.0), noise, beats, 6, FS_HZ)


@pytest.mark.parametrize("generate", GENERATORS)
def test_a_seed_gives_the_same_noise_and_another_seed_another(generate) -> None:
    first = generate(SAMPLES, FS_HZ, 1)
    assert first.shape == (SAMPLES, 2)
    assert (first == generate(SAMPLES, FS_HZ, 1)).all()
    assert abs(np.corrcoef(first[:, 0], generate(SAMPLES, FS_HZ, 2)[:, 0])[0, 1]) < 0.1


def test_muscle_is_fast_and_motion_is_slow() -> None:
    def share_below_15_hz(noise: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(noise[:, 0])) ** 2
        return power[np.fft.rfftfreq(SAMPLES, 1 / FS_HZ) < 15].sum() / power.sum()

    assert share_below_15_hz(muscle_noise(SAMPLES, FS_HZ, 1)) < 0.25
    assert share_below_15_hz(electrode_motion_noise(SAMPLES, FS_HZ, 1)) > 0.9


@pytest.fixture
def noise_folder(tmp_path):
    """A noise record `em` of ten seconds at 360 Hz: two sines, 5 and 9 Hz, of 1 and 2 mV."""
    time_s = np.arange(10 * FS_HZ) / FS_HZ
    signal = np.stack([np.sin(2 * np.pi * 5 * time_s), 2 * np.sin(2 * np.pi * 9 * time_s)], axis=1)
    wfdb.wrsamp(
        "em", fs=FS_HZ, units=["mV"] * 2, sig_name=["a", "b"], p_signal=signal, fmt=["16"] * 2, write_dir=str(tmp_path)
    )
    return tmp_path, signal


def test_a_window_of_a_noise_record_is_read(noise_folder) -> None:
    folder, signal = noise_folder
    assert read_noise(folder, "em", 2, 3, FS_HZ) == pytest.approx(signal[2 * FS_HZ : 5 * FS_HZ], abs=1e-3)


def test_a_noise_record_of_another_rate_is_resampled(noise_folder) -> None:
    folder, _ = noise_folder
    window = read_noise(folder, "em", 2, 3, 250)
    assert window.shape == (750, 2)
    at_250 = np.sin(2 * np.pi * 5 * (2 + np.arange(750) / 250))
    assert window[50:-50, 0] == pytest.approx(at_250[50:-50], abs=0.02)


@pytest.mark.parametrize("fs_hz", [250, 360, 1000, 128.25])
def test_a_window_has_as_many_samples_as_the_signal(noise_folder, fs_hz) -> None:
    folder, _ = noise_folder
    for samples in (*range(1000, 1006), 9 * int(fs_hz)):
        assert len(read_noise(folder, "em", 0, samples / fs_hz, fs_hz)) == samples
    all_of_it = math.ceil(10 * fs_hz)
    assert len(read_noise(folder, "em", 0, all_of_it / fs_hz, fs_hz)) == all_of_it


def test_a_window_past_the_end_and_a_missing_record_are_named(noise_folder) -> None:
    folder, _ = noise_folder
    with pytest.raises(UserError, match=r"em\.hea: no noise from 8 s to 12 s"):
        read_noise(folder, "em", 8, 4, FS_HZ)
    with pytest.raises(UserError, match=r"ma\.hea: not found"):
        read_noise(folder, "ma", 0, 1, FS_HZ)
