"""A training that can be killed at any point: its whole state in one file, replaced at the end of each epoch."""

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from pipeline.errors import UserError
from pipeline.files import atomic_path

Weights = list[npt.NDArray[Any]]


@dataclass
class TrainingState:
    """What a training has reached.

    Attributes:
        history: One row an epoch: losses, scores, learning rate, seconds.
        kept_epoch: Position in `history` of the epoch whose weights are kept, or -1.
        kept_weights: The model's weights at that epoch.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    kept_epoch: int = -1
    kept_weights: Weights = field(default_factory=list)


def save_checkpoint(path: Path, model: keras.Model, state: TrainingState) -> None:
    """Write weights, optimizer, random states and history to `path`, atomically and without pickle."""
    arrays = {f"variable_{i}": np.asarray(v) for i, v in enumerate(_variables(model))}
    arrays |= {f"kept_{i}": w for i, w in enumerate(state.kept_weights)}
    told = json.dumps({"history": state.history, "kept_epoch": state.kept_epoch})
    arrays["told"] = np.frombuffer(told.encode(), dtype=np.uint8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_checkpoint(path: Path, model: keras.Model) -> TrainingState:
    """Put a saved state back into a freshly built and compiled `model`; an empty state if there is none.

    Raises:
        UserError: the file is damaged.
    """
    if not path.exists():
        return TrainingState()
    try:
        with np.load(path, allow_pickle=False) as arrays:
            told = json.loads(arrays["told"].tobytes())
            kept = [arrays[f"kept_{i}"] for i in range(len(model.get_weights()))] if told["history"] else []
            for i, variable in enumerate(_variables(model)):
                variable.assign(arrays[f"variable_{i}"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: not a checkpoint of this training ({reason}); delete it to start over") from error
    return TrainingState(told["history"], told["kept_epoch"], kept)


def _variables(model: keras.Model) -> list[Any]:
    """All state of a training: weights, the dropout layers' random states, the optimizer's moments and step."""
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]
