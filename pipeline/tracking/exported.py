"""The exported model beside the Keras one: an artifact of its run, found through the registry."""

import re
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from pipeline.errors import UserError
from pipeline.tracking.failures import explained
from pipeline.tracking.store import Store

ONNX_FOLDER = "onnx"
ONNX_FILE = f"{ONNX_FOLDER}/model.onnx"

_URI = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def log_onnx(store: Store, run_id: str, path: Path) -> None:
    """Keep the file `model.onnx` at `path` as the run's artifact `onnx/model.onnx`.

    Raises UserError when the store fails.
    """
    with explained(store.uri):
        store.client.log_artifact(run_id, str(path), ONNX_FOLDER)


def version_at(store: Store, uri: str) -> ModelVersion:
    """The registered version at `models:/name@alias` or `models:/name/3`.

    Raises UserError when that is no such address, the registry has no such version, or the store fails.
    """
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise UserError(f"{uri}: not a model's address; write models:/heartbeat-interpatient@champion or models:/.../3")
    name, alias, version = parts["name"], parts["alias"], parts["version"]
    with explained(store.uri):
        try:
            return (
                store.client.get_model_version_by_alias(name, alias)
                if alias
                else store.client.get_model_version(name, version)
            )
        except MlflowException as error:
            if error.error_code not in _ABSENT:
                raise
            raise UserError(
                f"{uri}: not in {store.shown}; `heartbeat versions --protocol ...` lists what is"
            ) from error


def download_onnx(store: Store, uri: str, folder: Path) -> Path:
    """Copy the exported model of a registered version, `models:/name@alias` or `models:/name/3`, into `folder`.

    Raises UserError when the registry has no such version, its run no exported model, or when the store fails.
    """
    run_id = str(version_at(store, uri).run_id)
    with explained(store.uri):
        present = [item.path for item in store.client.list_artifacts(run_id, ONNX_FOLDER)]
        if ONNX_FILE not in present:
            raise UserError(f"{uri}: its run {run_id} has no {ONNX_FILE}; train it anew, or name a model.onnx")
        return Path(store.client.download_artifacts(run_id, ONNX_FILE, str(folder)))
