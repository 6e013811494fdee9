"""The finished runs of a protocol as rows of text."""

from datetime import UTC, datetime

from pipeline.errors import UserError
from pipeline.tracking.lookup import RunRecord, finished_runs, registered_as
from pipeline.tracking.store import Store, experiment_name

_SCORES = ("macro_f1", "S.f1", "V.f1")
_HEAD = ("run", "started (UTC)", "architecture", "seed", "commit")
_SCORE_HEADS = tuple(f"{side}\n{name}" for side in ("validation", "test") for name in ("macro-F1", "S F1", "V F1"))


def run_rows(store: Store, protocol: str) -> list[tuple[str, ...]]:
    """The head and a row a finished run, the latest first.

    Raises UserError when there is none, or when the store fails.
    """
    found = finished_runs(store, protocol)
    if not found:
        name = experiment_name(protocol)
        raise UserError(f"{store.shown}: {name} has no finished run; make one with `dvc repro evaluate@{protocol}`")
    versions = registered_as(store, protocol)
    rows = [_row(run, versions.get(run.run_id, "")) for run in sorted(found, key=lambda run: -run.started_ms)]
    return [(*_HEAD, *_SCORE_HEADS, "version"), *rows]


def _row(run: RunRecord, version: str) -> tuple[str, ...]:
    scores = [run.metrics.get(f"{side}.{name}") for side in ("validation", "test") for name in _SCORES]
    return (
        run.run_id[:8],
        datetime.fromtimestamp(run.started_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M"),
        run.params.get("model.architecture", ""),
        run.params.get("train.seed", ""),
        run.tags.get("git_commit", "")[:8],
        *("" if score is None else f"{score:.4f}" for score in scores),
        version,
    )
