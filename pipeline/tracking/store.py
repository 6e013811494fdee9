"""Where runs are kept: by default an SQLite file and a folder at the root of the workspace."""

import fcntl
import logging
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Experiment, LifecycleStage
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from pipeline.errors import UserError
from pipeline.files import disk_error
from pipeline.tracking.failures import (
    PREFLIGHT_TIMEOUT_S,
    explained,
    impatient,
    redacted,
    store_error,
)

URI_VARIABLE = "MLFLOW_TRACKING_URI"
STORE_FILE = "mlflow.db"
ARTIFACTS = "mlartifacts"

_SQLITE_HEADER = b"SQLite format 3\x00"
_DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


@dataclass(frozen=True)
class Store:
    """An MLflow store; `artifacts` is the folder URI for new experiments, None: the server's."""

    client: MlflowClient
    uri: str
    artifacts: str | None
    warned: set[str] = field(default_factory=set, compare=False)

    @property
    def shown(self) -> str:
        """The address, fit to be printed: without credentials."""
        return redacted(self.uri)


def open_store(root: Path, *, create: bool = True) -> Store:
    """The store at `MLFLOW_TRACKING_URI`, else `mlflow.db` at the root of the workspace.

    A relative SQLite address is taken from that root, so that every stage and every experiment
    in a temporary folder meets the same file. A new SQLite file is set up here, unless `create` is
    False: a command that only reads leaves nothing behind.

    Raises UserError when the store cannot be opened or is none, within seconds where it is away.
    """
    home = workspace_root(root)
    uri = os.environ.get(URI_VARIABLE) or f"sqlite:///{home / STORE_FILE}"
    # Failures of the database are raised as well; the traceback printed beside them helps nobody.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    try:
        file = _sqlite_file(uri, home)
        if file is not None:
            uri = f"sqlite:///{file}"
            if not create and not file.exists():
                raise UserError(
                    f"{file}: no MLflow store there; run `dvc repro`, or, in a clone that pulled its results, "
                    "`dvc repro -s -f evaluate register`; --workspace names another folder"
                )
            _check_file(file, uri)
        else:
            _check_database_port(uri)
        with _alone(file), impatient():
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            if _is_server(uri):
                client.search_experiments(max_results=1)  # Later requests wait minutes for one that is away.
    except UserError:
        raise
    except Exception as error:
        raise store_error(uri, error) from error
    return Store(client, uri, _artifact_folder(uri, file, home))


def check_writable(store: Store, protocol: str) -> None:
    """Prove, before an hour of training, that a run can be written: rows and artifacts.

    Raises UserError within seconds, naming the store, the cause and the remedy.
    """
    try:
        with impatient():
            experiment = experiment_of(store, protocol)
            now = datetime.now(UTC).isoformat()
            store.client.set_experiment_tag(experiment.experiment_id, "write_checked_at", now)
    except UserError:
        raise
    except Exception as error:
        raise store_error(store.uri, error) from error
    location = urlsplit(str(experiment.artifact_location))
    if location.scheme in ("", "file"):
        folder = Path(url2pathname(location.path))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as trial:
                trial.write(b"a model goes here")
        except OSError as error:
            raise disk_error(folder, error) from error


def experiment_of(store: Store, protocol: str) -> Experiment:
    """The experiment `heartbeat-<protocol>`, created when it is not there."""
    name = experiment_name(protocol)
    with explained(store.uri):
        found = store.client.get_experiment_by_name(name)
        if found is None:
            location = f"{store.artifacts}/{name}" if store.artifacts else None
            try:
                store.client.create_experiment(name, artifact_location=location)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = store.client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage == LifecycleStage.DELETED:
        raise UserError(
            f"{store.shown}: the experiment {name} was deleted; restore it with "
            "`mlflow experiments restore`, or remove it for good with `mlflow gc`"
        )
    return found


def experiment_name(protocol: str) -> str:
    """The name of a protocol's experiment, and of its registered model."""
    return f"heartbeat-{protocol}"


def workspace_root(root: Path) -> Path:
    """`root`, absolute; inside `.dvc/tmp/exps/` the repository that runs the experiment."""
    absolute = root.resolve()
    for folder in absolute.parents:
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2]
    return absolute


@contextmanager
def as_default(store: Store) -> Iterator[None]:
    """Make `store` the one that MLflow's module-level functions use, for as long as needed."""
    variable = os.environ.get(URI_VARIABLE)
    mlflow.set_tracking_uri(store.uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        if variable is not None:
            os.environ[URI_VARIABLE] = variable


def _sqlite_file(uri: str, home: Path) -> Path | None:
    """The file of an SQLite address; None for a server, a memory store or SQLite's own URIs."""
    if not uri.startswith("sqlite:"):
        return None
    name = make_url(uri).database
    if not name or name == ":memory:" or name.startswith("file:"):
        return None
    return home / name


def _check_file(file: Path, uri: str) -> None:
    """What MLflow would find out after half a minute of retries, or by making a folder."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            with file.open("rb") as opened:
                header = opened.read(len(_SQLITE_HEADER))
            if header not in (b"", _SQLITE_HEADER):
                raise store_error(uri, ValueError("not a database"))
        else:
            tempfile.TemporaryFile(dir=file.parent).close()
    except OSError as error:
        raise store_error(uri, error) from error


def _check_database_port(uri: str) -> None:
    """MLflow tries a database that is away for two minutes; its port answers at once or never."""
    try:
        url = make_url(uri)
    except ArgumentError:
        return
    port = url.port or _DATABASE_PORTS.get(url.drivername.partition("+")[0])
    if port and url.host and not _is_server(uri):
        socket.create_connection((url.host, port), timeout=PREFLIGHT_TIMEOUT_S).close()


def _is_server(uri: str) -> bool:
    return uri.startswith(("http:", "https:"))


@contextmanager
def _alone(file: Path | None) -> Iterator[None]:
    """Keep two first starts from migrating one SQLite file at once."""
    if file is None:
        yield
        return
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _artifact_folder(uri: str, file: Path | None, home: Path) -> str | None:
    if _is_server(uri) or uri.startswith("databricks"):
        return None
    return ((file.parent if file else home) / ARTIFACTS).as_uri()
