"""Real SQLite stores; setting one up takes MLflow seconds, so each test gets a copy of one."""

import ctypes
import os
import shutil
import sys

import pytest

from pipeline.tracking.provenance import DatasetInput
from pipeline.tracking.runs import start_training_run
from pipeline.tracking.store import experiment_of, open_store

PROTOCOL = "interpatient"
LINUX_CAPABILITY_VERSION_3 = 0x20080522
DAC_OVERRIDE, DAC_READ_SEARCH = 1 << 1, 1 << 2


@pytest.fixture(scope="session")
def set_up_database(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("template")
        experiment_of(open_store(folder), "used-before")
        return folder / "mlflow.db"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def workspace(set_up_database, tmp_path):
    root = tmp_path / "work space"
    root.mkdir()
    shutil.copy(set_up_database, root / "mlflow.db")
    return root


@pytest.fixture
def store(workspace):
    return open_store(workspace)


@pytest.fixture
def data():
    return [
        DatasetInput("beats/train", "training", "data/splits/x.parquet", "a" * 32, {"N": 5}),
        DatasetInput("beats/test", "test", "data/splits/x.parquet", "b" * 32),
    ]


@pytest.fixture
def run_id(store, data):
    return start_training_run(store, PROTOCOL, {"train.epochs": 3}, {"git_commit": "c0ffee"}, data)


@pytest.fixture
def permissions_hold():
    """Root may write what is read-only; for the length of a test this thread may not."""
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("cannot give up root's rights over files here")
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    had = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, had) == 0
    less = (ctypes.c_uint32 * 6)(*had)
    less[0] &= ~(DAC_OVERRIDE | DAC_READ_SEARCH)
    assert libc.capset(header, less) == 0
    yield
    assert libc.capset(header, had) == 0
