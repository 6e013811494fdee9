"""In streaming, nothing beyond the look-ahead can reach an earlier beat's output."""

import numpy as np
import pytest

from pipeline.ecg.context import context_inputs
from pipeline.ecg.recordings import Signal, read_beat_samples, read_signal
from pipeline.ecg.windows import AFTER_SAMPLES, WINDOW_RATE_HZ, beat_windows
from pipeline.scoring.pieces import held
from pipeline.scoring.score import View, score_recording, stream_scores

VIEW = View(history=30, look_ahead=4)
FILTER_REACH_S = 10 / WINDOW_RATE_HZ
"""Half the length of the filter of `scipy.signal.resample_poly`, ten samples at the lower rate, on each side."""


@pytest.fixture(scope="module")
def ecg(ecg_folder):
    signal = read_signal(ecg_folder / "208")
    return signal, read_beat_samples(ecg_folder / "208", "atr", signal)


def output(network, signal, beats, view=VIEW):
    return score_recording(network, signal, beats, view).filter(like="p_").to_numpy()


def test_outputs_do_not_see_past_the_look_ahead(network, ecg):
    signal, beats = ecg
    before = output(network, signal, beats)
    for beat in (0, 10, 60, 100):
        last = beats[beat + VIEW.look_ahead]
        seen = last + int(np.ceil((AFTER_SAMPLES / WINDOW_RATE_HZ + FILTER_REACH_S) * signal.fs_hz))
        for replacement in (50.0, np.nan):
            altered = signal.millivolts.copy()
            altered[seen:] = replacement
            after = output(network, Signal(signal.name, signal.fs_hz, altered), beats)
            np.testing.assert_array_equal(after[: beat + 1], before[: beat + 1])
            assert not np.array_equal(after[beat + 1 :], before[beat + 1 :])


def test_outputs_do_not_see_later_beats(network, ecg):
    signal, beats = ecg
    whole = output(network, signal, beats)
    for known in (10, 50, 100):
        decided = known - VIEW.look_ahead
        moved = np.concatenate([beats[:known], beats[known:] + 40])
        np.testing.assert_array_equal(output(network, signal, moved)[:decided], whole[:decided])
        # As if the recording had only got that far; other batch sizes may round the last bit differently.
        np.testing.assert_allclose(output(network, signal, beats[:known])[:decided], whole[:decided], atol=1e-6)


def test_offline_does_see_later_samples(network, ecg):
    signal, beats = ecg
    altered = signal.millivolts.copy()
    altered[beats[100] :] *= np.sin(np.arange(len(altered) - beats[100]))[:, None]
    offline = [output(network, Signal("208", 360.0, mv), beats, None) for mv in (signal.millivolts, altered)]
    assert not np.array_equal(offline[0][:50], offline[1][:50])


def test_each_beat_is_the_network_on_its_piece(network, ecg):
    signal, beats = ecg
    windows, times_s = beat_windows(held(signal.millivolts), 360.0, beats), beats / 360
    found = stream_scores(network, windows, times_s, VIEW)
    for beat in (0, 3, 30, 31, 77, len(beats) - 2, len(beats) - 1):
        piece = slice(max(0, beat - VIEW.history), beat + VIEW.look_ahead + 1)
        alone = network.probabilities([context_inputs(windows[piece], times_s[piece])])[0]
        np.testing.assert_allclose(found[beat], alone[beat - piece.start], atol=1e-6)


def test_a_view_of_everything_is_offline(network, ecg):
    signal, beats = ecg
    everything = View(history=len(beats), look_ahead=len(beats))
    np.testing.assert_allclose(
        output(network, signal, beats, everything), output(network, signal, beats, None), atol=1e-6
    )


@pytest.mark.parametrize("n_beats", [0, 1, 3])
def test_a_few_beats(network, ecg, n_beats):
    signal, beats = ecg
    assert output(network, signal, beats[:n_beats]).shape == (n_beats, 5)
