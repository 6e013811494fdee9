"""The exported file is the Keras model: the same probabilities, all facts that scoring needs, the same bytes."""

import keras
import numpy as np
import onnx
import onnxruntime as ort
import pytest

from pipeline.config import ContextConfig
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import CHANNELS, RHYTHM_FEATURES
from pipeline.model.architectures import build_context
from pipeline.model.export import export_onnx

CONFIG = ContextConfig(filters=[4, 8], dense_units=8, lstm_units=[6, 4], dropout=0.2, likeness=False, members=2)


def context_model(n_beats=None):
    keras.utils.set_random_seed(5)
    model = build_context(CONFIG, n_beats)
    # Larger than at the start of a training, so that classes are told apart.
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model = context_model()
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    export_onnx(model, "interpatient", path)
    return model, path


def drawn(batch, beats):
    rng = np.random.default_rng(beats)
    inputs = {"beats": (126, CHANNELS), "rhythm": (len(RHYTHM_FEATURES),)}
    return {name: rng.normal(size=(batch, beats, *shape)).astype(np.float32) for name, shape in inputs.items()}


@pytest.mark.parametrize(("batch", "beats"), [(1, 1), (1, 500), (3, 7), (16, 40)])
def test_onnx_gives_keras_probabilities(exported, batch, beats):
    model, path = exported
    inputs = drawn(batch, beats)
    expected = model.predict(inputs, verbose=0)
    (actual,) = ort.InferenceSession(path).run(None, inputs)
    assert actual.shape == (batch, beats, len(CLASSES))
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    np.testing.assert_array_equal(actual.argmax(axis=-1), expected.argmax(axis=-1))
    if batch * beats > 100:
        assert len(np.unique(expected.argmax(axis=-1))) > 1


def test_the_file_says_what_scoring_needs(exported):
    model = onnx.load(exported[1])
    stated = {entry.key: entry.value for entry in model.metadata_props}
    assert (
        stated
        | {
            "input": "context",
            "protocol": "interpatient",
            "classes": "N,S,V,F,Q",
            "window_rate_hz": "120",
            "window_before_samples": "48",
            "window_after_samples": "78",
            "leads": "2",
        }
        == stated
    )
    assert stated["rhythm_features"].split(",") == list(RHYTHM_FEATURES)
    assert "median beat" in stated["normalisation"]
    assert stated["inputs_version"]
    session = ort.InferenceSession(exported[1])
    shapes = {each.name: each.shape for each in (*session.get_inputs(), *session.get_outputs())}
    assert shapes == {
        "beats": ["batch", "beats", 126, CHANNELS],
        "rhythm": ["batch", "beats", len(RHYTHM_FEATURES)],
        "probability": ["batch", "beats", len(CLASSES)],
    }


def test_same_weights_give_the_same_bytes(exported, tmp_path):
    keras.layers.Dense(3)(np.zeros((1, 2), np.float32))
    export_onnx(context_model(), "interpatient", tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == exported[1].read_bytes()
