"""Every beat gets one row, made from the same inputs as in training; odd recordings are no obstacle."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.beats import read_beats, read_lists, write_beats
from pipeline.ecg.context import context_inputs
from pipeline.ecg.recordings import Signal, read_beat_samples, read_signal
from pipeline.ecg.segmentation import segment_record
from pipeline.ecg.windows import beat_windows
from pipeline.errors import UserError
from pipeline.scoring.pieces import held
from pipeline.scoring.score import score_recording

PROBABILITIES = [f"p_{name}" for name in CLASSES]


@pytest.fixture(scope="module")
def ecg(ecg_folder):
    signal = read_signal(ecg_folder / "106")
    return signal, read_beat_samples(ecg_folder / "106", "atr", signal)


def with_signal(signal, millivolts, fs_hz=None):
    return Signal(signal.name, fs_hz or signal.fs_hz, np.asarray(millivolts, np.float32))


def probabilities(frame):
    return frame[PROBABILITIES].to_numpy()


def test_one_row_for_every_beat_with_its_class_and_probabilities(network, ecg):
    signal, beats = ecg
    scored = score_recording(network, signal, beats)
    assert list(scored.columns) == ["record", "sample", "time_s", "predicted", *PROBABILITIES]
    assert (scored.record == "106").all()
    np.testing.assert_array_equal(scored["sample"], beats)
    np.testing.assert_allclose(scored.time_s, beats / 360)
    np.testing.assert_allclose(probabilities(scored).sum(axis=1), 1, atol=1e-5)
    assert scored.predicted.tolist() == [CLASSES[i] for i in probabilities(scored).argmax(axis=1)]
    assert scored.predicted.nunique() > 1


def test_the_inputs_are_those_of_training(network, ecg, ecg_folder, tmp_path):
    signal, beats = ecg
    table = tmp_path / "beats.parquet"
    write_beats(table, [segment_record(ecg_folder, "106")])
    windows = beat_windows(signal.millivolts, signal.fs_hz, beats)
    # The beat table has no row for a beat that no annotation follows; scoring labels it too.
    assert len(windows) == len(read_beats(table, ["sample"])) + 1
    np.testing.assert_array_equal(windows[:-1], read_lists(table, "window"))
    np.testing.assert_array_equal(beats[:-1], read_beats(table, ["sample"])["sample"])

    scored = context_inputs(windows, beats / 360)
    trained = context_inputs(windows[:-1], beats[:-1] / 360)
    # The last beat is part of the record's norms in scoring alone: a median over one beat more.
    assert np.abs(scored.beats[:-1] - trained.beats).mean() < 0.01
    assert np.abs(scored.rhythm[:-2] - trained.rhythm[:-1]).mean() < 0.01
    expected = network.probabilities([trained])[0]
    difference = np.abs(probabilities(score_recording(network, signal, beats))[:-1] - expected)
    assert np.median(difference.max(axis=1)) < 0.02


def test_a_missing_second_lead_is_one_of_zeros(network, ecg):
    signal, beats = ecg
    one = score_recording(network, with_signal(signal, signal.millivolts[:, :1]), beats)
    zeros = score_recording(network, with_signal(signal, signal.millivolts * [1, 0]), beats)
    invalid = score_recording(network, with_signal(signal, signal.millivolts * [1, np.nan]), beats)
    np.testing.assert_array_equal(probabilities(one), probabilities(zeros))
    np.testing.assert_array_equal(probabilities(one), probabilities(invalid))


def test_an_invalid_sample_holds_the_last_valid_one():
    nan = np.nan
    lead = np.array([[nan, 1], [2, nan], [nan, np.inf], [3, 4]], np.float32)
    np.testing.assert_array_equal(held(lead), [[0, 1], [2, 1], [2, 1], [3, 4]])


def test_gaps_change_the_beats_around_them_alone(network, ecg):
    signal, beats = ecg
    gap = signal.millivolts.copy()
    gap[beats[50] - 20 : beats[50] + 30] = np.nan
    scored = score_recording(network, with_signal(signal, gap), beats)
    assert np.isfinite(probabilities(scored)).all()
    clean = probabilities(score_recording(network, signal, beats))
    assert np.abs(probabilities(scored) - clean)[:20].max() < 0.02


@pytest.mark.parametrize("level", [0.0, -5.12])
def test_a_flat_recording_gives_finite_probabilities(network, ecg, level):
    signal, beats = ecg
    scored = score_recording(network, with_signal(signal, np.full_like(signal.millivolts, level)), beats)
    assert np.isfinite(probabilities(scored)).all()


def test_nothing_valid_is_refused(network, ecg):
    signal, beats = ecg
    with pytest.raises(UserError, match="106: no valid sample"):
        score_recording(network, with_signal(signal, np.full_like(signal.millivolts, np.nan)), beats)


@pytest.mark.parametrize("samples", [1, 50, 360])
def test_short_recordings(network, samples):
    signal = Signal("short", 360.0, np.random.default_rng(0).normal(size=(samples, 2)).astype(np.float32))
    assert len(score_recording(network, signal, np.zeros(0, np.int64))) == 0
    assert np.isfinite(probabilities(score_recording(network, signal, np.array([samples // 2])))).all()
    assert np.isfinite(probabilities(score_recording(network, signal, np.array([0, 0, samples - 1])))).all()


def test_no_beats_keep_the_columns(network, ecg):
    signal, beats = ecg
    empty, full = (score_recording(network, signal, each) for each in (beats[:0], beats))
    assert len(empty) == 0
    assert empty.dtypes.equals(full.dtypes)


def test_another_sampling_rate_gives_nearly_the_same(network, ecg):
    signal, beats = ecg
    slower = resample_poly(signal.millivolts, 25, 36, axis=0)
    scored = score_recording(network, with_signal(signal, slower, 250.0), np.rint(beats * 25 / 36).astype(np.int64))
    difference = np.abs(probabilities(scored) - probabilities(score_recording(network, signal, beats)))
    assert np.median(difference.max(axis=1)) < 0.05
