"""The run of one training: started by `train`, kept open, finished by `evaluate`."""

import math
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Any, TypeVar

import pandas as pd
from mlflow.entities import Metric, Param, Run
from mlflow.exceptions import MlflowException
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from pipeline.errors import UserError
from pipeline.tracking.description import describe
from pipeline.tracking.failures import explained, impatient, store_error
from pipeline.tracking.lookup import EVALUATION_FOLDER, PREDICTIONS_NAME, Scalar, record_of, title_of
from pipeline.tracking.provenance import DatasetInput, dvc_tags, mlflow_input
from pipeline.tracking.store import Store, experiment_of

Entry = TypeVar("Entry")

_monitor: Any = SystemMetricsMonitor  # MLflow left it without types.

# What MLflow takes in one request.
_PARAMS_A_BATCH = 100
_METRICS_A_BATCH = 1000
_MONITOR_STOP_S = 10.0


def start_training_run(
    store: Store,
    protocol: str,
    params: Mapping[str, Scalar],
    tags: Mapping[str, str],
    datasets: Sequence[DatasetInput],
) -> str:
    """Open a run in the protocol's experiment and return its id.

    `params` are flat. Beside `tags` the run gets the protocol and what DVC says of itself.
    Raises UserError when the store fails.
    """
    experiment = experiment_of(store, protocol)
    all_tags = {"protocol": protocol, **dvc_tags(), **tags}
    with explained(store.uri):
        created = store.client.create_run(experiment.experiment_id, tags=all_tags, run_name=title_of(params))
        run_id = str(created.info.run_id)
        entries = [Param(key, str(value)) for key, value in params.items()]
        for part in _parts(entries, _PARAMS_A_BATCH):
            store.client.log_batch(run_id, params=part)
        if datasets:
            store.client.log_inputs(run_id, [mlflow_input(used) for used in datasets])
    return run_id


def run_exists(store: Store, run_id: str) -> bool:
    """Whether the store has the run, and not among the deleted ones.

    Raises UserError when the store fails: that is no answer.
    """
    with explained(store.uri):
        return _find_run(store, run_id) is not None


def resume_run(store: Store, run_id: str) -> None:
    """Open a run again: a killed training goes on in it, or an evaluation is repeated.

    Raises UserError when the store has no such run.
    """
    if not run_exists(store, run_id):
        raise UserError(
            f"{store.shown}: there is no run {run_id}; set MLFLOW_TRACKING_URI to the store "
            "that has it, or train anew with `dvc repro --force`"
        )
    with explained(store.uri):
        store.client.update_run(run_id, status="RUNNING")


def ensure_run(
    store: Store,
    run_id: str,
    protocol: str,
    params: Mapping[str, Scalar],
    tags: Mapping[str, str],
    datasets: Sequence[DatasetInput],
) -> str:
    """Open the run again, or, in a store that does not know it, a new one tagged `restored_from`.

    Such a store is that of a fresh clone which pulled the model. The new run has neither history
    nor model: when the id returned is another one, the caller logs both.
    """
    if run_exists(store, run_id):
        resume_run(store, run_id)
        return run_id
    restored = _restored_run(store, run_id, protocol)
    if restored is not None:
        resume_run(store, restored)
        return restored
    return start_training_run(store, protocol, params, {**tags, "restored_from": run_id}, datasets)


def log_epoch(store: Store, run_id: str, epoch: int, metrics: Mapping[str, float]) -> None:
    """Log an epoch's metrics at step `epoch`; a store that fails is reported once, never raised.

    What was missed is made up for by `backfill_history`.
    """
    try:
        with impatient():
            store.client.log_batch(run_id, metrics=_points(metrics, epoch))
    except Exception as error:
        if run_id not in store.warned:
            store.warned.add(run_id)
            goes_on = "training goes on, its metrics are logged at the end"
            print(f"warning: {store_error(store.uri, error, goes_on)}", file=sys.stderr)


def backfill_history(store: Store, run_id: str, history: pd.DataFrame) -> int:
    """Log what `history` (column `epoch`, a column a metric) has and the run lacks; its number.

    Raises UserError when the store still fails.
    """
    missing: list[Metric] = []
    with explained(store.uri):
        for name in history.columns.drop("epoch"):
            logged = {point.step for point in store.client.get_metric_history(run_id, name)}
            for epoch, value in zip(history["epoch"], history[name], strict=True):
                if int(epoch) not in logged:
                    missing += _points({str(name): value}, int(epoch))
        for part in _parts(missing, _METRICS_A_BATCH):
            store.client.log_batch(run_id, metrics=part)
    return len(missing)


