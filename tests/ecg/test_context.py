"""The inputs of a network that reads context: invariances, edges, and blocks that cover a recording."""

import numpy as np
import pytest

from pipeline.ecg.context import CHANNELS, RHYTHM_FEATURES, blocks, context_inputs
from pipeline.ecg.windows import WINDOW_SAMPLES


@pytest.fixture
def recording():
    """Forty beats that differ, 0.8 s apart but for one that comes early."""
    rng = np.random.default_rng(1)
    shape = np.exp(-(((np.arange(WINDOW_SAMPLES) - 48) / 4) ** 2))
    leads = np.stack([shape, -0.5 * shape])
    windows = (leads + rng.normal(0, 0.02, (40, 2, WINDOW_SAMPLES))).astype(np.float32)
    times = np.arange(40) * 0.8
    times[20] -= 0.24
    return windows, times


@pytest.mark.parametrize("gain", [0.5, 2.0, -1.0])
def test_neither_gain_nor_polarity_nor_offset_matters(recording, gain):
    windows, times = recording
    plain, changed = context_inputs(windows, times), context_inputs(gain * windows + 0.3, times)
    np.testing.assert_allclose(changed.beats, plain.beats, atol=1e-4)
    np.testing.assert_allclose(changed.rhythm, plain.rhythm, atol=1e-4)


def test_the_larger_deflection_points_up_at_the_typical_amplitude(recording):
    inputs = context_inputs(*recording)
    typical = np.median(inputs.beats, axis=0)
    np.testing.assert_allclose(np.ptp(typical[:, :2], axis=0), 1, atol=0.02)
    assert (typical[48, :2] > 0.8).all()
    assert np.abs(typical[:, 2:]).max() < 0.02


def test_an_early_beat_stands_out_in_its_rhythm(recording):
    rhythm = context_inputs(*recording).rhythm
    named = dict(zip(RHYTHM_FEATURES, rhythm[20], strict=True))
    expected = 2 * np.log(0.56 / 0.8)
    for name in ("rr_prev_rel_record", "rr_prev_rel_around", "rr_prev_rel_prev"):
        assert named[name] == pytest.approx(expected, abs=1e-5)
    assert named["rr_next_rel_record"] == pytest.approx(2 * np.log(1.04 / 0.8), abs=1e-5)
    assert np.abs(rhythm[10, :7]).max() < 1e-6


def test_a_missing_lead_is_zeros(recording):
    windows, times = recording
    windows[:, 1] = 0
    inputs = context_inputs(windows, times)
    assert not inputs.beats[..., [1, 3]].any()
    assert not inputs.rhythm[:, [RHYTHM_FEATURES.index("likeness_record_1")]].any()


@pytest.mark.parametrize("n_beats", [0, 1, 2])
def test_few_beats_give_finite_inputs(n_beats):
    windows = np.ones((n_beats, 2, WINDOW_SAMPLES), np.float32)
    inputs = context_inputs(windows, np.arange(n_beats) * 0.8)
    assert inputs.beats.shape == (n_beats, WINDOW_SAMPLES, CHANNELS)
    assert inputs.rhythm.shape == (n_beats, len(RHYTHM_FEATURES))
    assert np.isfinite(inputs.beats).all()
    assert np.isfinite(inputs.rhythm).all()


@pytest.mark.parametrize("n_beats", [0, 1, 640, 641, 703, 704, 1152, 1153, 5000])
def test_blocks_keep_every_beat_once_and_give_it_neighbours(n_beats):
    found = blocks(n_beats)
    assert [place for block in found for place in range(block.keep_from, block.keep_to)] == list(range(n_beats))
    for block in found:
        assert 0 <= block.start <= block.keep_from <= block.keep_to <= block.stop <= n_beats
        assert block.start == 0 or block.keep_from - block.start >= 64
        assert block.stop == n_beats or block.stop - block.keep_to >= 64
        assert block.stop - block.start <= 640
