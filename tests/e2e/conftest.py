"""One small run of the whole DAG, in a Git repository of its own; every end-to-end test starts from it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.demo import prepare_workspace

LITTLE = {
    "lead_swap": 0.5,
    "lead_loss": 0.1,
    "disturbance": 0.3,
    "gain": 0.1,
    "tempo": 0.1,
    "synthetic_patients": 2,
    "patients_an_epoch": 1,
}
TINY: dict[str, dict[str, Any]] = {
    "data": {"source": "synthetic", "dataset": "data/reference/synthetic"},
    "synthetic": {"minutes": 0.7},
    "model": {
        "reference": {"filters": [4, 4, 4, 4], "lstm_units": [4, 4], "dense_units": 8, "dropout": 0.1},
        "context": {"filters": [4, 4], "lstm_units": [4], "dense_units": 8, "dropout": 0.1, "members": 2},
    },
    "train": {"epochs": 1, "device": "cpu", "variation": {"kaggle": dict(LITTLE), "interpatient": dict(LITTLE)}},
}


class Workspace:
    """A folder with the pipeline in it, and the commands that a user types there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_"))}
        environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}
        environment |= {f"GIT_{who}_{what}": "tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        finished = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if check and finished.returncode:
            pytest.fail(f"{' '.join(command)}: exit code {finished.returncode}\n{finished.stdout}\n{finished.stderr}")
        return finished

    def dvc(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "dvc", *arguments).stdout

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).stdout

    def path(self, name: str) -> Path:
        return self.root / name

    def set_params(self, changes: dict[str, Any]) -> None:
        """Set params by dotted key."""
        path = self.path("params.yaml")
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        for key, value in changes.items():
            *sections, name = key.split(".")
            reduce(getitem, sections, params)[name] = value
        path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Workspace:
    """A workspace after one `dvc repro`, committed. Tests leave it as they found it."""
    project = pytestconfig.rootpath
    workspace = Workspace(tmp_path_factory.mktemp("dag") / "work space")
    workspace.root.mkdir()
    workspace.git("init", "--quiet", "--initial-branch=main")
    workspace.dvc("init", "--quiet")
    prepare_workspace(project, workspace.root, [TINY])
    shutil.copy(project / ".gitignore", workspace.root)
    # As in the checkout: with Git, and with a folder to share outputs through.
    shutil.copy(project / ".dvc" / "config", workspace.path(".dvc/config"))
    workspace.dvc("remote", "add", "--quiet", "--default", "shared", str(tmp_path_factory.mktemp("remote")))
    workspace.dvc("repro")
    workspace.git("add", "--all")
    workspace.git("commit", "--quiet", "--message", "Run the pipeline")
    return workspace


@pytest.fixture(scope="session")
def clone(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """What a second person has after `git clone` and `dvc pull`; tests may change it."""
    finished.dvc("push", "--quiet")
    root = tmp_path_factory.mktemp("second") / "clone"
    finished.git("clone", "--quiet", str(finished.root), str(root))
    workspace = Workspace(root)
    workspace.dvc("pull", "--quiet")
    return workspace


@pytest.fixture
def params_restored(finished: Workspace) -> Iterator[Workspace]:
    """Lets a test change the finished workspace's params."""
    path = finished.path("params.yaml")
    before = path.read_bytes()
    yield finished
    path.write_bytes(before)
