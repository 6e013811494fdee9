"""Real SQLite stores; setting one up takes MLflow seconds, so each test gets a copy of one."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

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


@pytest.fixture
def free_port():
    """A TCP port of loopback that nobody listens on."""
    return _free_port()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def mlflow_server(tmp_path):
    """Start a real MLflow server on loopback over a database, with an environment of its own; return its address."""
    started = []

    def start(database, **environment):
        port = _free_port()
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += [
            "--workers",
            "1",
            "--backend-store-uri",
            database,
            "--artifacts-destination",
            str(tmp_path / "kept"),
        ]
        log = (tmp_path / f"server-{port}.log").open("wb")
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=log, stderr=log, cwd=tmp_path, start_new_session=True
        )
        started.append((process, log))
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 180
        while not _answers(address):
            told = (tmp_path / f"server-{port}.log").read_text(encoding="utf-8")[-2000:]
            assert process.poll() is None, f"the MLflow server ended: {told}"
            assert time.monotonic() < deadline, f"the MLflow server does not answer: {told}"
            time.sleep(0.2)
        return address

    yield start
    for process, log in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def _answers(address):
    try:
        return requests.get(f"{address}/health", timeout=2).ok
    except requests.RequestException:
        return False
