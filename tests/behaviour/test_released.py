"""How the released model behaves: what must not change its calls, and which way a change must move them."""

import numpy as np
import pytest

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.recordings import Signal, read_beat_samples, read_signal
from pipeline.ecg.synthetic import write_records
from pipeline.scoring.network import load_network
from pipeline.scoring.score import View, score_recording


@pytest.fixture(scope="module", params=["kaggle", "interpatient"])
def network(request, pytestconfig):
    return load_network(pytestconfig.rootpath / "models" / "released" / request.param / "model.onnx", 1)


@pytest.fixture(scope="module")
def ecg(tmp_path_factory):
    """A generated recording of three minutes with normal and ectopic beats, and without a pacemaker."""
    folder = tmp_path_factory.mktemp("behaviour")
    write_records(folder, ["x301"], 3.0, 1)
    signal = read_signal(folder / "x301")
    return signal, read_beat_samples(folder / "x301", "atr", signal)


def calls(network, signal, beats, millivolts=None):
    shown = signal if millivolts is None else Signal(signal.name, signal.fs_hz, millivolts.astype(np.float32))
    return score_recording(network, shown, beats).predicted.to_numpy()


@pytest.mark.parametrize("gains", [(0.5, 0.5), (2, 2), (0.5, 2), (-1, -1), (-1, 1), (1, -1)])
def test_gain_and_polarity_leave_the_calls_as_they_are(network, ecg, gains):
    signal, beats = ecg
    before = calls(network, signal, beats)
    assert len(set(before)) > 1
    assert (calls(network, signal, beats, signal.millivolts * np.array(gains)) == before).mean() >= 0.99


def test_an_offset_leaves_the_calls_as_they_are(network, ecg):
    signal, beats = ecg
    assert (calls(network, signal, beats, signal.millivolts + 1.5) == calls(network, signal, beats)).mean() >= 0.99


@pytest.mark.parametrize("network", ["interpatient"], indirect=True)
def test_swapped_leads_leave_most_calls_as_they_are(network, ecg):
    """Of the model for new patients; kaggle's knows its patients' electrodes, and is trained with them as they are."""
    signal, beats = ecg
    assert (calls(network, signal, beats, signal.millivolts[:, ::-1]) == calls(network, signal, beats)).mean() >= 0.95


def test_a_normal_beat_that_comes_30_percent_early_is_more_probably_s(network):
    """A regular recording of one shape, in which one beat moves with its waveform."""
    fs_hz, period = 360.0, 300
    early = 40

    def p_s(share):
        beats = period * np.arange(1, 81)
        beats[early] -= round(share * period)
        time = np.arange(beats[-1] + 2 * period)
        ecg = np.zeros(len(time))
        for beat in beats:
            for offset, width, height in ((-65, 12, 0.12), (0, 5, 1.2), (9, 5, -0.25), (95, 25, 0.3)):
                ecg += height * np.exp(-(((time - beat - offset) / width) ** 2) / 2)
        signal = Signal("regular", fs_hz, np.stack([ecg, 0.6 * ecg], axis=1).astype(np.float32))
        scored = score_recording(network, signal, beats)
        return scored.predicted[early], float(scored[f"p_{CLASSES[1]}"][early])

    (on_time, before), (_, after) = p_s(0), p_s(0.3)
    assert on_time == "N"
    assert after > before
    assert after > 0.01


def test_streaming_does_not_see_samples_after_the_look_ahead(network, ecg):
    signal, beats = ecg
    view = View(history=30, look_ahead=4)
    known = len(beats) // 2
    altered = signal.millivolts.copy()
    altered[beats[known] + round(0.8 * signal.fs_hz) :] = 3.0
    columns = [f"p_{name}" for name in CLASSES]
    before = score_recording(network, signal, beats, view)[columns].to_numpy()
    after = score_recording(network, Signal(signal.name, signal.fs_hz, altered), beats, view)[columns].to_numpy()
    decided = known - view.look_ahead + 1
    np.testing.assert_array_equal(after[:decided], before[:decided])
