"""What a training leaves in its run: for `train`, and for `evaluate` where the store does not know the run."""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import UserError
from pipeline.model.examples import Examples, RecordingExamples
from pipeline.model.export import export_onnx
from pipeline.tracking.exported import log_onnx
from pipeline.tracking.failures import explained
from pipeline.tracking.models import KERAS_NAME, MODEL_NAME, log_model
from pipeline.tracking.recordings import log_recording_model
from pipeline.tracking.runs import backfill_history
from pipeline.tracking.store import Store

_EXAMPLES = 2
_COLUMNS = {"epoch", "loss", "val_loss", "val_macro_f1", "seconds"}


def read_history(path: Path) -> pd.DataFrame:
    """Read the epochs that `train` wrote.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        history = pd.read_csv(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `dvc repro` so that `train` writes it") from error
    except ValueError:
        history = pd.DataFrame()
    if not set(history.columns) >= _COLUMNS:
        raise UserError(f"{path}: damaged; delete it and run `dvc repro`")
    return history


def enter_results(
    store: Store, run_id: str, protocol: str, model: Any, history: pd.DataFrame, validation: Examples
) -> None:
    """Log the history and the model; of one that reads recordings the ONNX file and the model of recordings, too."""
    backfill_history(store, run_id, history)
    with explained(store.uri):
        store.client.log_metric(run_id, "parameters", model.count_params())
        store.client.log_metric(run_id, "train_seconds", float(history.seconds.sum()))
    example = validation.example(_EXAMPLES)
    reads_recordings = isinstance(validation, RecordingExamples)
    name = KERAS_NAME if reads_recordings else MODEL_NAME
    log_model(store, run_id, model, example, model.predict(example, verbose=0), name)
    if reads_recordings:
        with tempfile.TemporaryDirectory() as folder:
            exported = Path(folder) / "model.onnx"
            export_onnx(model, protocol, exported)
            log_onnx(store, run_id, exported)
            log_recording_model(store, run_id, exported)
