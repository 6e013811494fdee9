"""The model of a run that takes recordings: network, preparation of its inputs and requirements in one artifact."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import Array

import pipeline
from pipeline.ecg.aami import CLASSES
from pipeline.scoring.strips import example_strip
from pipeline.tracking.failures import explained
from pipeline.tracking.models import MODEL_NAME
from pipeline.tracking.store import Store, as_default

_SCRIPT = Path(__file__).with_name("recording_model.py")
_PARTS = ("__init__.py", "errors.py", "files.py", "ecg", "scoring")
"""Of the package, what the script imports, directly or through others."""

_REQUIRED = ("mlflow", "numpy", "pandas", "scipy", "onnxruntime", "wfdb")


def log_recording_model(store: Store, run_id: str, network: Path) -> str:
    """Log the exported `network` with all that turns a recording into its inputs, and return its URI, `models:/m-...`.

    Nothing in the artifact is pickled. The run's status stays as it is.

    Raises UserError when the store fails.
    """
    import mlflow.pyfunc

    with explained(store.uri), as_default(store), _code() as code:
        run = store.client.get_run(run_id)
        place = store.client.create_logged_model(
            run.info.experiment_id, name=MODEL_NAME, source_run_id=run_id, params=run.data.params
        )
        logged = Model.log(
            None,
            mlflow.pyfunc,
            name=MODEL_NAME,
            run_id=run_id,
            model_id=place.model_id,
            python_model=str(_SCRIPT),
            artifacts={"network": str(network)},
            code_paths=[str(code)],
            signature=recordings_signature(),
            input_example=(example_recordings(), {"rows": "beats"}),
            pip_requirements=[f"{name}=={metadata.version(name)}" for name in _REQUIRED],
        )
    return str(logged.model_uri)


def recordings_signature() -> ModelSignature:
    """One row a recording in, one row a beat out."""
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string, "record"),
        ColSpec(DataType.double, "fs_hz"),
        ColSpec(Array(Array(DataType.double)), "signal_mv"),
        ColSpec(Array(DataType.long), "beats", required=False),
    ]
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string, "record"),
        ColSpec(DataType.long, "sample"),
        ColSpec(DataType.double, "time_s"),
        ColSpec(DataType.string, "predicted"),
        *(ColSpec(DataType.float, f"p_{name}") for name in CLASSES),
    ]
    return ModelSignature(Schema(inputs), Schema(outputs), ParamSchema([ParamSpec("rows", DataType.string, "beats")]))


def example_recordings() -> pd.DataFrame:
    """One generated recording as a row, with its beats."""
    strip = example_strip()
    return pd.DataFrame({name: [value] for name, value in asdict(strip).items()})


@contextmanager
def _code() -> Iterator[Path]:
    """A folder `pipeline` that holds the parts of the package that the model needs, without compiled files."""
    source = Path(pipeline.__file__).parent
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / source.name
        folder.mkdir()
        for part in _PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source / part, folder / part)
        yield folder
