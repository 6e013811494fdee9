"""`heartbeat demo`: the same DAG on generated recordings, in a workspace that leaves the checkout as it was."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from pipeline.config import PARAMS_FILE, load_config
from pipeline.errors import UserError
from pipeline.evaluation.report import side_tables
from pipeline.evaluation.tables import rich_table
from pipeline.files import write_text

_COPIED = ("dvc.yaml", ".dvcignore", "pipeline", "data/reference", "data/own/README.md")
_MARKER = ".heartbeat-demo"
_DVC_SETTINGS = "[core]\n    no_scm = True\n    analytics = false\n    check_update = false\n"
DEMO_SETTINGS: dict[str, dict[str, Any]] = {
    "data": {"source": "synthetic", "dataset": "data/reference/synthetic"},
    "synthetic": {"minutes": 8.0},
    "model": {"architecture": "context", "context": {"members": 1}},
    "train": {"epochs": 12},
}
QUICK_SETTINGS: dict[str, dict[str, Any]] = {"synthetic": {"minutes": 1.5}, "train": {"epochs": 1}}

_PINNED: dict[str, Any] = {
    "data": {"folder": "data/own"},
    "protocols": ["kaggle", "interpatient"],
    "train": {"device": "auto", "precision": "auto"},
    "evaluate": {"sides": ["validation", "test"]},
}
"""What the demonstration shows, whatever the checkout's params have been set to meanwhile."""


def run_demo(project: Path, workspace: Path, quick: bool) -> None:
    """Make or refresh the workspace, run `dvc repro` in it, and say where everything is.

    Args:
        project: The checkout: the folder that holds dvc.yaml and params.yaml.
        workspace: Made if it is not there; a second demonstration goes on in it.
        quick: As little data and training as exercises every stage.

    Raises:
        UserError: `project` is not the checkout, `workspace` holds something else, or a stage failed.
    """
    _check_checkout(project)
    _claim(workspace)
    prepare_workspace(project, workspace, [_PINNED, DEMO_SETTINGS, *([QUICK_SETTINGS] if quick else [])])
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    finished = subprocess.run([sys.executable, "-m", "dvc", "repro"], cwd=workspace, env=environment, check=False)
    if finished.returncode:
        raise UserError(f"{workspace}: dvc repro failed, see above; `rm -r {workspace}` starts over")
    _tell(workspace)


def prepare_workspace(project: Path, workspace: Path, changes: list[dict[str, Any]]) -> None:
    """Copy the pipeline into `workspace` with changed params, and make it a DVC repository without Git.

    Raises:
        UserError: `project` is not the checkout, or its params.yaml is wrong.
    """
    _check_checkout(project)
    params = load_config(project / PARAMS_FILE).model_dump()
    for change in changes:
        params = _changed(params, change)
    workspace.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        _copy(project / name, workspace / name)
    write_text(workspace / PARAMS_FILE, yaml.safe_dump(params, sort_keys=False))
    if not (workspace / ".dvc" / "config").exists():
        subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], cwd=workspace, check=True)
    write_text(workspace / ".dvc" / "config", _DVC_SETTINGS)
    _copy(project / ".dvc" / "plots", workspace / ".dvc" / "plots")


def _changed(params: Any, change: Any) -> Any:
    """Sections merged, values replaced."""
    if not (isinstance(params, dict) and isinstance(change, dict)):
        return change
    return params | {key: _changed(params.get(key), value) for key, value in change.items()}


def _check_checkout(project: Path) -> None:
    if not (project / "dvc.yaml").exists():
        raise UserError(f"{project / 'dvc.yaml'}: not found; run from the folder of the checkout")


def _claim(workspace: Path) -> None:
    """Take a folder that is new, empty or a demonstration's: what is in it will be written over."""
    marker = workspace / _MARKER
    if workspace.exists() and not marker.exists():
        if not workspace.is_dir():
            raise UserError(f"{workspace}: a file; name a folder with --workspace")
        if any(workspace.iterdir()):
            raise UserError(
                f"{workspace}: holds files that no demonstration made; name another folder with --workspace, "
                "or remove this one"
            )
    write_text(marker, "heartbeat demo writes over what is in this folder\n")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _tell(workspace: Path) -> None:
    console = Console()
    for protocol in _PINNED["protocols"]:
        report = workspace / "reports" / protocol
        metrics = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
        registered = json.loads((workspace / "models" / f"{protocol}.registered.json").read_text(encoding="utf-8"))
        console.print(rich_table(side_tables(protocol, metrics, None)["test"]))
        console.print(f"report: {report / 'report.html'}", soft_wrap=True)
        console.print(f"registered model: {registered['model']} version {registered['version']}, alias challenger")
    console.print("\nSynthetic patients, not real ones: these figures say that the pipeline works, no more.")
    console.print(f"Look at the runs:  .venv/bin/heartbeat ui --workspace {workspace}", soft_wrap=True)
