"""What went wrong with an MLflow store, said in one line and without its password."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import requests
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import UserError

PREFLIGHT_TIMEOUT_S = 4

_ONE_AT_A_TIME = threading.RLock()
_START_SERVER = "start the server or correct MLFLOW_TRACKING_URI"
_PERMISSIONS = "check the permissions of the file and its folder, or set MLFLOW_TRACKING_URI"
_LOG_IN = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"

# What to look for in the messages of MLflow, SQLAlchemy and requests; the cause; the remedy.
_KNOWN = (
    ("connection refused", "connection refused", _START_SERVER),
    ("failed to resolve", "unknown host", "correct MLFLOW_TRACKING_URI"),
    ("name or service not known", "unknown host", "correct MLFLOW_TRACKING_URI"),
    ("temporary failure in name resolution", "unknown host", "correct MLFLOW_TRACKING_URI"),
    ("timed out", "no answer in time", _START_SERVER),
    ("timeout exception", "no answer in time", _START_SERVER),
    ("remotedisconnected", "the server closed the connection", _START_SERVER),
    ("error code 401", "not logged in", _LOG_IN),
    ("error code 403", "not allowed", _LOG_IN),
    ("readonly database", "read-only", _PERMISSIONS),
    ("permission denied", "no permission", _PERMISSIONS),
    ("unable to open database file", "cannot be opened", _PERMISSIONS),
    ("not a database", "not an SQLite database", "move the file away or set MLFLOW_TRACKING_URI"),
    ("disk is full", "the disk is full", "free some space"),
    ("no space left", "the disk is full", "free some space"),
    ("database is locked", "locked by another process", "wait for it or use an MLflow server"),
    ("out-of-date database schema", "made by another MLflow", "run `mlflow db upgrade` on it"),
    ("maintenance mode", "a folder store, which MLflow retired", "set a sqlite:/// or http URI"),
    ("unsupported uri", "an address MLflow does not know", "correct MLFLOW_TRACKING_URI"),
)
_LONGEST_CAUSE = 200

STORE_FAILURES = (MlflowException, SQLAlchemyError, requests.RequestException, OSError)


def redacted(uri: str) -> str:
    """The URI without user, password and query."""
    if "://" not in uri:
        return uri
    try:
        parts = urlsplit(uri)
    except ValueError:  # As of `http://[bad`.
        return _without_secrets(uri)
    host = parts.netloc.rpartition("@")[2]
    if not host:
        return uri.partition("?")[0]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def store_error(uri: str, error: BaseException, remedy: str | None = None) -> UserError:
    """The error for the person at the terminal: which store, what is wrong, what to do.

    `remedy` overrules the one that goes with a known cause.
    """
    cause, known_remedy = _diagnosis(error)
    return UserError(f"{redacted(uri)}: MLflow store: {cause}; {remedy or known_remedy}")


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn what the store raises within into a UserError."""
    try:
        yield
    except STORE_FAILURES as error:
        raise store_error(uri, error) from error


@contextmanager
def impatient() -> Iterator[None]:
    """Let requests to a server within fail in seconds; MLflow's own patience is minutes.

    MLflow reads it from the environment, which the threads of a process share: one thread at a time is in here.
    """
    hasty = {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
        "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(PREFLIGHT_TIMEOUT_S),
    }
    with _ONE_AT_A_TIME:
        before = {name: os.environ.get(name) for name in hasty}
        os.environ.update(hasty)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _diagnosis(error: BaseException) -> tuple[str, str]:
    text = "\n".join(_messages(error))
    for needle, cause, remedy in _KNOWN:
        if needle in text.lower():
            return cause, remedy
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    cause = _without_secrets(first)[:_LONGEST_CAUSE] or type(error).__name__
    return cause, "check MLFLOW_TRACKING_URI and the store behind it"


def _messages(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield str(current)
        current = current.__cause__ or current.__context__


def _without_secrets(message: str) -> str:
    return re.sub(r"(\w://)[^/\s]*@", r"\1", re.sub(r"(\w://[^\s?]*)\?\S*", r"\1", message))
