"""What can be held of the container files without a container runtime."""

import re
import shlex

import typer
import yaml

from pipeline.cli import app
from pipeline.serving.limits import LIMITS
from pipeline.serving.server import LAST_REQUESTS_S


def test_the_image_starts_a_command_that_exists(pytestconfig):
    text = (pytestconfig.rootpath / "deploy/Dockerfile").read_text(encoding="utf-8")
    [command] = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    program, name, *options = yaml.safe_load(command)
    assert program == "heartbeat"
    typer.main.get_command(app).commands[name].make_context(name, options)
    assert re.search(r"^USER heartbeat$", text, re.MULTILINE)


def test_the_files_that_the_image_copies_are_there_and_not_ignored(pytestconfig):
    root = pytestconfig.rootpath
    text = (root / "deploy/Dockerfile").read_text(encoding="utf-8")
    kept = (root / "deploy/Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE):
        for name in shlex.split(line)[:-1]:
            assert (root / name).exists()
            assert f"!{name}" in kept


def test_the_service_lives_on_until_its_last_request_is_answered(pytestconfig):
    text = (pytestconfig.rootpath / "deploy/compose.yaml").read_text(encoding="utf-8")
    grace = yaml.safe_load(text)["services"]["service"]["stop_grace_period"]
    assert LIMITS.receive_s + LIMITS.answer_s < LAST_REQUESTS_S < int(grace.removesuffix("s"))


def test_every_image_and_requirement_is_pinned(pytestconfig):
    deploy = pytestconfig.rootpath / "deploy"
    services = yaml.safe_load((deploy / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert {"database", "objects", "mlflow", "service"} <= set(services)
    for name, service in services.items():
        tag = service["image"].partition(":")[2]
        assert tag not in ("", "latest") or "build" in service, name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    wanted = [line for line in (deploy / "requirements.in").read_text().split("\n") if line and line[0] != "#"]
    locked = (deploy / "requirements.lock").read_text(encoding="utf-8")
    assert all(re.search(rf"^{name}==", locked, re.MULTILINE) for name in wanted)
    assert not re.search(r"^(tensorflow|keras)==", locked, re.MULTILINE)
    packages = re.split(r"^(?=[a-z0-9])", locked, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in package for package in packages)
