"""Runs of a store made ready to be compared: found, proved to be about the same beats, with their calls."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.evaluation.comparison import RunOnSide, same_beats, side_result
from pipeline.tracking.failures import explained
from pipeline.tracking.lookup import EVALUATION_FOLDER, PREDICTIONS_NAME, RunRecord, find_run
from pipeline.tracking.store import Store

PREDICTIONS_FILE: Final = f"{EVALUATION_FOLDER}/{PREDICTIONS_NAME}"
MOST_RUNS: Final = 7
_FACTS: Final = ("parameters", "train_seconds")
_COLUMNS: Final = ("side", "record", "sample", "aami", *(f"p_{name}" for name in CLASSES))


def runs_on_side(store: Store, named: Sequence[str], side: str) -> list[RunOnSide]:
    """The runs that `named` means, in that order, with what they left of `side`.

    Raises UserError when one cannot be found, was not evaluated on that side, or is about other beats than the first.
    """
    if not 2 <= len(named) <= MOST_RUNS:
        raise UserError(f"{len(named)} run{'s' * (len(named) != 1)} named: a comparison takes 2 to {MOST_RUNS}")
    records = [find_run(store, each) for each in named]
    if len({record.run_id for record in records}) < len(records):
        raise UserError(f"{', '.join(named)}: names a run twice; a run does not differ from itself")
    for record in records:
        _check_evaluated(record, side)
        _check_same_digest(records[0], record, side)
    runs = [_on_side(store, record, side) for record in records]
    kept = [(record, run.result) for record, run in zip(records, runs, strict=True) if run.result is not None]
    for record, result in kept[1:]:
        if not same_beats(kept[0][1], result):
            raise UserError(
                f"{record.label}: its {PREDICTIONS_FILE} is about other {side} beats than that of {kept[0][0].label}, "
                "though their digests agree; evaluate both again"
            )
    return runs


def read_predictions(store: Store, run_id: str) -> pd.DataFrame | None:
    """The calls beat by beat that a run kept: `side`, `record`, `sample`, `aami`, `p_N` ... `p_Q`; None without them.

    Raises UserError when the file is damaged or the store fails.
    """
    with explained(store.uri):
        if PREDICTIONS_FILE not in [item.path for item in store.client.list_artifacts(run_id, EVALUATION_FOLDER)]:
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(store.client.download_artifacts(run_id, PREDICTIONS_FILE, folder))
            try:
                predictions = pd.read_parquet(path)
            except ValueError as error:
                raise UserError(f"{run_id}: {PREDICTIONS_FILE} cannot be read; evaluate the run again") from error
    missing = [name for name in _COLUMNS if name not in predictions]
    if missing:
        raise UserError(f"{run_id}: {PREDICTIONS_FILE} lacks {', '.join(missing)}; evaluate the run again")
    if not predictions["aami"].isin(CLASSES).all():
        raise UserError(f"{run_id}: {PREDICTIONS_FILE} has classes other than {', '.join(CLASSES)}; evaluate it again")
    return predictions


def _check_evaluated(record: RunRecord, side: str) -> None:
    if f"{side}.macro_f1" not in record.metrics:
        remedy = f"name runs that have them, or evaluate it with `{side}` among evaluate.sides"
        raise UserError(f"{record.label}: has no {side} metrics; {remedy}")


def _check_same_digest(first: RunRecord, other: RunRecord, side: str) -> None:
    one, two = (record.tags.get(f"{side}_digest", "unknown") for record in (first, other))
    if one != two or "unknown" in (one, two):
        raise UserError(
            f"{first.label} and {other.label}: scores on different {side} beats do not compare (digests {one[:16]} and "
            f"{two[:16]}); choose runs of one protocol and one split"
        )


def _on_side(store: Store, record: RunRecord, side: str) -> RunOnSide:
    predictions = read_predictions(store, record.run_id)
    result = None if predictions is None else side_result(predictions, side)
    prefix = f"{side}."
    settings = {**record.params, "commit": record.tags.get("git_commit", "")[:10]}
    settings |= {"device": record.tags.get("device", ""), "protocol": record.tags.get("protocol", "")}
    settings |= {name: f"{record.metrics[name]:.0f}" for name in _FACTS if name in record.metrics}
    return RunOnSide(
        label=record.label,
        settings=settings,
        metrics={name.removeprefix(prefix): value for name, value in record.metrics.items() if name.startswith(prefix)},
        result=result if result is not None and len(result.y_true) else None,
    )
