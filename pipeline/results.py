"""`heartbeat results`: every published row over several seeds, from the MLflow runs into one file and the README."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.config import load_config
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.dataset import load_dataset
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.names import Architecture
from pipeline.readme import marked, pipe_table, replace_results
from pipeline.stages.entry import workspace
from pipeline.stages.protocol_data import load_protocol
from pipeline.stages.published_run import published_config
from pipeline.stages.run_identity import run_key
from pipeline.tracking.lookup import RunRecord, finished_runs
from pipeline.tracking.provenance import git_tags
from pipeline.tracking.store import open_store

RESULTS = Path("reports/results.json")
README = Path("README.md")
Row = dict[str, Any]

PUBLISHED: Final[dict[str, tuple[Architecture, ...]]] = {
    "kaggle": ("reference", "residual", "context"),
    "interpatient": ("reference", "context"),
}
"""The rows of each protocol; others are made where their architecture is named."""

_IDENTITY = ("data", "protocol", "input", "architecture")
_MEANING = {
    "kaggle": "Beats of one patient stand on both sides: comparable to the literature, optimistic for new patients.",
    "interpatient": "No patient stands on both sides (but 201 and 202, one patient): what a new patient gets.",
}


def publish(
    seeds: list[int], architectures: Sequence[Architecture] | None = None, protocols: Sequence[str] | None = None
) -> None:
    """Run what is not finished, one training after the other, then write the rows.

    The README's tables are of MIT-BIH; rows of other data go to the file alone.

    Args:
        architectures: Those of `PUBLISHED` by default.
        protocols: Those of params.yaml by default.

    Raises:
        UserError: `dvc repro` has not made the beats and splits, a file to be written is damaged, what a run is to be
            made from is not committed, or a run failed.
    """
    config = load_config()
    dataset = load_dataset(Path(config.data.dataset)).name
    previous, in_readme = published_rows(), config.data.source == "mitdb"
    if in_readme:
        marked(README)
    for seed in seeds:
        published_config(config, config.model.architecture, seed)  # A bad one is told before the first training.
    rows = []
    for protocol in protocols or config.protocols:
        data = load_protocol(protocol)
        for architecture in architectures or PUBLISHED[protocol]:
            runs = []
            for seed in seeds:
                key = run_key(published_config(config, architecture, seed), protocol, data)
                runs.append(_finished(protocol, key) or _run(protocol, architecture, seed, key))
            rows.append(summarise_runs(dataset, protocol, seeds, runs))
    published = merged(previous, rows)
    write_json(RESULTS, published)
    print(f"{len(rows)} rows in {RESULTS}")
    if in_readme:
        replace_results(README, markdown([row for row in published if row["data"] == dataset]))
        print(f"the tables of {README} are theirs")


def summarise_runs(dataset: str, protocol: str, seeds: list[int], runs: list[RunRecord]) -> Row:
    """One published row: each test metric, or mean of metrics, as median, low and high over the seeds."""

    def spread(*metrics: str) -> dict[str, float]:
        values = [statistics.fmean(run.metrics[metric] for metric in metrics) for run in runs]
        return {"median": statistics.median(values), "low": min(values), "high": max(values)}

    scores = ("precision", "recall", "f1")
    return {
        "data": dataset,
        "test_digest": runs[0].tags["test_digest"],
        "protocol": protocol,
        "input": runs[0].tags["input"],
        "architecture": runs[0].tags["architecture"],
        "side": "test",
        "seeds": seeds,
        "parameters": int(runs[0].metrics["parameters"]),
        "accuracy": spread("test.accuracy"),
        "macro_f1": spread("test.macro_f1"),
        "macro_f1_nsv": spread(*(f"test.{name}.f1" for name in "NSV")),
        "weighted_f1": spread("test.weighted_f1"),
        "validation_macro_f1": spread("validation.macro_f1"),
        "per_class": {
            name: {score: spread(f"test.{name}.{score}") for score in scores}
            | {"support": int(runs[0].metrics[f"test.{name}.support"])}
            for name in CLASSES
        },
        "train_seconds": spread("train_seconds"),
        "device": sorted({run.tags.get("device", "") for run in runs}),
        "commit": runs[-1].tags["git_commit"],
        "commits": list(dict.fromkeys(run.tags["git_commit"] for run in runs)),
        "run_ids": [run.run_id for run in runs],
    }


def merged(previous: list[Row], new: list[Row]) -> list[Row]:
    """The new rows, and the earlier ones that they neither replace nor leave without a like.

    A protocol's rows stand in one table, so an earlier row on another test side of the same data is dropped.
    """

    def identity(row: Row) -> tuple[str, ...]:
        return tuple(row[key] for key in _IDENTITY)

    replaced = {identity(row) for row in new}
    tests = {(row["data"], row["protocol"]): row["test_digest"] for row in new}
    compared = [row for row in previous if tests.get((row["data"], row["protocol"])) in (None, row["test_digest"])]
    return [*(row for row in compared if identity(row) not in replaced), *new]


def markdown(rows: Iterable[Row]) -> str:
    """The README's tables: one for each protocol, never merged."""
    parts = []
    rows = list(rows)
    for protocol in dict.fromkeys(row["protocol"] for row in rows):
        own = [row for row in rows if row["protocol"] == protocol]
        parts.append(f"**`{protocol}`**, test side. {_MEANING[protocol]}\n\n{_table(own)}\n")
    return "\n".join(parts)


