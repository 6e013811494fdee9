"""A small network over consecutive beats, exported, and generated recordings."""

import shutil

import keras
import numpy as np
import pytest
import wfdb

from pipeline.config import ContextConfig
from pipeline.ecg.synthetic import write_records
from pipeline.model.architectures import build_context
from pipeline.model.export import export_onnx
from pipeline.scoring.network import load_network

CONFIG = ContextConfig(filters=[4, 8], dense_units=8, lstm_units=[6], dropout=0.0, likeness=False, members=1)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    keras.utils.set_random_seed(7)
    model = build_context(CONFIG)
    # Larger than at the start of a training, so that classes are told apart.
    model.set_weights([2.5 * weight for weight in model.get_weights()])
    path = tmp_path_factory.mktemp("network") / "model.onnx"
    export_onnx(model, "kaggle", path)
    return path


@pytest.fixture(scope="session")
def network(model_file):
    return load_network(model_file, 1)


@pytest.fixture(scope="session")
def ecg_folder(tmp_path_factory):
    """Two generated recordings of two minutes at 360 Hz, `106` and `208`."""
    folder = tmp_path_factory.mktemp("ecg")
    write_records(folder, ["106", "208"], 2.0, 1)
    return folder


@pytest.fixture(scope="session")
def copies(tmp_path_factory):
    """A folder with a recording of five minutes in each of a hundred folders: some seconds of work."""
    root = tmp_path_factory.mktemp("copies")
    for number in range(100):
        folder = root / f"patient{number:03}"
        if number == 0:
            write_records(folder, ["106"], 5.0, 1)
        else:
            shutil.copytree(root / "patient000", folder)
    return root


@pytest.fixture
def write_signal(tmp_path):
    """Write `<name>.dat/.hea` of a (n, leads) signal in mV, NaN where invalid."""

    def write(name, millivolts, fs_hz=360.0, units="mV"):
        leads = millivolts.shape[1]
        wfdb.wrsamp(
            name,
            fs=fs_hz,
            units=[units] * leads,
            sig_name=[f"lead{i}" for i in range(leads)],
            p_signal=np.asarray(millivolts, dtype=np.float64),
            fmt=["16"] * leads,
            adc_gain=[200.0] * leads,
            baseline=[0] * leads,
            write_dir=str(tmp_path),
        )
        return tmp_path / name

    return write
