"""Read in pieces, a recording gives the same as in one, and memory does not grow with its length."""

import subprocess
import sys

import numpy as np
import pytest
import wfdb

from pipeline.ecg.context import blocks, context_in_pieces, context_inputs, joined, usual_beat, usual_beats
from pipeline.ecg.formats import open_recording
from pipeline.ecg.recordings import Signal, read_beat_samples, read_signal
from pipeline.ecg.resampling import resampled, resampled_length, resampled_pieces
from pipeline.ecg.windows import beat_windows, windows_in_pieces
from pipeline.scoring import pieces, score
from pipeline.scoring.pieces import detected, held
from pipeline.scoring.score import View, score_recording


@pytest.fixture(scope="module")
def ecg(ecg_folder):
    signal = read_signal(ecg_folder / "106")
    return signal, read_beat_samples(ecg_folder / "106", "atr", signal)


def cut(values, size):
    return [values[start : start + size] for start in range(0, len(values), size)]


@pytest.mark.parametrize("fs_hz", [360.0, 250.0, 128.0, 120.0, 100.0, 50.0, 1000.0, 250.5])
@pytest.mark.parametrize("size", [1, 700, 43_199])
def test_resampling_is_the_same_to_the_last_bit(ecg, fs_hz, size):
    lead = ecg[0].millivolts[:: 30 if size == 1 else 1]
    whole = resampled(lead, fs_hz, 120)
    np.testing.assert_array_equal(np.concatenate(list(resampled_pieces(cut(lead, size), fs_hz, 120))), whole)
    assert resampled_length(len(lead), fs_hz, 120) == len(whole)


@pytest.mark.parametrize("fs_hz", [360.0, 250.0, 240.0])
@pytest.mark.parametrize("size", [500, 5_000, 40_000])
def test_windows_are_the_same_to_the_last_bit(ecg, fs_hz, size):
    signal, beats = ecg
    beats = np.concatenate([[0], beats, [len(signal.millivolts) - 1]])
    found = list(windows_in_pieces(cut(signal.millivolts, size), len(signal.millivolts), fs_hz, beats))
    np.testing.assert_array_equal(np.concatenate(found), beat_windows(signal.millivolts, fs_hz, beats))
    assert len(found) > 1


def test_context_is_the_same_to_the_last_bit(ecg):
    signal, beats = ecg
    windows, times_s = beat_windows(signal.millivolts, 360.0, beats), beats / 360
    whole = context_inputs(windows, times_s)
    for size in (1, 17, 1000):
        found = joined(list(context_in_pieces(cut(windows, size), times_s, usual_beat(windows))))
        np.testing.assert_array_equal(found.beats, whole.beats)
        np.testing.assert_array_equal(found.rhythm, whole.rhythm)


def test_the_usual_beat_is_of_all_beats_up_to_some_hours():
    assert [usual_beats(n).step for n in (1, 3_400, 16_384, 16_385, 100_000)] == [1, 1, 1, 2, 7]
    assert all(len(range(n)[usual_beats(n)]) <= 16_384 for n in range(1, 1_000_000, 997))


def test_a_hold_crosses_pieces():
    lead = np.array([[np.nan, 1], [2, np.nan], [np.nan, np.nan]], np.float32)
    first = held(lead[:2])
    np.testing.assert_array_equal(held(lead[2:], first[-1]), held(lead)[2:])


def long(ecg, times=9):
    """The same two minutes again and again."""
    signal, beats = ecg
    n_samples = len(signal.millivolts)
    millivolts = np.tile(signal.millivolts, (times, 1))
    return Signal("long", 360.0, millivolts), np.concatenate([beats + i * n_samples for i in range(times)])


@pytest.mark.parametrize("view", [None, View(30, 4)])
@pytest.mark.parametrize("size", [10_007, 2**20])
def test_scores_do_not_depend_on_the_pieces(network, ecg, monkeypatch, size, view):
    signal, beats = long(ecg)
    expected = score_recording(network, signal, beats, view)
    monkeypatch.setattr(pieces, "PIECE_SAMPLES", size)
    found = score_recording(network, signal, beats, view)
    np.testing.assert_array_equal(found.filter(like="p_"), expected.filter(like="p_"))


def test_scores_are_those_of_evaluation(network, ecg):
    """Blocks of 640 beats with 64 on each side, whose inputs know the whole recording."""
    signal, beats = long(ecg)
    assert len(beats) > 1200
    whole = context_inputs(beat_windows(signal.millivolts, 360.0, beats), beats / 360)
    expected = np.empty((len(beats), 5), np.float32)
    for block in blocks(len(beats)):
        piece = slice(block.start, block.stop)
        judged = network.probabilities([type(whole)(whole.beats[piece], whole.rhythm[piece])])[0]
        expected[block.keep_from : block.keep_to] = judged[block.keep_from - block.start : block.keep_to - block.start]
    scored = score_recording(network, signal, beats).filter(like="p_")
    np.testing.assert_array_equal(scored, expected)
    np.testing.assert_allclose(scored, network.probabilities([whole])[0], atol=0.01)


