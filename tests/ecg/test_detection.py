"""Beats are found where they are annotated; recordings without any give none."""

import numpy as np
import pytest
from wfdb.processing import XQRS

from pipeline.ecg.detection import detect_beats
from pipeline.ecg.recordings import read_beat_samples, read_signal
from pipeline.ecg.synthetic import write_records


@pytest.fixture(scope="module")
def ecg(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ecg")
    write_records(folder, ["101"], 1.0, 3)
    signal = read_signal(folder / "101")
    return signal, read_beat_samples(folder / "101", "atr", signal)


def matched(found, beats, reach):
    return np.mean([np.abs(found - beat).min() <= reach for beat in beats])


def test_annotated_beats_are_found(ecg):
    signal, beats = ecg
    found = detect_beats(signal.millivolts, signal.fs_hz)
    assert found.dtype == np.int64
    assert (np.diff(found) > 0).all()
    assert matched(beats, found, reach=7) == 1
    # XQRS overlooks a beat now and then.
    assert matched(found, beats, reach=7) > 0.9


def test_a_dead_first_lead_is_passed_over(ecg):
    signal, beats = ecg
    swapped = np.stack([np.zeros(len(signal.millivolts)), signal.millivolts[:, 0]], axis=1).astype(np.float32)
    assert matched(detect_beats(swapped, signal.fs_hz), beats, reach=7) > 0.9


@pytest.mark.parametrize("samples", [1, 10, 719, 720, 1000])
@pytest.mark.parametrize("kind", ["flat", "noise", "spike"])
def test_there_may_be_nothing_to_find(samples, kind):
    signal = np.zeros((samples, 1), np.float32)
    if kind == "noise":
        signal += np.random.default_rng(0).normal(size=signal.shape).astype(np.float32)
    if kind == "spike":
        signal[samples // 2] = 1
    found = detect_beats(signal, 360.0)
    assert len(found) <= 10
    assert ((found >= 0) & (found < samples)).all()


@pytest.mark.parametrize("fs_hz", [50.0, 62.5, 128.0, 500.0, 1000.0, 2000.0, 10_000.0])
def test_any_rate(fs_hz):
    time_s = np.arange(round(30 * fs_hz)) / fs_hz
    signal = sum(np.exp(-0.5 * ((time_s - beat) / 0.015) ** 2) for beat in np.arange(0.5, 30))
    found = detect_beats(signal[:, None].astype(np.float32), fs_hz)
    assert matched(found / fs_hz, np.arange(1.5, 29), reach=0.03) > 0.9
    assert matched(np.arange(1.5, 29), found / fs_hz, reach=0.03) > 0.9


def test_a_beat_at_the_end_stays_inside():
    time_s = np.arange(20_001) / 2000
    signal = sum(np.exp(-0.5 * ((time_s - beat) / 0.015) ** 2) for beat in np.arange(0.5, 11, 0.95))
    found = detect_beats(signal[:, None].astype(np.float32), 2000.0)
    assert found[-1] >= 19_900
    assert found[-1] <= 20_000


def test_what_is_too_small_for_a_beat_is_looked_back_at_once(monkeypatch):
    looked_at = []
    is_qrs = XQRS._is_qrs

    def noted(self, peak_num, backsearch=False):
        looked_at.append(peak_num)
        return is_qrs(self, peak_num, backsearch)

    monkeypatch.setattr(XQRS, "_is_qrs", noted)
    time_s = np.arange(300 * 360) / 360
    signal = sum(np.exp(-0.5 * ((time_s - beat) / 0.015) ** 2) for beat in np.arange(0.5, 30))
    signal += 0.01 * np.random.default_rng(0).normal(size=len(signal))
    assert len(detect_beats(signal[:, None].astype(np.float32), 360.0)) == 30
    assert len(looked_at) <= 2 * len(set(looked_at))
