"""Windows centred on the R peak, and RR intervals against their norms."""

import numpy as np
import pytest

from pipeline.ecg.windows import BEFORE_SAMPLES, WINDOW_SAMPLES, beat_windows, rhythm_features

NAN = float("nan")


def peaks(fs_hz, times_s, leads=2, seconds=10):
    """Bumps of 20 ms at the given times, half as high in the second lead."""
    time_s = np.arange(round(seconds * fs_hz))[:, None] / fs_hz
    bumps = np.exp(-0.5 * ((time_s - np.array(times_s)) / 0.02) ** 2).sum(axis=1)
    return (bumps[:, None] * [1.0, 0.5][:leads]).astype(np.float32)


@pytest.mark.parametrize("fs_hz", [62.4, 128, 250, 250.4, 360, 1000])
def test_beat_stands_0_4_s_into_the_window_at_any_rate(fs_hz):
    beats = np.rint([5 * fs_hz, 115 * fs_hz]).astype(np.int64)
    windows = beat_windows(peaks(fs_hz, [5.0, 115.0], seconds=120), fs_hz, beats)
    assert windows.shape == (2, 2, WINDOW_SAMPLES) == (2, 2, 126)
    assert windows.dtype == np.float32
    assert (windows.argmax(axis=2) == BEFORE_SAMPLES).all()
    np.testing.assert_allclose(windows.max(axis=2), [[1.0, 0.5]] * 2, atol=0.03)


def test_missing_second_lead_is_zero():
    windows = beat_windows(peaks(360, [2.0], leads=1), 360, np.array([720]))
    assert windows.shape == (1, 2, 126)
    assert windows[0, 0].any()
    assert not windows[0, 1].any()


def test_further_leads_are_left_out():
    three = np.repeat(peaks(360, [2.0], leads=1), 3, axis=1)
    three[:, 2] = 99
    assert beat_windows(three, 360, np.array([720])).max() < 2


def test_windows_at_the_ends_repeat_the_edge():
    signal = peaks(360, [2.0])
    first, last = beat_windows(signal, 360, np.array([0, len(signal) - 1]))
    assert (first[:, : BEFORE_SAMPLES + 1] == first[:, :1]).all()
    assert (last[:, BEFORE_SAMPLES:] == last[:, -1:]).all()


def test_what_120_hz_cannot_carry_is_filtered_out():
    hum = np.sin(2 * np.pi * 150 * np.arange(3600) / 360).astype(np.float32)
    assert np.abs(beat_windows(np.stack([hum, hum], axis=1), 360, np.array([1800]))).max() < 0.05


def test_no_beats():
    assert beat_windows(peaks(360, [2.0]), 360, np.array([], dtype=np.int64)).shape == (0, 2, 126)


def test_rr_features_by_hand():
    found = rhythm_features(np.array([0, 360, 720, 900, 1260]), 360)
    expected = {
        "rr_prev_s": [NAN, 1, 1, 0.5, 1],
        "rr_next_s": [1, 1, 0.5, 1, NAN],
        "rr_local_s": [NAN, 1, 1, 1, 1],
        "rr_record_s": [1, 1, 1, 1, 1],
        "rr_prev_rel_local": [NAN, 1, 1, 0.5, 1],
        "rr_prev_rel_record": [NAN, 1, 1, 0.5, 1],
        "rr_next_rel_record": [1, 1, 0.5, 1, NAN],
        "rr_next_rel_prev": [NAN, 1, 0.5, 2, NAN],
    }
    assert list(found.columns) == list(expected)
    assert (found.dtypes == np.float32).all()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], np.array(values, dtype=np.float32), err_msg=name)


def test_local_norm_forgets_after_ten_intervals():
    intervals = [2.0] * 10 + [1.0] * 10
    beats = np.concatenate([[0], np.cumsum(intervals)]) * 360
    found = rhythm_features(beats.astype(np.int64), 360)
    assert found.rr_local_s.iloc[10] == 2.0
    assert found.rr_local_s.iloc[15] == 1.5
    assert found.rr_local_s.iloc[20] == 1.0
    assert (found.rr_record_s == 1.5).all()


def test_intervals_are_seconds_at_any_rate():
    assert rhythm_features(np.array([0, 250, 500]), 250).rr_next_s.iloc[0] == 1.0


@pytest.mark.parametrize("n_beats", [0, 1])
def test_too_few_beats_for_an_interval(n_beats):
    found = rhythm_features(np.arange(n_beats), 360)
    assert len(found) == n_beats
    assert found.isna().all(axis=None)
