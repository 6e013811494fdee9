"""Finding runs that are finished."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlflow.entities import InputTag, Run
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from pipeline.tracking.failures import explained
from pipeline.tracking.store import Store, experiment_name

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
            records += [
                RunRecord(
                    run_id=run.info.run_id,
                    params=run.data.params,
                    metrics=run.data.metrics,
                    tags=run.data.tags,
                    data_digests=_digests(run),
                    started_ms=run.info.start_time,
                )
                for run in page
                if wanted.items() <= run.data.tags.items()
            ]
            token = page.token
            if not token:
                break
    return records


def _digests(run: Run) -> dict[str, str]:
    """The digest of each data set of the run, by its context."""
    used = run.inputs.dataset_inputs if run.inputs else []
    return {_context(one.tags, one.dataset.name): one.dataset.digest for one in used}


def _context(tags: Sequence[InputTag], otherwise: str) -> str:
    return next((tag.value for tag in tags if tag.key == MLFLOW_DATASET_CONTEXT), otherwise)