def test_streaming_in_sections_is_streaming(network, ecg, monkeypatch):
    signal, beats = long(ecg, 3)
    expected = score_recording(network, signal, beats, View(30, 4)).filter(like="p_")
    monkeypatch.setattr(score, "_SECTION_BEATS", 50)
    found = score_recording(network, signal, beats, View(30, 4)).filter(like="p_")
    # Other batch sizes may round the last bit differently.
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_second_pass_only_differs_in_what_is_usual(network, ecg, monkeypatch):
    signal, beats = long(ecg, 3)
    expected = score_recording(network, signal, beats).filter(like="p_")
    monkeypatch.setattr("pipeline.ecg.context._USUAL_BEATS", len(beats) // 2)
    found = score_recording(network, signal, beats).filter(like="p_")
    assert np.abs(found.to_numpy() - expected.to_numpy()).mean() < 0.05


def test_detection_in_stretches_finds_the_same_beats(ecg, monkeypatch):
    signal, _ = long(ecg, 4)
    expected = detected(signal)
    monkeypatch.setattr(pieces, "DETECTED_AT_ONCE", 50_000)
    found = detected(signal)
    assert (np.diff(found) > 0).all()
    near = [np.abs(expected - beat).min() <= 10 for beat in found]
    assert np.mean(near) > 0.98
    assert abs(len(found) - len(expected)) <= 0.02 * len(expected)


@pytest.mark.parametrize("fmt", ["8", "16", "24", "32", "80", "160", "212", "310", "311", "516"])
def test_every_format_is_read_in_pieces(tmp_path, fmt):
    rng = np.random.default_rng(0)
    most = 100 if fmt == "80" else 400
    adu = np.clip(np.cumsum(rng.integers(-9, 10, (3001, 3)), axis=0), -most, most)
    write = {"fmt": ["16" if fmt == "8" else fmt] * 3}
    try:
        wfdb.wrsamp("r", 360, ["mV"] * 3, ["a", "b", "c"], d_signal=adu, adc_gain=[200] * 3, baseline=[0] * 3,
                    write_dir=str(tmp_path), **write)  # fmt: skip
    except Exception:
        pytest.skip(f"wfdb does not write format {fmt}")
    if fmt == "8":
        differences = np.diff(adu, axis=0, prepend=np.zeros((1, 3), int)).astype("int8")
        (tmp_path / "r.dat").write_bytes(differences.tobytes())
        text = (tmp_path / "r.hea").read_text().splitlines()
        lines = [line.split() for line in text[1:]]
        for line in lines:
            line[1], line[5] = "8", "0"
        (tmp_path / "r.hea").write_text("\n".join([text[0], *(" ".join(line) for line in lines)]) + "\n")
    recording = open_recording(tmp_path / "r")
    found = [recording.read(start, min(start + 1000, recording.n_samples)) for start in range(0, 3001, 1000)]
    np.testing.assert_allclose(np.concatenate(found), adu[:, :2] / 200, atol=1e-6)


@pytest.mark.slow
def test_memory_stays_within_bounds_for_a_day(model_file, tmp_path):
    """Two leads at 360 Hz with a beat each 0.8 s."""
    hours, minute = 24, 21_600
    beat = np.exp(-(((np.arange(288) - 100) / 6) ** 2)) * 200
    adu = np.stack([np.tile(beat, minute // 288), np.tile(-beat, minute // 288)], axis=1).astype("<i2")
    with (tmp_path / "day.dat").open("wb") as file:
        for _ in range(60 * hours):
            file.write(adu.tobytes())
    n_samples = minute * 60 * hours
    line = "day.dat 16 200 16 0 0 0 0 lead"
    (tmp_path / "day.hea").write_text(f"day 2 360 {n_samples}\n{line}\n{line}\n")
    samples = np.arange(100, n_samples, 288)
    wfdb.wrann("day", "atr", samples, symbol=["N"] * len(samples),
               write_dir=str(tmp_path))  # fmt: skip
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipeline.cli import main\n"
        f"sys.argv = ['heartbeat', 'score', '--model', {str(model_file)!r}, '--annotator', 'atr', '--workers', '1', "
        f"'--out', {str(tmp_path / 'out')!r}, {str(tmp_path / 'day')!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        # Not ru_maxrss, which a process inherits from the one that started it.
        "peak = next(line for line in Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM'))\n"
        "print(int(peak.split()[1]) / 1024)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(ended.stdout.splitlines()[-1]) < 1024
