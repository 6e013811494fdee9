"""The trained model in the run: Keras file, signature, requirements, an input example."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.types import Schema, TensorSpec
from numpy.typing import NDArray

from pipeline.tracking.failures import explained
from pipeline.tracking.store import Store, as_default

MODEL_NAME = "model"
"""The logged model that a version of the registry is."""

KERAS_NAME = "keras"
"""The Keras model of a run whose `model` takes recordings: for those who train on."""

EXAMPLE_FILE = "input_example.json"

_REQUIRED = ("keras", "tensorflow", "numpy")

Inputs = NDArray[np.floating[Any]] | Mapping[str, NDArray[np.floating[Any]]]


def log_model(
    store: Store,
    run_id: str,
    model: object,
    input_example: Inputs,
    prediction: NDArray[np.floating[Any]],
    name: str = MODEL_NAME,
) -> str:
    """Log a loaded Keras model to the run under `name` and return its URI, `models:/m-...`.

    `input_example` (beats first; by name, for a model of several inputs) and its `prediction`
    (beats x classes) give the signature. The example becomes the run's artifact
    `input_example.json`, in the form that a scoring server takes, because
    `mlflow.keras.log_model` fails on one (3.17). For the same reason this calls what that
    function calls, which can be told the run and leaves its status alone.

    Raises UserError when the store fails.
    """
    import mlflow.keras  # Brings TensorFlow, which finding a logged model does not need.

    named = isinstance(input_example, Mapping)
    example = dict(input_example) if named else input_example
    signature = infer_signature(example, prediction)
    if named:
        signature = _of_any_length(signature)
    listed = (
        {name: values.tolist() for name, values in input_example.items()}
        if isinstance(input_example, Mapping)
        else input_example.tolist()
    )
    with explained(store.uri), as_default(store):
        run = store.client.get_run(run_id)
        place = store.client.create_logged_model(
            run.info.experiment_id, name=name, source_run_id=run_id, params=run.data.params
        )
        logged = Model.log(
            None,
            mlflow.keras,
            name=name,
            run_id=run_id,
            model_id=place.model_id,
            model=model,
            signature=signature,
            pip_requirements=_installed_requirements(),
        )
        store.client.log_dict(run_id, {"inputs": listed}, EXAMPLE_FILE)
    return str(logged.model_uri)


def _of_any_length(signature: ModelSignature) -> ModelSignature:
    """The signature of a model of sequences: the second axis of every input and output is free, too."""

    def freed(schema: Schema) -> Schema:
        return Schema(
            [
                TensorSpec(spec.type, (-1, -1, *spec.shape[2:]), spec.name)
                for spec in schema.inputs
                if isinstance(spec, TensorSpec) and isinstance(spec.type, np.dtype)
            ]
        )

    return ModelSignature(freed(signature.inputs), freed(signature.outputs))


def logged_model_uri(store: Store, run_id: str) -> str | None:
    """The URI of the `model` that the run logged last; None when it logged none."""
    with explained(store.uri):
        outputs = store.client.get_run(run_id).outputs
        ids = [output.model_id for output in outputs.model_outputs] if outputs else []
        models = [store.client.get_logged_model(model_id) for model_id in ids]
    ready = [model for model in models if model.status == "READY" and model.name == MODEL_NAME]
    if not ready:
        return None
    return str(max(ready, key=lambda model: model.creation_timestamp).model_uri)


def _installed_requirements() -> list[str]:
    """What serving the model needs, at the versions that trained it."""
    found = []
    for name in _REQUIRED:
        try:
            found.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found
