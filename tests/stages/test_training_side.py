"""What a training learns from: real recordings, and beside them generated patients where params ask for them."""

import numpy as np
import pytest

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.synthetic.profiles import profile_for
from pipeline.stages.training_side import synthetic_patients, training_side


def with_patients(config, n, source="mitdb"):
    variation = config.train.variation
    kaggle = variation.kaggle.model_copy(update={"synthetic_patients": n})
    train = config.train.model_copy(update={"variation": variation.model_copy(update={"kaggle": kaggle})})
    model = config.model.model_copy(update={"architecture": "context"})
    data = config.data.model_copy(update={"source": source})
    return config.model_copy(update={"train": train, "model": model, "data": data})


@pytest.fixture
def recordings(data):
    """The ten beats a side, with windows."""
    windows = np.random.default_rng(1).normal(size=(30, 2, 126)).astype(np.float32)
    return data.__class__(data.beats.assign(rr_prev_s=0.8), data.rows, windows, data.labels, data.beats_md5)


def test_generated_patients_stand_beside_the_real_training_recordings(config, recordings):
    examples = training_side(with_patients(config, 2), "kaggle", recordings)
    assert len(examples.recordings) == 3
    assert examples.variation == config.train.variation.kaggle.model_copy(update={"synthetic_patients": 2})
    assert examples.recordings[0].counts.sum() == 10
    assert all(each.counts.all() and len(each.labels) > 400 for each in examples.recordings[1:])
    assert [each.generated for each in examples.recordings] == [False, True, True]


def test_a_generated_data_set_gets_no_further_patients(config, recordings):
    assert len(training_side(with_patients(config, 2, "synthetic"), "kaggle", recordings).recordings) == 1


def test_patients_differ_by_seed_and_have_no_pacemaker():
    first, again, other = (synthetic_patients(1, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.inputs.beats, again.inputs.beats)
    assert first.inputs.beats.shape != other.inputs.beats.shape or (first.inputs.beats != other.inputs.beats).any()
    labels = np.concatenate([each.labels for each in synthetic_patients(8, 1)])
    assert set(labels) == {CLASSES.index(name) for name in "NSVF"}


def test_the_later_rounds_have_sick_sinus_and_fibrillation():
    later = [profile_for(f"x{number:03d}") for number in range(25, 33)]
    assert sum(each.fibrillation for each in later) >= 3
    assert sum(each.sinus_arrest > 0.5 for each in later) >= 2
