"""Opening a store, and finding out before a training that it cannot be written."""

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.tracking.failures import impatient
from pipeline.tracking.store import check_writable, experiment_of, open_store, workspace_root

PREFLIGHT_S = 15


def refusal(action, *arguments):
    """The one line that the action is refused with, within seconds."""
    start = time.monotonic()
    with pytest.raises(UserError) as refused:
        action(*arguments)
    assert time.monotonic() - start < PREFLIGHT_S
    assert "\n" not in str(refused.value)
    return str(refused.value)


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def test_default_store_is_at_the_workspace_root(store, workspace):
    assert store.uri == f"sqlite:///{workspace}/mlflow.db"
    experiment = experiment_of(store, "kaggle")
    assert experiment.name == "heartbeat-kaggle"
    assert experiment.artifact_location == (workspace / "mlartifacts/heartbeat-kaggle").as_uri()


def test_experiment_is_created_once(store):
    first = experiment_of(store, "kaggle").experiment_id
    assert experiment_of(store, "kaggle").experiment_id == first


def test_deleted_experiment_names_the_remedy(store):
    store.client.delete_experiment(experiment_of(store, "kaggle").experiment_id)
    assert "mlflow experiments restore" in refusal(experiment_of, store, "kaggle")


@pytest.mark.parametrize("inside", ["", "project"])
def test_temporary_experiments_share_the_store(workspace, inside):
    folder = workspace / ".dvc" / "tmp" / "exps" / "tmpk3j2" / inside
    folder.mkdir(parents=True)
    assert open_store(folder).uri == f"sqlite:///{workspace}/mlflow.db"


def test_another_dvc_folder_is_no_experiment(tmp_path):
    assert workspace_root(tmp_path / ".dvc" / "exps") == tmp_path / ".dvc" / "exps"


def test_environment_names_another_store(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace}/mlflow.db")
    store = open_store(tmp_path / "elsewhere")
    assert experiment_of(store, "kaggle").artifact_location.startswith(workspace.as_uri())


def test_relative_address_is_taken_from_the_workspace(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    monkeypatch.chdir(tmp_path)
    assert open_store(workspace).uri == f"sqlite:///{workspace}/mlflow.db"
    assert not (tmp_path / "mlflow.db").exists()


def test_writable_store_passes(store, workspace):
    check_writable(store, "kaggle")
    assert experiment_of(store, "kaggle").tags["write_checked_at"]
    assert list((workspace / "mlartifacts" / "heartbeat-kaggle").iterdir()) == []


@pytest.mark.usefixtures("permissions_hold")
@pytest.mark.parametrize("protocol", ["never-used", "used-before"])
def test_read_only_file_is_found_out(workspace, protocol):
    (workspace / "mlflow.db").chmod(0o400)
    message = refusal(check_writable, open_store(workspace), protocol)
    assert f"{workspace}/mlflow.db" in message
    assert "read-only" in message
    assert "permissions" in message


@pytest.mark.usefixtures("permissions_hold")
def test_read_only_folder_of_a_new_store_is_found_out(tmp_path):
    tmp_path.chmod(0o500)
    message = refusal(open_store, tmp_path)
    assert f"{tmp_path}/mlflow.db" in message
    assert "no permission" in message


@pytest.mark.usefixtures("permissions_hold")
def test_read_only_folder_of_a_store_that_is_there_is_found_out(workspace):
    workspace.chmod(0o500)
    message = refusal(check_writable, open_store(workspace), "used-before")
    assert f"{workspace}/mlflow.db" in message
    assert "permissions" in message


@pytest.mark.usefixtures("permissions_hold")
def test_read_only_artifacts_are_found_out(store, workspace):
    folder = workspace / "mlartifacts"
    folder.mkdir(mode=0o500)
    assert str(folder) in refusal(check_writable, store, "kaggle")


def test_file_that_is_no_database_is_found_out_and_kept(tmp_path):
    (tmp_path / "mlflow.db").write_text("dear diary, " * 100)
    message = refusal(open_store, tmp_path)
    assert f"{tmp_path}/mlflow.db" in message
    assert "not an SQLite database" in message
    assert (tmp_path / "mlflow.db").read_text().startswith("dear diary")


def test_damaged_database_is_found_out(workspace):
    content = bytearray((workspace / "mlflow.db").read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    (workspace / "mlflow.db").write_bytes(content)
    assert f"{workspace}/mlflow.db" in refusal(open_store, workspace)


def test_folder_in_place_of_the_file_is_found_out(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    assert f"{tmp_path}/mlflow.db" in refusal(open_store, tmp_path)


def test_store_of_another_mlflow_is_found_out(workspace):
    with sqlite3.connect(workspace / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '90e64c465722'")
    database.close()
    assert "mlflow db upgrade" in refusal(open_store, workspace)


def test_server_that_is_away_is_found_out_in_seconds(tmp_path, monkeypatch):
    port = closed_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:s3cret@127.0.0.1:{port}/?token=t0ken")
    message = refusal(open_store, tmp_path)
    assert f"http://127.0.0.1:{port}" in message
    assert "connection refused" in message
    assert "start the server" in message
    assert "s3cret" not in message
    assert "t0ken" not in message
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ


def test_haste_of_two_threads_leaves_nothing_behind():
    within, leave = threading.Event(), threading.Event()

    def first():
        with impatient():
            within.set()
            leave.wait(5)

    def second():
        with impatient():
            pass

    threads = [threading.Thread(target=work) for work in (first, second)]
    threads[0].start()
    assert within.wait(5)
    threads[1].start()
    threads[1].join(0.2)
    assert threads[1].is_alive()
    leave.set()
    for thread in threads:
        thread.join(5)
    assert not [name for name in os.environ if name.startswith("MLFLOW_HTTP_REQUEST_")]


def test_server_that_is_none_of_mlflow_is_found_out(tmp_path, monkeypatch):
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as web:
        port = web.stdout.readline().split("port ")[1].split()[0]
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        message = refusal(open_store, tmp_path)
        web.kill()
    assert f"http://127.0.0.1:{port}" in message


def test_server_that_says_nothing_is_found_out(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{mute.getsockname()[1]}")
        message = refusal(open_store, tmp_path)
    assert "no answer in time" in message


@pytest.mark.parametrize(
    "uri",
    [
        *("gopher://there/store", "postgresql://ann:s3cret@127.0.0.1:{port}/runs", "./mlruns"),
        *("http://[bad", "http://ann:s3cret@[bad"),
    ],
)
def test_addresses_that_lead_nowhere_are_found_out(tmp_path, monkeypatch, uri):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.format(port=closed_port()))
    message = refusal(open_store, tmp_path)
    assert "s3cret" not in message
    assert "; " in message


def test_two_first_starts_at_once_and_quietly(tmp_path):
    """Both set the same new file up; neither fails, neither prints."""
    code = (
        "import sys; from pathlib import Path; from pipeline.tracking.store import *; "
        "print(experiment_of(open_store(Path(sys.argv[1])), 'kaggle').name)"
    )
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]
    assert [start.communicate()[0] for start in starts] == ["heartbeat-kaggle\n"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_importing_the_package_keeps_tensorflow_out():
    code = (
        "import sys, pipeline.tracking.runs, pipeline.tracking.registry, pipeline.tracking.models;"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
