"""The networks, written with Keras's built-in layers so that a saved model loads anywhere without our code."""

from collections.abc import Callable
from typing import Any

import keras

from pipeline.config import ContextConfig, ModelConfig, ReferenceConfig, ResidualConfig
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import CHANNELS, INTERVAL_FEATURES, RHYTHM_FEATURES
from pipeline.ecg.rows import ROW_SAMPLES
from pipeline.ecg.windows import WINDOW_SAMPLES

BidirectionalLSTM = Callable[[int, bool], Any]


def keras_lstm(units: int, return_sequences: bool) -> Any:
    """Keras's own bidirectional LSTM; cuDNN runs it on a GPU."""
    return keras.layers.Bidirectional(keras.layers.LSTM(units, return_sequences=return_sequences))


def build(
    config: ModelConfig, n_beats: int | None = None, lstm: BidirectionalLSTM = keras_lstm, apart: bool = False
) -> keras.Model:
    """The network of the chosen architecture; `n_beats` and `apart` are for the one over consecutive beats."""
    if config.architecture == "context":
        return build_context(config.context, n_beats, lstm, apart)
    if config.architecture == "residual":
        return build_residual(config.residual, lstm)
    return build_reference(config.reference, lstm)


def build_reference(config: ReferenceConfig, lstm: BidirectionalLSTM = keras_lstm) -> keras.Model:
    """The reference CNN-BiLSTM: (batch, 187, 1) rows to (batch, 5) class probabilities.

    Convolutions (kernel 3, ReLU) with max-pooling by 2 and dropout; bidirectional LSTM layers, each followed by
    dropout, all but the last returning sequences; a dense ReLU layer with dropout; softmax.

    Args:
        config: Widths and dropout.
        lstm: Makes a bidirectional LSTM layer of (units, return_sequences).
    """
    layers = keras.layers
    x = inputs = keras.Input((ROW_SAMPLES, 1), name="row")
    for filters in config.filters:
        x = layers.Conv1D(filters, 3)(x)
        # ReLU after pooling: the same function as before it, on half the samples.
        x = layers.Activation("relu")(layers.MaxPooling1D(2)(x))
        x = layers.Dropout(config.dropout)(x)
    for position, units in enumerate(config.lstm_units):
        x = lstm(units, position < len(config.lstm_units) - 1)(x)
        x = layers.Dropout(config.dropout)(x)
    x = layers.Dense(config.dense_units, activation="relu")(x)
    x = layers.Dropout(config.dropout)(x)
    outputs = layers.Dense(len(CLASSES), activation="softmax", dtype="float32", name="probability")(x)
    return keras.Model(inputs, outputs, name="reference")


def build_residual(config: ResidualConfig, lstm: BidirectionalLSTM = keras_lstm) -> keras.Model:
    """A residual CNN-BiLSTM: (batch, 187, 1) rows to (batch, 5) class probabilities.

    A convolution (kernel 7, stride 2); pre-activation residual blocks (He et al. 2016, arXiv:1603.05027) of two
    convolutions (kernel 5), all but the first of stride 2; bidirectional LSTM layers, each followed by dropout, all
    but the last returning sequences; a dense ReLU layer with dropout; softmax.

    Args:
        config: Widths and dropout; within a block dropout is a third of it.
        lstm: Makes a bidirectional LSTM layer of (units, return_sequences).
    """
    layers = keras.layers
    inputs = keras.Input((ROW_SAMPLES, 1), name="row")
    x = layers.Conv1D(config.filters[0], 7, strides=2, padding="same")(inputs)
    for position, filters in enumerate(config.filters):
        x = _residual_block(x, filters, 2 if position else 1, config.dropout / 3)
    x = layers.Dropout(config.dropout)(_normalised_relu(x))
    for position, units in enumerate(config.lstm_units):
        x = lstm(units, position < len(config.lstm_units) - 1)(x)
        x = layers.Dropout(config.dropout)(x)
    x = layers.Dense(config.dense_units, activation="relu")(x)
    x = layers.Dropout(config.dropout)(x)
    outputs = layers.Dense(len(CLASSES), activation="softmax", dtype="float32", name="probability")(x)
    return keras.Model(inputs, outputs, name="residual")


