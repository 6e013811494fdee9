"""Finding runs that are finished: all of a protocol, or the one that a person names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from mlflow.entities import InputTag, Run
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from pipeline.config import Protocol
from pipeline.errors import UserError
from pipeline.tracking.exported import version_at
from pipeline.tracking.failures import explained
from pipeline.tracking.store import Store, experiment_name

Scalar = str | int | float | bool | None

EVALUATION_FOLDER = "evaluation"
PREDICTIONS_NAME = "predictions.parquet"
"""The artifacts that `evaluate` leaves in a run."""

_RUNS_A_PAGE = 1000


@dataclass(frozen=True)
class RunRecord:
    """A finished run: what went in, what came out, where it is from, when it began (ms)."""

    run_id: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    data_digests: Mapping[str, str]
    started_ms: int

    @property
    def label(self) -> str:
        """What a person calls it: architecture, seed and the beginning of the id."""
        return f"{title_of(self.params)} ({self.run_id[:8]})"


def title_of(params: Mapping[str, Scalar]) -> str:
    """A run's name by its settings: "context seed 1"."""
    return f"{params.get('model.architecture', 'unnamed')} seed {params.get('train.seed', '?')}"


def finished_runs(store: Store, protocol: str, tags: Mapping[str, str] | None = None) -> list[RunRecord]:
    """The protocol's FINISHED runs that carry all of `tags`, the oldest first.

    Raises UserError when the store fails.
    """
    wanted = dict(tags or {})
    records: list[RunRecord] = []
    with explained(store.uri):
        experiment = store.client.get_experiment_by_name(experiment_name(protocol))
        token = None
        while experiment is not None:
            page = store.client.search_runs(
                [experiment.experiment_id],
                "attributes.status = 'FINISHED'",
                max_results=_RUNS_A_PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            records += [record_of(run) for run in page if wanted.items() <= run.data.tags.items()]
            token = page.token
            if not token:
                break
    return records


def find_run(store: Store, named: str) -> RunRecord:
    """The finished run that `named` means: its id, the beginning of its id, or `models:/name@alias` of its version.

    Raises UserError when there is no such run, when several begin so, or when the store fails.
    """
    begins = str(version_at(store, named).run_id) if named.startswith("models:") else named
    found = [run for protocol in get_args(Protocol) for run in finished_runs(store, protocol)]
    matches = [run for run in found if run.run_id.startswith(begins)] if begins else []
    if not matches:
        raise UserError(f"{named}: no finished run of that id in {store.shown}; `heartbeat runs` lists them")
    if len(matches) > 1:
        listed = ", ".join(run.run_id[:12] for run in matches[:5])
        raise UserError(f"{named}: {len(matches)} runs begin so ({listed}...); write more of the id")
    return matches[0]


def registered_as(store: Store, protocol: str) -> dict[str, str]:
    """What the registry calls each run that has a version, by run id: "3 challenger"."""
    name = experiment_name(protocol)
    labels = {}
    with explained(store.uri):
        aliases: dict[str, list[str]] = {}
        for model in store.client.search_registered_models(f"name='{name}'"):
            for alias, number in model.aliases.items():
                aliases.setdefault(str(number), []).append(alias)
        for version in store.client.search_model_versions(f"name='{name}'"):
            number = str(version.version)
            labels[str(version.run_id)] = " ".join([number, *sorted(aliases.get(number, []))])
    return labels


def record_of(run: Run) -> RunRecord:
    """What this package knows of an MLflow run."""
    return RunRecord(
        run_id=run.info.run_id,
        params=run.data.params,
        metrics=run.data.metrics,
        tags=run.data.tags,
        data_digests=_digests(run),
        started_ms=run.info.start_time,
    )


def _digests(run: Run) -> dict[str, str]:
    """The digest of each data set of the run, by its context."""
    used = run.inputs.dataset_inputs if run.inputs else []
    return {_context(one.tags, one.dataset.name): one.dataset.digest for one in used}


def _context(tags: Sequence[InputTag], otherwise: str) -> str:
    return next((tag.value for tag in tags if tag.key == MLFLOW_DATASET_CONTEXT), otherwise)