def log_evaluation(store: Store, run_id: str, metrics: Mapping[str, object], report: Path) -> None:
    """Log the numbers of each side, the files of the folder `report` as artifacts, and a note with the tables.

    `metrics` is nested, side first; `test.per_class.S.f1` is logged as `test.S.f1`.
    Raises UserError when the store fails.
    """
    with explained(store.uri):
        for part in _parts(_points(flat_metrics(metrics), 0), _METRICS_A_BATCH):
            store.client.log_batch(run_id, metrics=part)
        store.client.log_artifacts(run_id, str(report), EVALUATION_FOLDER)
        note = describe(record_of(store.client.get_run(run_id)))
        store.client.set_tag(run_id, MLFLOW_RUN_NOTE, note)


def log_predictions(store: Store, run_id: str, table: Path) -> None:
    """Keep the calls beat by beat, by which runs are compared and promoted, as an artifact.

    Raises UserError when the store fails.
    """
    with explained(store.uri), tempfile.TemporaryDirectory() as folder:
        named = shutil.copy(table, Path(folder) / PREDICTIONS_NAME)
        store.client.log_artifact(run_id, str(named), EVALUATION_FOLDER)


def flat_metrics(metrics: Mapping[str, object], prefix: str = "") -> dict[str, float]:
    """Nested metrics by dotted name, without the level `per_class`; leaves must be numbers."""
    flat: dict[str, float] = {}
    for key, value in metrics.items():
        if isinstance(value, Mapping):
            inner = prefix if key == "per_class" else f"{prefix}{key}."
            flat.update(flat_metrics(value, inner))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[f"{prefix}{key}"] = float(value)
    return flat


def finish(store: Store, run_id: str) -> None:
    """End the run as FINISHED: from now on it can be registered."""
    with explained(store.uri):
        store.client.set_terminated(run_id, "FINISHED")


def mark_pruned(store: Store, run_id: str) -> None:
    """End the run of a trial that was not worth going on with as FINISHED, with a tag that says so.

    Raises UserError when the store fails.
    """
    with explained(store.uri):
        store.client.set_tag(run_id, "pruned", "true")
        store.client.set_terminated(run_id, "FINISHED")


def fail(store: Store, run_id: str) -> None:
    """End the run as FAILED; a store that fails too is left alone."""
    try:
        with impatient():
            store.client.set_terminated(run_id, "FAILED")
    except Exception as error:
        nothing = "the run stays open there"
        print(f"warning: {store_error(store.uri, error, nothing)}", file=sys.stderr)


@contextmanager
def system_metrics(store: Store, run_id: str) -> Iterator[None]:
    """Sample CPU, memory, disk, network and GPU into the run while the body works."""
    monitor = None
    try:
        with impatient():
            monitor = _monitor(run_id, resume_logging=True, tracking_uri=store.uri)
            monitor.start()
    except Exception as error:
        without = "training goes on without system metrics"
        print(f"warning: {store_error(store.uri, error, without)}", file=sys.stderr)
    try:
        yield
    finally:
        if monitor is not None:
            # A store that went away would keep `finish` for minutes.
            last = threading.Thread(target=monitor.finish, daemon=True)
            last.start()
            last.join(_MONITOR_STOP_S)


def _find_run(store: Store, run_id: str) -> Run | None:
    """The run, or None when the store has none of that id or it was deleted there."""
    try:
        run = store.client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return run if run.info.lifecycle_stage == "active" else None


def _restored_run(store: Store, run_id: str, protocol: str) -> str | None:
    """The run that an earlier call opened here in place of `run_id`."""
    experiment = experiment_of(store, protocol)
    with explained(store.uri):
        found = store.client.search_runs(
            [experiment.experiment_id],
            f"tags.restored_from = '{run_id}'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
    return str(found[0].info.run_id) if found else None


def _points(metrics: Mapping[str, float], step: int) -> list[Metric]:
    now_ms = int(time() * 1000)
    return [Metric(name, float(value), now_ms, step) for name, value in metrics.items() if math.isfinite(value)]


def _parts(entries: Sequence[Entry], size: int) -> Iterable[Sequence[Entry]]:
    return (entries[start : start + size] for start in range(0, len(entries), size))
