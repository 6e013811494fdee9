"""One run from train to evaluate, and a store that leaves in the middle of it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.tracking.lookup import finished_runs
from pipeline.tracking.provenance import git_tags
from pipeline.tracking.runs import (
    backfill_history,
    ensure_run,
    fail,
    finish,
    flat_metrics,
    log_epoch,
    log_evaluation,
    resume_run,
    start_training_run,
    system_metrics,
)
from pipeline.tracking.store import check_writable, open_store

PROTOCOL = "interpatient"
METRICS = {
    "validation": {"macro_f1": 0.5, "per_class": {"S": {"f1": 0.25, "support": 4}}},
    "test": {"accuracy": 0.75, "per_class": {"S": {"f1": 0.125}}},
}
HISTORY = pd.DataFrame({"epoch": [0, 1, 2], "loss": [0.9, 0.6, 0.4], "val_macro_f1": [0.1, np.nan, 0.3]})


def curve(store, run_id, name):
    points = store.client.get_metric_history(run_id, name)
    return sorted((point.step, point.value) for point in points)


def status(store, run_id):
    return store.client.get_run(run_id).info.status


def test_run_says_what_went_in(store, run_id):
    run = store.client.get_run(run_id)
    assert run.info.status == "RUNNING"
    assert run.data.params == {"train.epochs": "3"}
    assert run.data.tags["protocol"] == PROTOCOL
    assert run.data.tags["git_commit"] == "c0ffee"
    used = {one.dataset.name: one for one in run.inputs.dataset_inputs}
    assert used["beats/train"].dataset.digest == "a" * 32
    assert used["beats/train"].dataset.profile == '{"N": 5}'
    assert used["beats/test"].dataset.digest == "b" * 32
    assert used["beats/test"].tags[0].value == "test"


def test_run_names_the_dvc_stage_and_experiment(store, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "train@interpatient")
    monkeypatch.setenv("DVC_EXP_NAME", "mossy-knee")
    tags = store.client.get_run(start_training_run(store, PROTOCOL, {}, {}, [])).data.tags
    assert tags["DVC_STAGE"] == "train@interpatient"
    assert tags["DVC_EXP_NAME"] == "mossy-knee"
    assert "DVC_EXP_BASELINE_REV" not in tags


def test_more_params_than_a_request_takes(store):
    params = {f"model.p{i}": i for i in range(250)}
    run_id = start_training_run(store, PROTOCOL, params, {}, [])
    assert len(store.client.get_run(run_id).data.params) == 250


def test_epochs_have_steps(store, run_id):
    for epoch in (0, 1):
        log_epoch(store, run_id, epoch, {"loss": 1.0 - epoch, "val_macro_f1": float("nan")})
    assert curve(store, run_id, "loss") == [(0, 1.0), (1, 0.0)]
    assert curve(store, run_id, "val_macro_f1") == []


def test_killed_training_goes_on_in_its_run(store, run_id):
    fail(store, run_id)
    assert status(store, run_id) == "FAILED"
    resume_run(store, run_id)
    assert status(store, run_id) == "RUNNING"


def test_unknown_run_cannot_be_resumed(store):
    with pytest.raises(UserError, match=r"mlflow\.db: there is no run 0{32}; "):
        resume_run(store, "0" * 32)


def test_backfill_logs_only_what_is_missing(store, run_id):
    log_epoch(store, run_id, 1, {"loss": 0.6})
    assert backfill_history(store, run_id, HISTORY) == 4
    assert curve(store, run_id, "loss") == [(0, 0.9), (1, 0.6), (2, 0.4)]
    assert curve(store, run_id, "val_macro_f1") == [(0, 0.1), (2, 0.3)]
    assert backfill_history(store, run_id, HISTORY) == 0


def test_metric_names_are_dotted_side_first():
    assert flat_metrics(METRICS) == {
        "validation.macro_f1": 0.5,
        "validation.S.f1": 0.25,
        "validation.S.support": 4.0,
        "test.accuracy": 0.75,
        "test.S.f1": 0.125,
    }


def test_evaluation_finishes_the_run(store, run_id, tmp_path):
    figures = tmp_path / "figures"
    figures.mkdir()
    (figures / "confusion.png").write_bytes(b"\x89PNG")
    log_evaluation(store, run_id, METRICS, figures)
    finish(store, run_id)
    run = store.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["test.S.f1"] == 0.125
    files = [file.path for file in store.client.list_artifacts(run_id, "evaluation")]
    assert files == ["evaluation/confusion.png"]


def test_known_run_is_kept(store, run_id, data):
    finish(store, run_id)
    assert ensure_run(store, run_id, PROTOCOL, {}, {}, data) == run_id
    assert status(store, run_id) == "RUNNING"


def test_run_of_another_store_is_restored_once(store, data):
    foreign = "f" * 32
    restored = ensure_run(store, foreign, PROTOCOL, {"train.epochs": 3}, {"input": "row"}, data)
    run = store.client.get_run(restored)
    assert run.data.tags["restored_from"] == foreign
    assert run.data.tags["input"] == "row"
    assert run.data.params == {"train.epochs": "3"}
    assert ensure_run(store, foreign, PROTOCOL, {}, {}, data) == restored


def test_deleted_run_is_restored(store, run_id, data):
    store.client.delete_run(run_id)
    assert ensure_run(store, run_id, PROTOCOL, {}, {}, data) != run_id


def test_finished_runs_by_tag(store, run_id):
    other = start_training_run(store, PROTOCOL, {}, {"git_commit": "beef"}, [])
    still_open = start_training_run(store, PROTOCOL, {}, {"git_commit": "c0ffee"}, [])
    elsewhere = start_training_run(store, "kaggle", {}, {"git_commit": "c0ffee"}, [])
    for done in (run_id, other, elsewhere):
        finish(store, done)
    found = finished_runs(store, PROTOCOL, {"git_commit": "c0ffee"})
    assert [record.run_id for record in found] == [run_id]
    assert found[0].params == {"train.epochs": "3"}
    assert found[0].data_digests == {"training": "a" * 32, "test": "b" * 32}
    assert {record.run_id for record in finished_runs(store, PROTOCOL)} == {run_id, other}
    assert still_open not in {record.run_id for record in finished_runs(store, PROTOCOL)}
    assert finished_runs(store, "never-run") == []


def test_system_metrics_are_sampled(store, run_id, monkeypatch):
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    sampled = threading.Event()
    written = store.client.get_run
    with system_metrics(store, run_id):
        for _ in range(200):
            if sampled.wait(0.05) or len(written(run_id).data.metrics) > 1:
                break
    assert "system/cpu_utilization_percentage" in written(run_id).data.metrics
    assert status(store, run_id) == "RUNNING"


def test_database_lost_in_training_warns_once(store, run_id, workspace, capsys):
    log_epoch(store, run_id, 0, {"loss": 0.9})
    database = workspace / "mlflow.db"
    shutil.copy(database, workspace / "kept.db")
    (workspace / "garbage").write_text("no database " * 100)
    os.replace(workspace / "garbage", database)
    for epoch in (1, 2):
        log_epoch(store, run_id, epoch, {"loss": 0.5})
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1
    assert warnings[0].startswith(f"warning: sqlite:///{database}: ")
    assert "training goes on" in warnings[0]
    with pytest.raises(UserError):
        backfill_history(store, run_id, HISTORY)


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


@pytest.fixture
def serve(workspace, monkeypatch):
    """Start `mlflow server` on the workspace's store, at the same port each time; end them all."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    started = []

    def start(port):
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--backend-store-uri", f"sqlite:///{workspace}/mlflow.db"),
                *("--artifacts-destination", str(workspace / "mlartifacts")),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(server)
        while server.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                return server
            threading.Event().wait(0.1)
        raise AssertionError("the server did not start")

    def stop(server):
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        started.remove(server)

    yield start, stop
    while started:
        stop(started[0])


