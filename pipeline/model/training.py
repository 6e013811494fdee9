"""Training: epochs in a fixed order, best weights by validation macro-F1, resumable after a kill."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import log_loss

from pipeline.config import ModelConfig, TrainConfig
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.scores import macro_f1
from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.model.architectures import build_reference, keras_lstm
from pipeline.model.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from pipeline.model.device import Device, distribution_scope, prepare_device, runs_unrolled
from pipeline.model.progress import TrainingProgress

_PREDICTION_BATCH = 512


@dataclass(frozen=True)
class Examples:
    """Rows and their classes.

    Attributes:
        rows: (n, 187) float32.
        labels: (n,) positions in `CLASSES`.
    """

    rows: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trained:
    """A finished training: the model with its best weights, and one row of history an epoch."""

    model: keras.Model
    history: pd.DataFrame
    best_epoch: int
    device: Device


def train(
    model_config: ModelConfig,
    config: TrainConfig,
    training: Examples,
    validation: Examples,
    checkpoint: Path,
    title: str = "train",
    on_epoch: Callable[[int, dict[str, float]], None] = lambda epoch, row: None,
) -> Trained:
    """Train until the last epoch, or until validation macro-F1 has not risen for `patience` epochs.

    The state is written to `checkpoint` after every epoch; called again with the same arguments, it goes on from there
    and, on a CPU, ends with the same weights as if it had not been stopped.

    Args:
        on_epoch: Told each epoch's number, from 0, and its history row.
    """
    device = prepare_device(config)
    keras.utils.set_random_seed(config.seed)
    with distribution_scope(device):
        model = build_reference(model_config, _lstm(device))
        _compile(model, config, len(training.labels))
    state = load_checkpoint(checkpoint, model)
    progress = TrainingProgress(title, config.epochs, len(state.history), len(training.labels), config.batch_size)
    try:
        for epoch in range(len(state.history), config.epochs):
            if epoch - state.best_epoch > config.patience:
                break
            row = _run_epoch(model, config, epoch, training, validation, progress)
            state.history.append(row)
            best = state.history[state.best_epoch]["val_macro_f1"] if state.best_weights else -1.0
            if row["val_macro_f1"] > best:
                state.best_epoch, state.best_weights = epoch, model.get_weights()
            save_checkpoint(checkpoint, model, state)
            progress.epoch_done(row, max(best, row["val_macro_f1"]))
            on_epoch(epoch, row)
    finally:
        progress.close()
    return Trained(_portable(model_config, state), pd.DataFrame(state.history), state.best_epoch, device)


def predict(model: keras.Model, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Class probabilities, (n, 5) float32, of (n, 187) rows."""
    probability = model.predict(rows[..., None], batch_size=_PREDICTION_BATCH, verbose=0)
    return np.asarray(probability, dtype=np.float32)


def _lstm(device: Device) -> Callable[[int, bool], Any]:
    if not runs_unrolled(device):
        return keras_lstm
    from pipeline.model.lstm import UnrolledBidirectionalLSTM

    return UnrolledBidirectionalLSTM


def _compile(model: keras.Model, config: TrainConfig, beats: int) -> None:
    steps = -(-beats // config.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(steps * (config.epochs - 1), 1),
        warmup_target=config.learning_rate,
        warmup_steps=steps,
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )


def _run_epoch(
    model: keras.Model,
    config: TrainConfig,
    epoch: int,
    training: Examples,
    validation: Examples,
    progress: TrainingProgress,
) -> dict[str, float]:
    """One pass over the training side, in an order that depends on seed and epoch alone."""
    order = np.random.default_rng([config.seed, epoch]).permutation(len(training.labels))
    started = time.monotonic()
    fitted = model.fit(
        training.rows[order][..., None],
        training.labels[order],
        batch_size=config.batch_size,
        shuffle=False,
        verbose=0,
        callbacks=[progress],
    ).history
    seconds = time.monotonic() - started
    probability = predict(model, validation.rows)
    predicted = probability.argmax(axis=1)
    return {
        "epoch": epoch + 1,
        "loss": float(fitted["loss"][0]),
        "accuracy": float(fitted["accuracy"][0]),
        "val_loss": float(log_loss(validation.labels, _normalised(probability), labels=range(len(CLASSES)))),
        "val_accuracy": float((predicted == validation.labels).mean()),
        "val_macro_f1": macro_f1(validation.labels, predicted),
        "learning_rate": float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
        "seconds": seconds,
    }


def _normalised(probability: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    exact = probability.astype(np.float64)
    return np.asarray(exact / exact.sum(axis=1, keepdims=True))


def _portable(config: ModelConfig, state: TrainingState) -> keras.Model:
    """The best weights in a model of built-in layers."""
    keras.config.set_dtype_policy("float32")
    model = build_reference(config)
    model.set_weights(state.best_weights)
    return model


def save_model(model: keras.Model, path: Path) -> None:
    """Write the model to `path`, atomically; nothing is left beside it when that fails."""
    with atomic_path(path) as temporary:
        named = temporary.with_suffix(".keras")  # Keras writes its format to no other ending.
        try:
            model.save(named)
            os.replace(named, temporary)
        finally:
            named.unlink(missing_ok=True)


def load_model(path: Path) -> keras.Model:
    """Load a saved model; nothing in the file is executed.

    Raises:
        UserError: the file is missing or not a Keras model.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a Keras model ({' '.join(str(error).split())}); run `dvc repro train`") from error
