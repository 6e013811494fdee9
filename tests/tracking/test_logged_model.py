"""A real Keras model, logged to a run, registered, and loaded as a server loads it."""

import os

import mlflow
import numpy as np
import pytest

from pipeline.tracking.models import log_model, logged_model_uri
from pipeline.tracking.registry import register_best
from pipeline.tracking.runs import finish, start_training_run
from pipeline.tracking.store import as_default

BEATS = np.random.default_rng(0).normal(size=(3, 187, 1)).astype("float32")


@pytest.fixture
def keras_model():
    import keras

    layers = [keras.Input((187, 1)), keras.layers.Flatten(), keras.layers.Dense(5, "softmax")]
    return keras.Sequential(layers)


def test_model_comes_back_from_the_registry(store, keras_model, workspace):
    run_id = start_training_run(store, "kaggle", {"seed": 1}, {"test_digest": "t1"}, [])
    expected = keras_model.predict(BEATS, verbose=0)
    uri = log_model(store, run_id, keras_model, BEATS, expected)
    run = store.client.get_run(run_id)
    assert run.info.status == "RUNNING"
    assert uri == logged_model_uri(store, run_id)
    assert "MLFLOW_TRACKING_URI" not in os.environ
    store.client.log_metric(run_id, "validation.macro_f1", 0.5)
    finish(store, run_id)
    register_best(store, "kaggle", {"test_digest": "t1"})

    example = store.client.download_artifacts(run_id, "input_example.json", str(workspace))
    inputs = mlflow.artifacts.load_dict(example)["inputs"]
    with as_default(store):
        served = mlflow.pyfunc.load_model("models:/heartbeat-kaggle@challenger")
        requirements = mlflow.pyfunc.get_model_dependencies(uri)
    np.testing.assert_allclose(served.predict(np.array(inputs, "float32")), expected, rtol=1e-5)
    assert served.metadata.signature.inputs.inputs[0].shape == (-1, 187, 1)
    assert served.metadata.signature.outputs.inputs[0].shape == (-1, 5)
    with open(requirements) as listed:
        names = {line.split("==")[0] for line in listed.read().split()}
    assert {"mlflow", "keras", "tensorflow"} <= names
