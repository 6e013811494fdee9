"""`heartbeat serve` as a person starts and ends it."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

COMMAND = (sys.executable, "-c", "from pipeline.cli import main; main()", "serve")
WITHOUT_TENSORFLOW = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; "


@pytest.fixture
def environment(pytestconfig):
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return {**kept, "PYTHONPATH": str(pytestconfig.rootpath)}


def test_it_answers_on_loopback_until_it_is_told_to_end(environment, model_files, strip, tmp_path):
    python, flag, code, *rest = COMMAND
    command = [python, flag, WITHOUT_TENSORFLOW + code, *rest, "--model", str(model_files[0]), "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as service:
        try:
            address = service.stdout.readline().split()[0]
            assert address.startswith("http://127.0.0.1:")
            answered = httpx.post(address, json=strip, timeout=60, trust_env=False)
            assert [beat["sample"] for beat in answered.json()["beats"]] == strip["beats"]
        finally:
            service.send_signal(signal.SIGTERM)
            _, complaints = service.communicate(timeout=60)
    assert service.returncode == 0
    assert complaints == ""


def test_a_port_that_is_taken_a_store_that_is_missing_and_a_file_that_is_no_model(environment, model_files, tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, told in (
            (("--model", str(model_files[0]), "--port", port), f"127.0.0.1:{port}: cannot be served (Address already"),
            (("--port", "0"), "no MLflow store there"),
            (("--model", "text.onnx", "--port", "0"), "text.onnx: not an ONNX model"),
        ):
            ended = subprocess.run(
                [*COMMAND, *options],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                timeout=60,
                check=False,
            )
            assert ended.returncode == 2
            assert told in ended.stderr
            assert len(ended.stderr.splitlines()) == 1
