"""The command `heartbeat`: help at once and complete; a user's error is one line and exit code 2."""

import json
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipeline import cli, results
from pipeline.cli import app

COMMANDS = ("demo", "results", "ui", "versions", "promote")


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["heartbeat", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return ended.value.code, printed.err


def one_error_line(text):
    return text.startswith("error: ") and text.count("\n") == 1


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_lists_everything(command):
    text = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    if not command:
        for name in COMMANDS:
            assert f" {name} " in text
    else:
        group = next(each for each in app.registered_commands if each.callback.__name__ == command[0])
        assert group.callback.__doc__.split(".")[0].split("\n")[0] in text


def test_every_command_is_known_here():
    assert {each.callback.__name__ for each in app.registered_commands} == set(COMMANDS)


def test_help_imports_nothing_heavy():
    code = (
        "import sys, json\nfrom pipeline.cli import main\nsys.argv = ['heartbeat', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(finished.stderr)}
    assert "typer" in loaded
    assert not loaded & {
        "tensorflow",
        "keras",
        "mlflow",
        "pandas",
        "numpy",
        "wfdb",
        "great_expectations",
        "pyarrow",
        "sklearn",
        "dvc",
    }


@pytest.mark.parametrize("command", [["promote", "--version", "9"], ["versions"]])
def test_an_unknown_model_is_one_line(monkeypatch, capsys, tmp_path, command):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    code, err = run(monkeypatch, capsys, *command, "--workspace", str(tmp_path))
    assert code == 2
    assert "heartbeat-interpatient" in err
    assert one_error_line(err.splitlines(keepends=True)[-1])


def test_a_busy_port_is_named(monkeypatch, capsys, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, err = run(monkeypatch, capsys, "ui", "--port", str(port), "--workspace", str(tmp_path))
    assert code == 2
    assert one_error_line(err)
    assert f"port {port}: " in err
    assert "--port" in err


@pytest.mark.parametrize(
    ("seeds", "complaint"),
    [("1,two", "--seeds 1,two: not whole"), ("1,1,2", "--seeds 1,1,2: names a seed twice"), ("1,-1", "seed -1: ")],
)
def test_seeds_that_are_none(monkeypatch, capsys, pytestconfig, seeds, complaint):
    monkeypatch.chdir(pytestconfig.rootpath)
    monkeypatch.setattr(results, "load_protocol", lambda _: pytest.fail("began"))
    code, err = run(monkeypatch, capsys, "results", f"--seeds={seeds}")
    assert code == 2
    assert one_error_line(err)
    assert complaint in err


@pytest.mark.parametrize("command", [["demo"], ["results"]])
def test_outside_of_the_checkout(monkeypatch, capsys, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    code, err = run(monkeypatch, capsys, *command)
    assert code == 2
    assert one_error_line(err)
    assert ".yaml: not found; run from the folder" in err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_option_is_exit_code_2(monkeypatch, capsys):
    code, err = run(monkeypatch, capsys, "demo", "--fast")
    assert code == 2
    assert "--fast" in err
