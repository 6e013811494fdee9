"""Attributions add up to what they explain, and lie where the cause is."""

import keras
import numpy as np
import pytest

from pipeline.config import ContextConfig
from pipeline.ecg.context import RHYTHM_FEATURES, ContextInputs, context_inputs
from pipeline.ecg.windows import WINDOW_SAMPLES
from pipeline.evidence.attribution import integrated_gradients, usual
from pipeline.model.architectures import build_context

SHAPE = ContextConfig(filters=[4, 8], dense_units=8, lstm_units=[6], dropout=0.1, likeness=True, members=1)
CALLED, OTHER = 2, 0
N_BEATS = 20


@pytest.fixture(scope="module", params=[1, 2], ids=["one", "two members"])
def model(request):
    keras.utils.set_random_seed(11)
    made = build_context(SHAPE.model_copy(update={"members": request.param}))
    made.set_weights([2 * weight for weight in made.get_weights()])
    return made


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(5)
    shape = np.exp(-(((np.arange(WINDOW_SAMPLES) - 48) / 4) ** 2))
    windows = np.stack([shape, -0.6 * shape])[None] * rng.normal(1, 0.2, (N_BEATS, 1, 1))
    windows[7, :, 60:90] -= 0.5
    times_s = np.cumsum(rng.normal(0.8, 0.05, N_BEATS))
    return context_inputs((windows + rng.normal(0, 0.05, windows.shape)).astype(np.float32), times_s)


def margin(model, inputs, beat):
    probability = model.predict([inputs.beats[None], inputs.rhythm[None]], verbose=0)[0, beat].astype(np.float64)
    return np.log(probability[CALLED]) - np.log(probability[OTHER])


@pytest.mark.parametrize("beat", [0, 7, N_BEATS - 1])
def test_attributions_sum_to_the_difference_within_one_percent(model, inputs, beat):
    baseline = usual(inputs)
    found = integrated_gradients(model, inputs, baseline, beat, CALLED, OTHER)
    difference = margin(model, inputs, beat) - margin(model, baseline, beat)
    assert found.difference == pytest.approx(difference, rel=1e-3, abs=1e-4)
    assert found.beats.sum() + found.rhythm.sum() == pytest.approx(difference, rel=0.01)


def test_what_is_as_in_the_baseline_gets_nothing(model, inputs):
    baseline = usual(inputs)
    changed = ContextInputs(baseline.beats.copy(), baseline.rhythm.copy())
    changed.beats[9, 50:70, 0] += 0.5
    found = integrated_gradients(model, changed, baseline, 9, CALLED, OTHER)
    assert np.flatnonzero(found.beats.any(axis=(1, 2))).tolist() == [9]
    assert np.flatnonzero(found.beats[9, :, 0]).tolist() == list(range(50, 70))
    assert not found.rhythm.any()
    assert found.beats.sum() == pytest.approx(found.difference, rel=0.01)


def test_the_baseline_is_a_regular_rhythm_of_typical_beats(inputs):
    baseline = usual(inputs)
    assert not baseline.beats[..., 2:].any()
    assert (baseline.beats == baseline.beats[0]).all()
    named = dict(zip(RHYTHM_FEATURES, baseline.rhythm[0], strict=True))
    assert named["rr_prev"] == named["rr_record"]
    assert {name: value for name, value in named.items() if "rel" in name or "var" in name} == dict.fromkeys(
        [name for name in RHYTHM_FEATURES if "rel" in name or "var" in name], 0
    )
    assert named["likeness_record_0"] == named["likeness_prev_1"] == 1
