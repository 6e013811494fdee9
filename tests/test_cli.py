"""The command `heartbeat`: help at once and complete; a user's error is one line and exit code 2."""

import json
import socket
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from pipeline import cli, results
from pipeline.cli import app
from pipeline.tracking.store import open_store

COMMANDS = (
    "demo",
    "results",
    "ui",
    "runs",
    "compare",
    "profile",
    "monitor",
    "tune",
    "versions",
    "promote",
    "history",
    "rollback",
    "score",
    "serve",
    "release",
    *("robustness", "noise", "attribute", "ablation"),
)


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["heartbeat", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return ended.value.code, printed.err


def one_error_line(text):
    return text.startswith("error: ") and text.count("\n") == 1


def test_a_page_that_is_a_folder_is_refused_before_a_look_at_the_test_side(monkeypatch, capsys, tmp_path):
    told = ("compare", "--side", "test", "--workspace", str(tmp_path / "none"), "--html", str(tmp_path), "a", "b")
    code, err = run(monkeypatch, capsys, *told)
    assert (code, one_error_line(err)) == (2, True)
    assert f"{tmp_path}: is a folder" in err


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_lists_everything(command):
    text = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    if not command:
        for name in COMMANDS:
            assert f" {name} " in text
    else:
        group = next(each for each in app.registered_commands if each.callback.__name__ == command[0])
        assert group.callback.__doc__.split(".")[0].split("\n")[0] in text
        for param in typer.main.get_command(app).commands[command[0]].params:
            assert param.help, f"heartbeat {command[0]} {param.name} has no help"
            assert param.opts[0] in text


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
        "onnxruntime",
        "great_expectations",
        "pyarrow",
        "sklearn",
        "dvc",
    }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder with a store that holds one version, as `register` tags it."""
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        client = open_store(folder).client
    client.create_registered_model("heartbeat-kaggle")
    tags = {"validation_macro_f1": "0.812500", "test_macro_f1": "0.625000", "git_commit": "c0ffee"}
    client.create_model_version("heartbeat-kaggle", folder.as_uri(), tags=tags)
    return folder


def test_versions_come_with_their_scores(monkeypatch, workspace):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    command = ["versions", "--protocol", "kaggle", "--workspace", str(workspace)]
    shown = CliRunner().invoke(app, command, env={"COLUMNS": "120"}).output
    for cell in ("0.812500", "0.625000", "c0ffee"):
        assert cell in shown


@pytest.mark.parametrize(
    "command", [["promote", "--version", "9"], ["versions"], ["ui"], ["runs"], ["compare", "a", "b"]]
)
def test_reading_makes_no_store(monkeypatch, capsys, tmp_path, command):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    code, err = run(monkeypatch, capsys, *command, "--workspace", str(tmp_path / "none"))
    assert code == 2
    assert one_error_line(err)
    assert "none/mlflow.db: no MLflow store there" in err
    assert list(tmp_path.iterdir()) == []


def test_a_server_has_a_ui_of_its_own(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://ann:s3cret@runs.example.org")
    monkeypatch.setattr("mlflow.MlflowClient.search_experiments", lambda *_, **__: [])
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("started a UI"))
    monkeypatch.setattr(sys, "argv", ["heartbeat", "ui", "--workspace", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert "open https://runs.example.org in a browser" in told


@pytest.mark.parametrize("command", [["promote", "--version", "9"], ["versions"]])
def test_a_protocol_that_there_is_not(monkeypatch, capsys, command):
    code, err = run(monkeypatch, capsys, *command, "--protocol", "kagle")
    assert code == 2
    assert "'kaggle', 'interpatient'" in " ".join(err.replace("│", "").split())


@pytest.mark.parametrize("command", [["promote", "--version", "9"], ["versions"]])
def test_an_unknown_model_is_one_line(monkeypatch, capsys, workspace, command):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    code, err = run(monkeypatch, capsys, *command, "--workspace", str(workspace))
    assert code == 2
    assert "heartbeat-interpatient" in err
    assert one_error_line(err.splitlines(keepends=True)[-1])


def test_a_busy_port_is_named(monkeypatch, capsys, workspace):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, err = run(monkeypatch, capsys, "ui", "--port", str(port), "--workspace", str(workspace))
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
