"""A training and its run: who may train, and what an error or a stopped process leaves. No network is trained here."""

import fcntl
import os
import subprocess
import sys

import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.lock import one_process
from pipeline.model.device import Device
from pipeline.model.training import Trained
from pipeline.stages import train as stage
from pipeline.stages.manifest import read_manifest
from pipeline.tracking.store import open_store

HISTORY = pd.DataFrame({"epoch": [1], "val_macro_f1": [0.5], "seconds": [1.0]})


class Network:
    def save(self, path):
        path.write_bytes(b"weights")


@pytest.fixture
def train_run(tmp_path, monkeypatch, config, data):
    """The stage in a workspace of its own, on data that are there and a network that trains at once."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_STAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    trained = Trained(Network(), HISTORY, 0, Device(0, "float32", "tensorflow"))
    monkeypatch.setattr(stage, "load_protocol", lambda _: data)
    monkeypatch.setattr(stage, "train", lambda *_, **__: trained)
    monkeypatch.setattr(stage, "enter_results", lambda *_: None)
    return lambda: stage.train_run(config, "kaggle", tmp_path / "models")


def refuse(error):
    def raise_it(*_, **__):
        raise error

    return raise_it


def status(tmp_path, run_id):
    return open_store(tmp_path).client.get_run(run_id).info.status


def kept_run(tmp_path):
    [path] = (tmp_path / ".heartbeat" / "training").glob("*/run.json")
    return read_manifest(path).run_id


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt()])
def test_a_training_that_stops_says_so_and_goes_on_in_its_run(train_run, tmp_path, monkeypatch, error):
    with monkeypatch.context() as patched:
        patched.setattr(stage, "train", refuse(error))
        with pytest.raises(type(error)):
            train_run()
    run_id = kept_run(tmp_path)
    assert status(tmp_path, run_id) == "FAILED"
    assert train_run().run_id == run_id
    assert status(tmp_path, run_id) == "RUNNING"


def test_a_store_that_fails_after_training_is_the_users_to_mend(train_run, monkeypatch):
    monkeypatch.setattr(stage, "enter_results", refuse(OSError("gone")))
    with pytest.raises(UserError, match=r"failed after training \(gone\)"):
        train_run()


def test_a_bug_after_training_is_not_the_stores(train_run, monkeypatch):
    monkeypatch.setattr(stage, "enter_results", refuse(AttributeError("a typo of ours")))
    with pytest.raises(AttributeError):
        train_run()


def test_a_store_that_does_not_answer_is_not_one_without_the_run(train_run, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(stage, "enter_results", refuse(OSError("gone")))
        with pytest.raises(UserError):
            train_run()
    run_id = kept_run(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(stage, "run_exists", refuse(UserError("locked by another process")))
        with pytest.raises(UserError, match="locked"):
            train_run()
    assert kept_run(tmp_path) == run_id
    assert train_run().run_id == run_id


def test_a_training_is_one_process_at_a_time(train_run, tmp_path, monkeypatch, config):
    with monkeypatch.context() as patched:
        patched.setattr(stage, "train", refuse(RuntimeError()))
        with pytest.raises(RuntimeError):
            train_run()
    [lock] = (tmp_path / ".heartbeat" / "locks").iterdir()
    monkeypatch.setattr(stage, "train", lambda *_, **__: pytest.fail("trained beside another process"))
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write("4242")
        other.flush()
        wanted = rf"kaggle, seed {config.train.seed}: is being trained by process 4242; wait for it or end it"
        with pytest.raises(UserError, match=wanted):
            train_run()


def test_a_killed_process_lets_go_of_its_lock(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from pipeline.lock import one_process\n"
        "with one_process(Path(sys.argv[1]), 'x: is being done'):\n    print('held', flush=True); time.sleep(600)"
    )
    lock = tmp_path / "locks" / "x"
    holder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(UserError, match=f"x: is being done by process {holder.pid};"),
        one_process(lock, "x: is being done"),
    ):
        pytest.fail("held twice")
    holder.kill()
    holder.communicate()
    with one_process(lock, "x: is being done"):
        assert lock.read_text() == str(os.getpid())