def _residual_block(x: Any, filters: int, stride: int, dropout: float) -> Any:
    layers = keras.layers
    y = _normalised_relu(x)
    if stride > 1 or x.shape[-1] != filters:
        x = layers.Conv1D(filters, 1, strides=stride, padding="same", use_bias=False)(y)
    y = layers.Conv1D(filters, 5, strides=stride, padding="same", use_bias=False)(y)
    y = layers.Dropout(dropout)(_normalised_relu(y))
    return layers.Add()([x, layers.Conv1D(filters, 5, padding="same")(y)])


def _normalised_relu(x: Any) -> Any:
    return keras.layers.Activation("relu")(keras.layers.BatchNormalization()(x))


def build_context(
    config: ContextConfig,
    n_beats: int | None = None,
    lstm: BidirectionalLSTM = keras_lstm,
    apart: bool = False,
) -> keras.Model:
    """The beat-context CNN-BiLSTM: consecutive beats of recordings to (batch, beats, 5) class probabilities.

    A CNN encodes each beat: convolutions over time (kernels 7, 5, 5, ...; stride 2, ReLU), then a dense layer. Its
    rhythm features join through a dense layer of half the width. A BiLSTM runs over the beats; softmax for each.
    Of several members, each such a network of its own, the mean probability counts (Lakshminarayanan, Pritzel,
    Blundell 2017, arXiv:1612.01474).
    Inputs: `beats` (batch, beats, 126, 4) and `rhythm` (batch, beats, 14) of `pipeline.ecg.context`.

    Args:
        config: One protocol's members, their widths and dropout, and whether they are told the likeness of beats.
        n_beats: Beats in a sequence; None for any number.
        lstm: Makes a bidirectional LSTM layer of (units, return_sequences).
        apart: Give each member's probabilities, (batch, beats, members, 5), so that each learns by itself; the
            weights are those of the model that gives the mean.
    """
    if not (isinstance(config.likeness, bool) and isinstance(config.members, int)):
        raise TypeError("told by protocol: choose one with ContextConfig.of")
    layers = keras.layers
    beats = keras.Input((n_beats, WINDOW_SAMPLES, CHANNELS), name="beats")
    rhythm = keras.Input((n_beats, len(RHYTHM_FEATURES)), name="rhythm")
    told = rhythm if config.likeness else rhythm[..., : len(INTERVAL_FEATURES)]
    members = [_context_member(config, beats, told, lstm) for _ in range(config.members)]
    if apart:
        outputs = layers.Concatenate(axis=2)([layers.Reshape((n_beats or -1, 1, len(CLASSES)))(one) for one in members])
    elif len(members) > 1:
        outputs = layers.Average(dtype="float32", name="probability")(members)
    else:
        outputs = members[0]
    return keras.Model([beats, rhythm], outputs, name="context")


def _context_member(config: ContextConfig, beats: Any, rhythm: Any, lstm: BidirectionalLSTM) -> Any:
    """One network: (batch, beats, 5) probabilities."""
    layers = keras.layers
    x = beats
    for position, filters in enumerate(config.filters):
        kernel = 5 if position else 7
        x = layers.Conv2D(filters, (1, kernel), strides=(1, 2), padding="same", activation="relu")(x)
    x = layers.Reshape((beats.shape[1] or -1, x.shape[2] * x.shape[3]))(x)
    x = layers.Dropout(config.dropout)(x)
    x = layers.Dense(config.dense_units, activation="relu")(x)
    joined = layers.Concatenate()([x, layers.Dense(config.dense_units // 2, activation="relu")(rhythm)])
    x = layers.Dropout(config.dropout)(joined)
    for units in config.lstm_units:
        x = layers.Dropout(config.dropout)(lstm(units, True)(x))
    return layers.Dense(len(CLASSES), activation="softmax", dtype="float32")(x)
