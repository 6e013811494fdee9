"""The registered model takes recordings, brings its own code, and says what `heartbeat score` says."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from pipeline.config import ContextConfig
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import context_inputs
from pipeline.ecg.recordings import read_beat_samples, read_signal
from pipeline.ecg.synthetic import write_records
from pipeline.ecg.windows import beat_windows
from pipeline.scoring.batch import score_records
from pipeline.scoring.labelling import BeatSource
from pipeline.tracking.models import KERAS_NAME, log_model, logged_model_uri
from pipeline.tracking.recordings import example_recordings, log_recording_model
from pipeline.tracking.runs import start_training_run
from pipeline.tracking.store import as_default, open_store

PROBABILITIES = [f"p_{name}" for name in CLASSES]

ELSEWHERE = """
import sys
sys.path[:] = [folder for folder in sys.path if folder != sys.argv[2]]
for name in ("tensorflow", "keras"):
    sys.modules[name] = None
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
import pipeline
print(pipeline.__file__)
print(model.predict(model.input_example).to_json(orient="records"))
print(model.predict(model.input_example, params={"rows": "recordings"}).to_json(orient="records"))
"""


@pytest.fixture(scope="module")
def keras_model():
    import keras

    from pipeline.model.architectures import build_context

    keras.utils.set_random_seed(7)
    model = build_context(
        ContextConfig(filters=[4, 8], dense_units=8, lstm_units=[6], dropout=0.0, likeness=False, members=2)
    )
    model.set_weights([4 * weight for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def network_file(keras_model, tmp_path_factory):
    from pipeline.model.export import export_onnx

    path = tmp_path_factory.mktemp("network") / "model.onnx"
    export_onnx(keras_model, "interpatient", path)
    return path


@pytest.fixture(scope="module")
def ecg(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ecg")
    write_records(folder, ["106"], 1.0, 1)
    signal = read_signal(folder / "106")
    return folder / "106", signal, read_beat_samples(folder / "106", "atr", signal)


@pytest.fixture(scope="module")
def logged(set_up_database, keras_model, network_file, tmp_path_factory):
    """The folder of the model that a run logged, with the Keras model beside it."""
    workspace = tmp_path_factory.mktemp("workspace")
    shutil.copy(set_up_database, workspace / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        store = open_store(workspace)
        run_id = start_training_run(store, "interpatient", {}, {}, [])
        uri = log_recording_model(store, run_id, network_file)
        example = {"beats": np.zeros((1, 2, 126, 4), "float32"), "rhythm": np.zeros((1, 2, 14), "float32")}
        log_model(store, run_id, keras_model, example, keras_model.predict(example, verbose=0), KERAS_NAME)
        assert store.client.get_run(run_id).info.status == "RUNNING"
        assert uri == logged_model_uri(store, run_id)
        with as_default(store):
            return Path(mlflow.artifacts.download_artifacts(uri))


@pytest.fixture(scope="module")
def model(logged):
    return mlflow.pyfunc.load_model(str(logged))


def recording(signal, beats=None):
    row = {"record": signal.name, "fs_hz": signal.fs_hz, "signal_mv": signal.millivolts.T.tolist()}
    return pd.DataFrame([row if beats is None else {**row, "beats": beats.tolist()}])


def test_the_model_keras_and_the_command_agree(model, keras_model, network_file, ecg, tmp_path):
    path, signal, beats = ecg
    answered = model.predict(recording(signal, beats))

    score_records(network_file, [path], tmp_path / "beats.parquet", source=BeatSource(annotator="atr"))
    pd.testing.assert_frame_equal(answered, pd.read_parquet(tmp_path / "beats.parquet"), check_dtype=False)

    inputs = context_inputs(beat_windows(signal.millivolts, signal.fs_hz, beats), beats / signal.fs_hz)
    by_keras = keras_model.predict({"beats": inputs.beats[None], "rhythm": inputs.rhythm[None]}, verbose=0)[0]
    np.testing.assert_allclose(answered[PROBABILITIES].to_numpy(), by_keras, atol=1e-4)

    score_records(network_file, [path], tmp_path / "found.parquet", source=BeatSource(detect=True))
    found = model.predict(recording(signal))
    pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "found.parquet"), check_dtype=False)


def test_it_runs_where_neither_this_package_nor_tensorflow_is(logged, tmp_path, pytestconfig):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", ELSEWHERE, str(logged), str(pytestconfig.rootpath)]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stderr
    place, beats, recordings = ended.stdout.splitlines()[-3:]
    assert Path(place).is_relative_to(logged)
    expected = example_recordings().beats[0]
    rows = json.loads(beats)
    assert [row["sample"] for row in rows] == expected
    [whole] = json.loads(recordings)
    assert whole["record"] == "example"
    assert whole["sample"] == expected
    assert whole["predicted"] == [row["predicted"] for row in rows]


def test_nothing_in_it_is_pickled_and_requirements_are_pinned(logged):
    names = [path.name for path in logged.rglob("*")]
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    about = (logged / "MLmodel").read_text(encoding="utf-8")
    assert "python_model:" not in about
    assert "loader_module: mlflow.pyfunc.loaders.code_model" in about
    assert "model.onnx" in names
    listed = (logged / "requirements.txt").read_text(encoding="utf-8").split()
    assert {line.split("==")[0] for line in listed} >= {"mlflow", "numpy", "pandas", "scipy", "onnxruntime", "wfdb"}
    assert all("==" in line for line in listed)
    assert not {"tensorflow", "keras"} & {line.split("==")[0] for line in listed}


def test_its_code_imports_nothing_that_was_left_out(logged):
    imported = (logged / "code" / "pipeline").rglob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in imported)
    for left_out in ("pipeline.config", "pipeline.tracking", "pipeline.model", "pipeline.stages"):
        assert f"from {left_out}" not in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fs_hz": [1.0]}, "record example: fs_hz: 1 Hz"),
        ({"signal_mv": [[[1.0]]]}, "record example: signal_mv: 1 sample a lead"),
        ({"signal_mv": [[[0.0, 1.0]] * 12]}, "record example: signal_mv: 12 leads"),
        ({"signal_mv": [[[float("nan")] * 500]]}, "record example: signal_mv: no valid sample"),
        ({"beats": [[50, 20]]}, "record example: beats: not ascending"),
        ({"beats": [[300]]}, "record example: beats: 300 lies outside"),
    ],
)
def test_a_recording_that_cannot_be_labelled_is_named(model, change, told):
    with pytest.raises(MlflowException, match=told):
        model.predict(example_recordings().assign(**change))


def test_a_table_of_another_shape_is_refused(model):
    with pytest.raises(MlflowException, match="signal_mv"):
        model.predict(example_recordings().drop(columns="signal_mv"))


def test_a_table_without_rows_has_no_beats(model):
    assert len(model.predict(example_recordings().iloc[:0])) == 0
