"""A real service on loopback, with the released networks and a generated recording."""

import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from pipeline.ecg.recordings import read_beat_samples, read_signal
from pipeline.ecg.synthetic import write_records
from pipeline.serving.app import create_app
from pipeline.serving.server import listening_at

DEADLINE_S = 60


@pytest.fixture(scope="session")
def model_files(pytestconfig):
    """Two networks that differ: the released ones."""
    return [pytestconfig.rootpath / "models/released" / name / "model.onnx" for name in ("interpatient", "kaggle")]


@pytest.fixture(scope="session")
def ecg(tmp_path_factory):
    """A generated recording of a minute: its path, signal and beats."""
    folder = tmp_path_factory.mktemp("ecg")
    write_records(folder, ["106"], 1.0, 1)
    signal = read_signal(folder / "106")
    return folder / "106", signal, read_beat_samples(folder / "106", "atr", signal)


@pytest.fixture(scope="session")
def strip(ecg):
    """Its first ten seconds as a request, with beats."""
    _, signal, beats = ecg
    samples = int(10 * signal.fs_hz)
    return {
        "record": "106",
        "fs_hz": signal.fs_hz,
        "signal_mv": signal.millivolts[:samples].T.tolist(),
        "beats": [int(beat) for beat in beats if beat < samples],
    }


@pytest.fixture(scope="session")
def until():
    """Wait for something, up to a deadline."""

    def wait(true):
        deadline = time.monotonic() + DEADLINE_S
        while not true():
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def running(until):
    """A client of a service that answers in a thread of this process; it ends as on SIGTERM."""

    @contextmanager
    def run(newer, **options):
        with listening_at("127.0.0.1", 0) as listening:
            config = uvicorn.Config(create_app(newer, **options), log_level="warning", access_log=False)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=([listening],))
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=DEADLINE_S, trust_env=False) as client:
                thread.start()
                try:
                    until(lambda: server.started)
                    yield client
                finally:
                    server.should_exit = True
                    thread.join(DEADLINE_S)
            assert not thread.is_alive()

    return run
