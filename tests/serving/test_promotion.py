"""The service follows the champion of a real store while requests run."""

import shutil
import threading

import pytest

from pipeline.errors import UserError
from pipeline.serving.served import ServedModel, file_model, registered_model
from pipeline.tracking.exported import log_onnx
from pipeline.tracking.runs import start_training_run
from pipeline.tracking.store import experiment_of, open_store

NAME = "heartbeat-interpatient"
URI = f"models:/{NAME}@champion"


@pytest.fixture
def workspace(monkeypatch, tmp_path, model_files):
    """A store with two versions, each of another network; version 1 is champion."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = open_store(tmp_path)
    experiment_of(store, "interpatient")
    store.client.create_registered_model(NAME)
    for file in model_files:
        run_id = start_training_run(store, "interpatient", {}, {}, [])
        shutil.copy(file, tmp_path / "model.onnx")
        log_onnx(store, run_id, tmp_path / "model.onnx")
        store.client.create_model_version(NAME, "file:///model", run_id)
    make_champion(store, 1)
    return tmp_path


def make_champion(store, version):
    store.client.set_registered_model_alias(NAME, "champion", str(version))


def test_promotions_under_load_lose_no_request(running, until, workspace, strip):
    store = open_store(workspace)
    answers, done = [], threading.Event()

    def send(client):
        while not done.is_set():
            answered = client.post("/beats", json=strip)
            answers.append((answered.status_code, answered.json()))

    with running(registered_model(workspace, URI), poll_s=0.05) as client:
        sender = threading.Thread(target=send, args=(client,))
        sender.start()
        try:
            for version in (2, 1, 2):
                until(lambda: answers)
                make_champion(store, version)
                until(lambda: answers[-1][1].get("model") == {"name": NAME, "version": str(version)})  # noqa: B023
        finally:
            done.set()
            sender.join()
    assert {status for status, _ in answers} == {200}
    by_version = {answer["model"]["version"]: answer["beats"] for _, answer in answers}
    assert set(by_version) == {"1", "2"}
    assert by_version["1"] != by_version["2"]
    assert all(answer["beats"] == by_version[answer["model"]["version"]] for _, answer in answers)


def test_the_model_stays_while_the_store_is_away(running, until, workspace, strip):
    with running(registered_model(workspace, URI), poll_s=0.05) as client:
        store = open_store(workspace)
        store.client.delete_registered_model_alias(NAME, "champion")
        until(lambda: "heartbeat_model_watch_failures_total 0.0" not in client.get("/metrics").text)
        assert client.post("/beats", json=strip).json()["model"]["version"] == "1"
        make_champion(store, 2)
        until(lambda: client.get("/ready").json()["version"] == "2")


def test_no_champion_no_store_no_model(workspace, tmp_path):
    with pytest.raises(UserError, match=r"no MLflow store there"):
        registered_model(tmp_path / "nowhere", URI)
    with pytest.raises(UserError, match=r"other@champion: not in sqlite"):
        started(registered_model(workspace, "models:/other@champion"))
    with pytest.raises(UserError, match=r"model\.onnx: not found"):
        started(file_model(tmp_path / "nowhere" / "model.onnx"))


def started(newer):
    return ServedModel(newer, lambda model: None, lambda: None)
