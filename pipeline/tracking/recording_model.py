"""The model that MLflow serves: recordings in, labelled beats out. MLflow runs this file from the model's folder.

It stands in the artifact as it is here, beside the parts of `pipeline` that it imports and the network `model.onnx`.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.scoring.network import load_network
from pipeline.scoring.strips import label_strip

_COLUMNS = ["sample", "time_s", "predicted", *(f"p_{name}" for name in CLASSES)]


class RecordingModel(PythonModel):
    """Labels every beat of each row's recording."""

    def load_context(self, context: PythonModelContext) -> None:
        """Open the network that lies beside this file."""
        from pathlib import Path

        self._network = load_network(Path(context.artifacts["network"]), 1)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Label recordings.

        Args:
            context: Unused.
            model_input: One row a recording: `record`, `fs_hz`, `signal_mv` (leads x samples, mV) and, if known,
                `beats` (ascending samples); without them, beats are found.
            params: `rows` is "beats" for one row a beat, or "recordings" for one row a recording, whose columns hold
                lists, as Spark needs it.

        Raises:
            MlflowException: a recording cannot be labelled; one sentence says which and why.
        """
        rows = (params or {}).get("rows", "beats")
        if rows not in ("beats", "recordings"):
            raise MlflowException.invalid_parameter_value(f"rows: {rows!r}; write beats or recordings")
        labelled = [self._label(row) for row in model_input.to_dict("records")]
        if rows == "beats":
            return pd.concat(labelled, ignore_index=True) if labelled else pd.DataFrame(columns=["record", *_COLUMNS])
        return pd.DataFrame(
            [
                {"record": record, **{name: beats[name].tolist() for name in _COLUMNS}}
                for record, beats in zip(model_input["record"], labelled, strict=True)
            ]
        )

    def _label(self, row: Mapping[Hashable, Any]) -> pd.DataFrame:
        beats = row.get("beats")
        known = beats is not None and not (isinstance(beats, float) and pd.isna(beats))
        try:
            return label_strip(
                self._network, str(row["record"]), row["fs_hz"], row["signal_mv"], beats if known else None
            )
        except UserError as error:
            raise MlflowException.invalid_parameter_value(f"record {row['record']}: {error}") from error


set_model(RecordingModel())
