"""Where a run comes from: the commit, the DVC stage and experiment, the data."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlflow.entities import Dataset, InputTag
from mlflow.entities import DatasetInput as MlflowDatasetInput
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

_DVC_VARIABLES = ("DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV")
_GIT_TIMEOUT_S = 10


@dataclass(frozen=True)
class DatasetInput:
    """A side of the data as a run used it; `digest` is DVC's MD5 of `source`.

    `context` is training, validation or test; `counts` are shown as the data set's profile.
    """

    name: str
    context: str
    source: Path
    digest: str
    counts: Mapping[str, int] = field(default_factory=dict)


_WRITTEN_BY_RUNS = ("dvc.lock", "reports", "data/splits", "data/validation", "README.md")
_BUT_THEM = tuple(f":(exclude){path}" for path in _WRITTEN_BY_RUNS)


def git_tags(root: Path) -> dict[str, str]:
    """`git_commit` and `git_dirty` of the repository at `root`; {} without one.

    Dirty means that what decides a run has changed since the commit: code, params, locks, reference data. What
    `dvc repro` and `heartbeat results` themselves write (dvc.lock, reports, summaries, README.md) does not count.
    """
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {}
    changes = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *_BUT_THEM)
    dirty = "false" if changes == "" else "true"
    return {"git_commit": commit, "git_dirty": dirty, "mlflow.source.git.commit": commit}


def dvc_tags() -> dict[str, str]:
    """The stage and the experiment, as DVC tells its commands; {} outside of DVC."""
    return {name: os.environ[name] for name in _DVC_VARIABLES if os.environ.get(name)}


def mlflow_input(used: DatasetInput) -> MlflowDatasetInput:
    """The entity that MLflow keeps: facts and a path, never the data themselves."""
    dataset = Dataset(
        name=used.name,
        digest=used.digest,
        source_type="local",
        source=json.dumps({"uri": str(used.source)}),
        profile=json.dumps(dict(used.counts)) if used.counts else None,
    )
    return MlflowDatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, used.context)])


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None when there is no git, no repository or no commit."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
