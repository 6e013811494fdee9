"""`heartbeat results`: every published row over several seeds, from the MLflow runs into one file and the README."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.config import Config, load_config
from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.readme import pipe_table, replace_results
from pipeline.stages.entry import workspace
from pipeline.stages.protocol_data import load_protocol, run_key
from pipeline.stages.published_run import with_seed
from pipeline.tracking.lookup import RunRecord, finished_runs
from pipeline.tracking.store import open_store

RESULTS = Path("reports/results.json")
README = Path("README.md")
Row = dict[str, Any]

_MEANING = {
    "kaggle": "Beats of one patient stand on both sides: comparable to the literature, optimistic for new patients.",
    "interpatient": "No patient stands on both sides (but 201 and 202, one patient): what a new patient gets.",
}


def publish(seeds: list[int]) -> None:
    """Run what is not finished, one training after the other, then write the rows.

    Raises:
        UserError: `dvc repro` has not made the beats and splits, or a run failed.
    """
    config = load_config()
    for seed in seeds:
        with_seed(config, seed)  # A bad one is told before the first training.
    rows = []
    for protocol in config.protocols:
        data = load_protocol(protocol)
        runs = []
        for seed in seeds:
            key = run_key(with_seed(config, seed), protocol, data)
            runs.append(_finished(protocol, key) or _run(protocol, seed, key))
        rows.append(summarise_runs(config, protocol, seeds, runs))
    write_json(RESULTS, merged(_previous(), rows))
    replace_results(README, markdown(json.loads(RESULTS.read_text(encoding="utf-8"))))
    print(f"{len(rows)} rows in {RESULTS}; the tables of {README} are theirs")


def summarise_runs(config: Config, protocol: str, seeds: list[int], runs: list[RunRecord]) -> Row:
    """One published row: each test metric as median, low and high over the seeds."""

    def spread(metric: str) -> dict[str, float]:
        values = [run.metrics[metric] for run in runs]
        return {"median": statistics.median(values), "low": min(values), "high": max(values)}

    scores = ("precision", "recall", "f1")
    return {
        "protocol": protocol,
        "input": "row",
        "architecture": config.model.architecture,
        "side": "test",
        "seeds": seeds,
        "parameters": int(runs[0].metrics["parameters"]),
        "accuracy": spread("test.accuracy"),
        "macro_f1": spread("test.macro_f1"),
        "weighted_f1": spread("test.weighted_f1"),
        "validation_macro_f1": spread("validation.macro_f1"),
        "per_class": {
            name: {score: spread(f"test.{name}.{score}") for score in scores}
            | {"support": int(runs[0].metrics[f"test.{name}.support"])}
            for name in CLASSES
        },
        "train_seconds": spread("train_seconds"),
        "device": sorted({run.tags.get("device", "") for run in runs}),
        "commit": runs[0].tags.get("git_commit", ""),
        "run_ids": [run.run_id for run in runs],
    }


def merged(previous: list[Row], new: list[Row]) -> list[Row]:
    """The new rows, and the earlier ones that they do not replace."""

    def identity(row: Row) -> tuple[str, str, str]:
        return (row["protocol"], row["input"], row["architecture"])

    replaced = {identity(row) for row in new}
    return [*(row for row in previous if identity(row) not in replaced), *new]


def markdown(rows: Iterable[Row]) -> str:
    """The README's tables: one for each protocol, never merged."""
    parts = []
    rows = list(rows)
    for protocol in dict.fromkeys(row["protocol"] for row in rows):
        own = [row for row in rows if row["protocol"] == protocol]
        parts.append(f"**`{protocol}`**, test side. {_MEANING[protocol]}\n\n{_table(own)}\n")
    return "\n".join(parts)


def _table(rows: list[Row]) -> str:
    heads = ["architecture", "input", "accuracy", "macro-F1", *(f"{name} F1" for name in CLASSES), "seeds", "commit"]
    lines = []
    for row in rows:
        scores = [row["accuracy"], row["macro_f1"], *(row["per_class"][name]["f1"] for name in CLASSES)]
        cells = [row["architecture"], row["input"], *map(_spread, scores)]
        cells += [", ".join(map(str, row["seeds"])), f"`{row['commit'][:10]}`"]
        lines.append(cells)
    return pipe_table(heads, lines)


def _spread(value: dict[str, float]) -> str:
    return f"{value['median']:.4f} ({value['low']:.4f} to {value['high']:.4f})"


def _finished(protocol: str, key: str) -> RunRecord | None:
    runs = finished_runs(open_store(workspace()), protocol, {"config_key": key})
    complete = [run for run in runs if "test.macro_f1" in run.metrics and "train_seconds" in run.metrics]
    return complete[0] if complete else None


def _run(protocol: str, seed: int, key: str) -> RunRecord:
    command = [sys.executable, "-m", "pipeline.stages.published_run", protocol, str(seed)]
    if subprocess.run(command, check=False).returncode:
        raise UserError(f"{protocol}, seed {seed}: the run failed, see above; the same command goes on from there")
    run = _finished(protocol, key)
    if run is None:
        raise UserError(f"{protocol}, seed {seed}: its run is not in the MLflow store; check MLFLOW_TRACKING_URI")
    return run


def _previous() -> list[Row]:
    if not RESULTS.exists():
        return []
    rows: list[Row] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return rows