def _table(rows: list[Row]) -> str:
    heads = [
        "architecture",
        "input",
        "accuracy",
        "macro-F1",
        "of N, S, V",
        *(f"{name} F1" for name in CLASSES),
        "seeds",
        "commit",
    ]
    lines = []
    for row in rows:
        scores = [
            row["accuracy"],
            row["macro_f1"],
            row["macro_f1_nsv"],
            *(row["per_class"][name]["f1"] for name in CLASSES),
        ]
        cells = [row["architecture"], row["input"], *map(_spread, scores)]
        cells += [", ".join(map(str, row["seeds"])), ", ".join(f"`{commit[:10]}`" for commit in row["commits"])]
        lines.append(cells)
    return pipe_table(heads, lines)


def _spread(value: dict[str, float]) -> str:
    return f"{value['median']:.4f} ({value['low']:.4f} to {value['high']:.4f})"


def _finished(protocol: str, key: str) -> RunRecord | None:
    """The oldest complete run of this key that is all of a commit; no other one can be made again."""
    runs = finished_runs(open_store(workspace()), protocol, {"config_key": key, "git_dirty": "false"})
    complete = [run for run in runs if "test.macro_f1" in run.metrics and "train_seconds" in run.metrics]
    return complete[0] if complete else None


def _run(protocol: str, architecture: str, seed: int, key: str) -> RunRecord:
    if git_tags(workspace()).get("git_dirty") != "false":
        raise UserError(f"{workspace()}: not all is committed, and a published row names its commit; commit first")
    command = [sys.executable, "-m", "pipeline.stages.published_run", protocol, architecture, str(seed)]
    if subprocess.run(command, check=False).returncode:
        raise UserError(
            f"{protocol}, {architecture}, seed {seed}: the run failed, see above; the same command goes on from there"
        )
    run = _finished(protocol, key)
    if run is None:
        raise UserError(
            f"{protocol}, {architecture}, seed {seed}: its run is not in the MLflow store, or was begun before all was "
            "committed; check MLFLOW_TRACKING_URI and run the same command again"
        )
    return run


def published_rows() -> list[Row]:
    """What the file of the published rows holds; nothing where there is none.

    Raises:
        UserError: it is damaged.
    """
    try:
        rows: list[Row] = json.loads(RESULTS.read_text(encoding="utf-8"))
        whole = all({*_IDENTITY, "test_digest", "commits", "run_ids"} <= row.keys() for row in rows)
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise UserError(
            f"{RESULTS}: damaged, or of an earlier version; restore it with `git checkout -- {RESULTS}`, or delete it"
        )
    return rows
