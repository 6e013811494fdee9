"""Recordings as examples: stretches that cover them, beats that do not count, and blocks that join up."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from pipeline.config import ContextConfig, VariationConfig
from pipeline.ecg.context import CHANNELS, RHYTHM_FEATURES, ContextInputs
from pipeline.ecg.windows import WINDOW_SAMPLES
from pipeline.model.architectures import build_context
from pipeline.model.augmentation import augment
from pipeline.model.examples import Recording, RecordingExamples, predict_recordings

VARIATION = VariationConfig(
    lead_swap=0.5, lead_loss=0.1, disturbance=0.3, gain=0.15, tempo=0.15, synthetic_patients=0, patients_an_epoch=0
)
NOTHING = VariationConfig(
    lead_swap=0.0, lead_loss=0.0, disturbance=0.0, gain=0.0, tempo=0.0, synthetic_patients=0, patients_an_epoch=0
)
SHAPE = ContextConfig(filters=[3, 4], dense_units=6, lstm_units=[4], dropout=0.1, likeness=True, members=1)


def recording(n_beats, seed, share=1.0):
    rng = np.random.default_rng(seed)
    inputs = ContextInputs(
        rng.normal(size=(n_beats, WINDOW_SAMPLES, CHANNELS)).astype(np.float32),
        rng.normal(size=(n_beats, len(RHYTHM_FEATURES))).astype(np.float32),
    )
    return Recording(inputs, rng.integers(0, 5, n_beats), rng.random(n_beats) < share)


def test_an_epoch_counts_every_beat_once_and_no_other():
    examples = RecordingExamples([recording(50, 1, 0.5), recording(7, 2)], stretch_beats=16)
    epoch = examples.epoch(np.random.default_rng(0))
    assert epoch.weights.sum() == len(examples.labels)
    counted = np.bincount(epoch.labels[epoch.weights > 0], minlength=5)
    np.testing.assert_array_equal(counted, np.bincount(examples.labels, minlength=5))
    beats, rhythm = epoch.inputs
    assert beats.shape[1:] == (16, WINDOW_SAMPLES, CHANNELS)
    assert rhythm.shape[:2] == beats.shape[:2] == epoch.labels.shape


def test_labels_that_do_not_count_never_reach_an_epoch():
    one = recording(50, 1, 0.5)
    others = np.where(one.counts, one.labels, (one.labels + 1) % 5)
    first, second = (
        RecordingExamples([Recording(one.inputs, labels, one.counts)], 16).epoch(np.random.default_rng(0))
        for labels in (one.labels, others)
    )
    np.testing.assert_array_equal(first.labels, second.labels)


def test_the_same_generator_gives_the_same_epoch_and_leaves_the_recording_as_it_was():
    one = recording(40, 3)
    before = one.inputs.beats.copy()
    examples = RecordingExamples([one], 16, VARIATION)
    first, second = (examples.epoch(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.inputs[0], second.inputs[0])
    assert not np.array_equal(first.inputs[0], examples.epoch(np.random.default_rng(6)).inputs[0])
    np.testing.assert_array_equal(one.inputs.beats, before)


@pytest.mark.parametrize("variation", [None, NOTHING])
def test_without_variation_the_stretches_are_the_recording(variation):
    one = recording(40, 3)
    beats, _ = RecordingExamples([one], 8, variation).epoch(np.random.default_rng(5)).inputs
    kept = np.concatenate(beats)[np.concatenate(beats).any(axis=(1, 2))]
    order, wanted = np.argsort(kept[:, 0, 0]), np.argsort(one.inputs.beats[:, 0, 0])
    np.testing.assert_array_equal(kept[order], one.inputs.beats[wanted])


def test_each_epoch_draws_its_generated_patients():
    real, *generated = (recording(12, seed) for seed in range(5))
    many = [real, *(replace(each, generated=True) for each in generated)]
    drawn = RecordingExamples(many, 4, NOTHING.model_copy(update={"patients_an_epoch": 2}))
    assert drawn.n_inputs == 3 * 3
    seen = set()
    for epoch in range(8):
        beats = drawn.epoch(np.random.default_rng(epoch)).inputs[0].reshape(-1, WINDOW_SAMPLES * CHANNELS)
        found = {place for place, each in enumerate(many) if (beats == each.inputs.beats[5].ravel()).all(axis=1).any()}
        assert 0 in found
        assert len(found) == 3
        seen |= found
    assert seen == set(range(5))


def test_lost_leads_are_zero_in_channels_and_likeness_alike():
    beats, rhythm = np.ones((400, 4, WINDOW_SAMPLES, CHANNELS), np.float32), np.ones((400, 4, 14), np.float32)
    augment(beats, rhythm, VARIATION, np.random.default_rng(2))
    for lead in (0, 1):
        lost = ~beats[..., [lead, lead + 2]].any(axis=(1, 2, 3))
        assert 0.05 < lost.mean() < 0.15
        columns = [RHYTHM_FEATURES.index(f"likeness_{kind}_{lead}") for kind in ("record", "prev")]
        np.testing.assert_array_equal(~rhythm[..., columns].any(axis=(1, 2)), lost)


@pytest.mark.parametrize("n_beats", [30, 1500])
def test_blocks_of_a_recording_give_nearly_what_the_whole_gives(n_beats):
    keras.utils.set_random_seed(4)
    model = build_context(SHAPE)
    inputs = recording(n_beats, 7).inputs
    whole = np.asarray(model([inputs.beats[None], inputs.rhythm[None]]))[0]
    np.testing.assert_allclose(predict_recordings(model, [inputs])[0], whole, atol=1e-5)


def test_predictions_are_of_the_beats_that_count_in_their_order():
    keras.utils.set_random_seed(4)
    model = build_context(SHAPE)
    both = [recording(700, 1, 0.3), recording(20, 2, 0.5)]
    found = RecordingExamples(both, 16).predict(model)
    alone = [RecordingExamples([each], 16).predict(model) for each in both]
    np.testing.assert_allclose(found, np.concatenate(alone), atol=1e-6)
    assert len(found) == sum(each.counts.sum() for each in both)
