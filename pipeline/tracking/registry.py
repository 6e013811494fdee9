"""The registered models: the best run of a protocol becomes a version."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import mlflow.artifacts
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from pipeline.errors import UserError
from pipeline.tracking.description import describe
from pipeline.tracking.failures import explained
from pipeline.tracking.lookup import RunRecord, finished_runs
from pipeline.tracking.models import logged_model_uri
from pipeline.tracking.store import Store, as_default, experiment_name

CHALLENGER = "challenger"
CRITERION = "validation.macro_f1"

_TAGGED_METRICS = (
    "validation.macro_f1",
    "validation.accuracy",
    "test.macro_f1",
    "test.accuracy",
)


@dataclass(frozen=True)
class Registration:
    """The version that is now `challenger`; `created` is False when it was there before."""

    name: str
    version: int
    run_id: str
    created: bool
    validation_macro_f1: float


@dataclass(frozen=True)
class VersionRecord:
    """A version of a registered model."""

    version: int
    run_id: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]


def register_best(store: Store, protocol: str, sides: Mapping[str, str]) -> Registration:
    """Make the best finished run on these sides the `challenger` of the protocol's model.

    `sides` are tags that name the beats of a run, such as `validation_digest`: scores on other
    beats do not compare. The best is the one of highest `validation.macro_f1`, the older of two alike; a run that has a
    version keeps it. Raises UserError when there is no such run, or when the store fails.
    """
    name = experiment_name(protocol)
    runs = finished_runs(store, protocol, sides)
    run, uri = _best_with_model(store, runs, protocol)
    with explained(store.uri):
        model = _find_model(store, name) or _create_model(store, name, protocol)
        version = _version_of_run(store, model.name, run.run_id)
        created = version is None
        if version is None:
            # The client looks the logged model up in MLflow's default store, not in its own.
            with as_default(store):
                version = store.client.create_model_version(
                    name, uri, run_id=run.run_id, model_id=uri.rpartition("/")[2]
                )
        number = str(version.version)
        for key, value in _version_tags(run, protocol).items():
            store.client.set_model_version_tag(name, number, key, value)
        store.client.update_model_version(name, number, describe(run))
        store.client.set_registered_model_alias(name, CHALLENGER, number)
    return Registration(name, int(number), run.run_id, created, run.metrics[CRITERION])


def versions(store: Store, protocol: str) -> list[VersionRecord]:
    """The versions of the protocol's model, the first one first.

    Raises UserError when there is no such model, or when the store fails.
    """
    model = _model(store, protocol)
    with explained(store.uri):
        found = _all_versions(store, model.name)
    return [
        VersionRecord(
            version=int(one.version),
            run_id=str(one.run_id),
            aliases=tuple(sorted(a for a, number in model.aliases.items() if int(number) == int(one.version))),
            tags=dict(one.tags),
        )
        for one in sorted(found, key=lambda one: int(one.version))
    ]


def check_files(store: Store, protocol: str, version: int) -> None:
    """Prove that the files of a version's model are still where the registry says.

    Raises UserError when they are gone, or when the store fails.
    """
    name = experiment_name(protocol)
    with explained(store.uri), as_default(store):
        place = store.client.get_model_version_download_uri(name, str(version))
        kept = mlflow.artifacts.list_artifacts(artifact_uri=place)
    if not kept:
        raise UserError(f"{name} version {version}: the files of its model are gone; restore the store's artifacts")


def _best_with_model(store: Store, runs: list[RunRecord], protocol: str) -> tuple[RunRecord, str]:
    judged = [run for run in runs if math.isfinite(run.metrics.get(CRITERION, math.nan))]
    for run in sorted(judged, key=lambda run: (-run.metrics[CRITERION], run.started_ms)):
        uri = logged_model_uri(store, run.run_id)
        if uri is not None:
            return run, uri
    raise UserError(
        f"{store.shown}: {experiment_name(protocol)} has no finished run with a model and "
        f"{CRITERION} on these sides; enter the trained model with {_enter_anew(protocol)}"
    )


def _model(store: Store, protocol: str) -> RegisteredModel:
    name = experiment_name(protocol)
    with explained(store.uri):
        model = _find_model(store, name)
    if model is None:
        raise UserError(f"{store.shown}: there is no registered model {name}; make one with {_enter_anew(protocol)}")
    return model


def _enter_anew(protocol: str) -> str:
    """What fills a store that knows neither run nor version, as in a clone that pulled: DVC finds nothing to do."""
    return f"`dvc repro -s -f evaluate@{protocol} register@{protocol}`"


def _find_model(store: Store, name: str) -> RegisteredModel | None:
    try:
        return store.client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _create_model(store: Store, name: str, protocol: str) -> RegisteredModel:
    about = f"ECG heartbeats into the five AAMI classes, protocol `{protocol}`."
    return store.client.create_registered_model(name, {"protocol": protocol}, about)


def _version_of_run(store: Store, name: str, run_id: str) -> ModelVersion | None:
    return next((one for one in _all_versions(store, name) if one.run_id == run_id), None)


def _all_versions(store: Store, name: str) -> list[ModelVersion]:
    found: list[ModelVersion] = []
    token = None
    while True:
        page = store.client.search_model_versions(f"name='{name}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _version_tags(run: RunRecord, protocol: str) -> dict[str, str]:
    """What a version should tell without its run."""
    tags = {"run_id": run.run_id, "protocol": protocol}
    for name in ("git_commit", "git_dirty", "test_digest", "validation_digest", "architecture", "input"):
        if name in run.tags:
            tags[name] = run.tags[name]
    for context, digest in run.data_digests.items():
        tags[f"data_digest_{context}"] = digest
    for name in _TAGGED_METRICS:
        if name in run.metrics:
            tags[name.replace(".", "_")] = f"{run.metrics[name]:.6f}"
    return tags
