"""What the pipeline itself costs: time and memory of a stage, of looking for changes, of the command line."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import Job, Measured, rotated, run_all, run_command
from benchmarks.plan import Plan, Result
from benchmarks.summary import figure
from pipeline.errors import UserError

TITLE = "Stages"
ABOUT = (
    "`segment` on {records} records and `train` (protocol kaggle, one epoch on all its beats) in a workspace of their "
    "own, `dvc repro` with nothing to do in the project itself, and `heartbeat --help`: {repeats} rounds, `train` "
    "once. Peak memory is the largest resident set of the process."
)
_SEGMENT, _REPRO, _HELP, _TRAIN = "segment", "dvc repro, nothing to do", "heartbeat --help", "train, 1 epoch"
_UP_TO_DATE = "Data and pipelines are up to date."
_INPUTS = ("data/raw", "data/beats.parquet", "data/splits/kaggle.parquet")


def run(plan: Plan) -> Result:
    """Measure in a scratch workspace; the project is only looked at."""
    project = Path.cwd()
    _check(project)
    with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
        workspace = Path(folder) / "workspace"
        _prepare(project, workspace)
        short = [
            Job(_SEGMENT, 20, lambda: run_stage(workspace, "segment")),
            Job(_REPRO, 5, lambda: _nothing_to_do(project)),
            Job(_HELP, 1, lambda: run_command([Path(sys.executable).parent / "heartbeat", "--help"])),
        ]
        train = Job(_TRAIN, 120, lambda: run_stage(workspace, "train", "kaggle"))
        queue = [*([] if plan.quick else [train]), *rotated(short, plan.repeats)]
        results: dict[str, list[Measured]] = run_all("stages", queue)
    figures = [figure(name, "wall time", "s", [run.wall_s for run in runs]) for name, runs in results.items()]
    figures += [
        figure(name, "peak memory", "MiB", [run.peak_rss_mib for run in results[name]])
        for name in (_SEGMENT, _TRAIN)
        if name in results
    ]
    records = len(list((project / "data/raw").glob("*.hea")))
    return Result({"records": records, "repeats": plan.repeats}, figures)


def _check(project: Path) -> None:
    for name in _INPUTS:
        if not (project / name).exists():
            raise UserError(f"{name}: not found; run `dvc repro` first")
    status = subprocess.run([sys.executable, "-m", "dvc", "status", "--quiet"], cwd=project, check=False)
    if status.returncode:
        raise UserError("dvc.yaml: not up to date, `dvc repro` would work instead of looking; run `dvc repro` first")


def _prepare(project: Path, workspace: Path) -> None:
    from pipeline.demo import prepare_workspace

    changes: list[dict[str, dict[str, Any]]] = [{"train": {"epochs": 1}}]
    prepare_workspace(project, workspace, changes)
    for name in _INPUTS:
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(project / name, workspace / name)


def run_stage(workspace: Path, *arguments: str) -> Measured:
    """Run a stage in a workspace and measure it."""
    stage, *rest = arguments
    return run_command([sys.executable, "-m", f"pipeline.stages.{stage}", *rest], workspace)


def _nothing_to_do(project: Path) -> Measured:
    measured = run_command([sys.executable, "-m", "dvc", "repro"], project)
    if _UP_TO_DATE not in measured.output:
        raise UserError("dvc.yaml: changed while it was measured; run `dvc repro`, then this again")
    return measured
