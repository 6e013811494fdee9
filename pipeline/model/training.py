"""Training: epochs in a fixed order, the best or the last one's weights kept, resumable after a kill."""

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

from pipeline.config import ContextTraining, ModelConfig, RowTraining, TrainConfig
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.scores import macro_f1
from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.model.architectures import build, keras_lstm
from pipeline.model.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from pipeline.model.device import Device, distribution_scope, prepare_device, runs_unrolled
from pipeline.model.examples import Examples
from pipeline.model.progress import TrainingProgress
from pipeline.names import ROW_ARCHITECTURES


@dataclass(frozen=True)
class Trained:
    """A finished training: the model with the weights that are kept, and one row of history an epoch."""

    model: keras.Model
    history: pd.DataFrame
    kept_epoch: int
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
    """Train until the last epoch, and keep its weights or those of the best by validation macro-F1, as `keep` says.

    Where the best is kept, training ends when validation macro-F1 has not risen for `patience` epochs.

    The state is written to `checkpoint` after every epoch; called again with the same arguments, it goes on from there
    and, on a CPU, ends with the same weights as if it had not been stopped.

    Args:
        on_epoch: Told each epoch's number, from 0, and its history row.
    """
    device = prepare_device(config)
    keras.utils.set_random_seed(config.seed)
    settings, epochs = config.of(model_config.architecture), config.epochs_of(model_config.architecture)
    with distribution_scope(device):
        model = build(model_config, config.context.stretch_beats, _lstm(device), apart=True)
        _compile(model, _rate(settings, epochs, training.n_inputs))
        judge = model if model_config.architecture in ROW_ARCHITECTURES else build(model_config)
    state = load_checkpoint(checkpoint, model)
    progress = TrainingProgress(title, epochs, len(state.history), len(training.labels))
    try:
        for epoch in range(len(state.history), epochs):
            if settings.keep == "best" and epoch - state.kept_epoch > config.patience:
                break
            row = _fit(model, training, _order(config.seed, epoch), settings.batch_size, progress)
            judge.set_weights(model.get_weights())
            row = {"epoch": epoch + 1, **row, **_judged(validation.labels, validation.predict(judge))}
            state.history.append(row)
            best = max((one["val_macro_f1"] for one in state.history[:-1]), default=-1.0)
            if settings.keep == "last" or row["val_macro_f1"] > best:
                state.kept_epoch, state.kept_weights = epoch, model.get_weights()
            save_checkpoint(checkpoint, model, state)
            progress.epoch_done(row, max(best, row["val_macro_f1"]))
            on_epoch(epoch, row)
    finally:
        progress.close()
    return Trained(_portable(model_config, state), pd.DataFrame(state.history), state.kept_epoch, device)


def _lstm(device: Device) -> Callable[[int, bool], Any]:
    if not runs_unrolled(device):
        return keras_lstm
    from pipeline.model.lstm import UnrolledBidirectionalLSTM

    return UnrolledBidirectionalLSTM


def _order(seed: int, epoch: int) -> np.random.Generator:
    """What decides an epoch's order: seed and epoch alone, so that a training that was stopped goes on as it would."""
    return np.random.default_rng([seed, epoch])


def _rate(settings: RowTraining | ContextTraining, epochs: int, n_inputs: int) -> Any:
    """The learning rate by step: an epoch of warm-up, then cosine decay to zero."""
    steps = -(-n_inputs // settings.batch_size)
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(steps * (epochs - 1), 1),
        warmup_target=settings.learning_rate,
        warmup_steps=steps,
    )


def _compile(model: keras.Model, rate: Any) -> None:
    model.compile(
        optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", weighted_metrics=["accuracy"]
    )


def _fit(
    model: keras.Model, training: Examples, order: np.random.Generator, batch_size: int, progress: TrainingProgress
) -> dict[str, float]:
    """One pass over the training side; its seconds count the making of the batches."""
    started = time.monotonic()
    batches = training.epoch(order)
    labels, weights = batches.labels, batches.weights
    if weights is not None:  # Of consecutive beats, which each member learns by itself.
        members = model.output_shape[2]
        labels = np.repeat(labels[..., None], members, axis=2)
        weights = np.repeat(weights[..., None], members, axis=2)
    fitted = model.fit(
        batches.inputs,
        labels,
        sample_weight=weights,
        batch_size=batch_size,
        shuffle=False,
        verbose=0,
        callbacks=[progress],
    ).history
    return {
        "loss": float(fitted["loss"][0]),
        "accuracy": float(fitted["accuracy"][0]),
        "learning_rate": float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
        "seconds": time.monotonic() - started,
    }


def _judged(labels: npt.NDArray[np.int64], probability: npt.NDArray[np.float32]) -> dict[str, float]:
    predicted = probability.argmax(axis=1)
    return {
        "val_loss": float(log_loss(labels, _normalised(probability), labels=range(len(CLASSES)))),
        "val_accuracy": float((predicted == labels).mean()),
        "val_macro_f1": macro_f1(labels, predicted),
    }


def _normalised(probability: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    exact = probability.astype(np.float64)
    return np.asarray(exact / exact.sum(axis=1, keepdims=True))


def _portable(config: ModelConfig, state: TrainingState) -> keras.Model:
    """The kept weights in a model of built-in layers."""
    keras.config.set_dtype_policy("float32")
    model = build(config)
    model.set_weights(state.kept_weights)
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