def test_server_lost_in_training_costs_nothing(serve, tmp_path, monkeypatch, capsys):
    start, stop = serve
    port = closed_port()
    server = start(port)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:s3cret@127.0.0.1:{port}")
    store = open_store(tmp_path)
    check_writable(store, PROTOCOL)
    run_id = start_training_run(store, PROTOCOL, {"seed": 1}, {}, [])
    with system_metrics(store, run_id):
        log_epoch(store, run_id, 0, {"loss": 0.9})
        stop(server)
        for epoch in (1, 2):
            log_epoch(store, run_id, epoch, {"loss": 0.5})
    shown = [line for line in capsys.readouterr().err.splitlines() if "training goes on" in line]
    assert len(shown) == 1
    assert "connection refused" in shown[0]
    assert "s3cret" not in shown[0]
    start(port)
    assert backfill_history(store, run_id, HISTORY) == 4
    finish(store, run_id)
    assert curve(store, run_id, "loss") == [(0, 0.9), (1, 0.6), (2, 0.4)]


def git(folder, *arguments):
    settings = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(folder), *settings, *arguments], check=True)


def test_git_tags_name_the_commit_and_whether_it_is_all(tmp_path):
    git(tmp_path, "init", "-q")
    assert git_tags(tmp_path) == {}
    (tmp_path / "params.yaml").write_text("a: 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Add parameters")
    tags = git_tags(tmp_path)
    assert re.fullmatch("[0-9a-f]{40}", tags["git_commit"])
    assert tags["git_dirty"] == "false"
    for written in ("README.md", "dvc.lock"):
        (tmp_path / written).write_text("rows")
        git(tmp_path, "add", "-N", written)
    assert git_tags(tmp_path)["git_dirty"] == "false"
    (tmp_path / "params.yaml").write_text("a: 2\n")
    assert git_tags(tmp_path)["git_dirty"] == "true"


def test_git_tags_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_tags(tmp_path) == {}
