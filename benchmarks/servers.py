"""The contenders of the benchmark `serving`: a store with two versions of the model, and both servers on loopback."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from pipeline.errors import UserError

MODELS = tuple(Path("models/released") / name / "model.onnx" for name in ("interpatient", "kaggle"))
_NAME = "heartbeat-interpatient"
_START_S = 120


def fill_store(workspace: Path) -> str:
    """Register the two released networks in a new store, the first one champion; return the first one's address."""
    from pipeline.tracking.exported import log_onnx
    from pipeline.tracking.recordings import log_recording_model
    from pipeline.tracking.runs import start_training_run
    from pipeline.tracking.store import as_default, open_store

    store = open_store(workspace)
    addresses = []
    for network in MODELS:
        run_id = start_training_run(store, "interpatient", {}, {}, [])
        log_onnx(store, run_id, network)
        addresses.append(log_recording_model(store, run_id, network))
        if len(addresses) == 1:
            store.client.create_registered_model(_NAME)
        # The client looks the logged model up in MLflow's default store, not in its own.
        with as_default(store):
            store.client.create_model_version(_NAME, addresses[-1], run_id)
    make_champion(workspace, 1)
    return addresses[0]


def make_champion(workspace: Path, version: int) -> None:
    """Move the alias that the service follows."""
    from pipeline.tracking.ledger import CHAMPION
    from pipeline.tracking.store import open_store

    open_store(workspace).client.set_registered_model_alias(_NAME, CHAMPION, str(version))


@contextmanager
def ours(workspace: Path) -> Iterator[str]:
    """Address of `heartbeat serve` on the workspace's champion."""
    code = "from pipeline.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--workspace", str(workspace)]
    with _process(command, workspace / "ours.log") as log:
        yield _until(lambda: re.search(r"http://\S+/beats", log.read_text()), "heartbeat serve")


@contextmanager
def rival(workspace: Path, model: str) -> Iterator[str]:
    """Address of `mlflow models serve` on the model at `model` in the workspace's store."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "--env-manager", "local"]
    base = f"http://127.0.0.1:{port}"

    def answers() -> re.Match[str] | None:
        try:
            alive = httpx.get(f"{base}/ping", timeout=1, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return None
        return re.match(r".+", f"{base}/invocations") if alive else None

    with _process([*command, "--host", "127.0.0.1", "--port", str(port)], workspace / "rival.log", workspace):
        yield _until(answers, "mlflow models serve")


@contextmanager
def _process(command: Sequence[str], log: Path, workspace: Path | None = None) -> Iterator[Path]:
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    if workspace is not None:
        environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{workspace / 'mlflow.db'}"
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with (
        log.open("w", encoding="utf-8") as written,
        subprocess.Popen(
            command, env=environment, stdout=written, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            yield log
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _until(found: Callable[[], re.Match[str] | None], name: str) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if match := found():
            return match[0]
        time.sleep(0.2)
    raise UserError(f"{name}: did not answer within {_START_S} s")
