"""The networks, written with Keras's built-in layers so that a saved model loads anywhere without our code."""

from collections.abc import Callable
from typing import Any

import keras

from pipeline.config import ContextConfig, ModelConfig, ReferenceConfig
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import CHANNELS, RHYTHM_FEATURES
from pipeline.ecg.rows import ROW_SAMPLES
from pipeline.ecg.windows import WINDOW_SAMPLES

BidirectionalLSTM = Callable[[int, bool], Any]


def keras_lstm(units: int, return_sequences: bool) -> Any:
    """Keras's own bidirectional LSTM; cuDNN runs it on a GPU."""
    return keras.layers.Bidirectional(keras.layers.LSTM(units, return_sequences=return_sequences))


def build(config: ModelConfig, n_beats: int | None = None, lstm: BidirectionalLSTM = keras_lstm) -> keras.Model:
    """The network of the chosen architecture; `n_beats` is for the one over consecutive beats."""
    if config.architecture == "context":
        return build_context(config.context, n_beats, lstm)
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


def build_context(
    config: ContextConfig, n_beats: int | None = None, lstm: BidirectionalLSTM = keras_lstm
) -> keras.Model:
    """The beat-context CNN-BiLSTM: consecutive beats of recordings to (batch, beats, 5) class probabilities.

    A CNN encodes each beat: convolutions over time (kernels 7, 5, 5, ...; stride 2, ReLU), then a dense layer. Its
    rhythm features join through a dense layer of half the width. A BiLSTM runs over the beats; softmax for each.
    Inputs: `beats` (batch, beats, 126, 4) and `rhythm` (batch, beats, 14) of `pipeline.ecg.context`.

    Args:
        config: Widths and dropout.
        n_beats: Beats in a sequence; None for any number.
        lstm: Makes a bidirectional LSTM layer of (units, return_sequences).
    """
    layers = keras.layers
    x = beats = keras.Input((n_beats, WINDOW_SAMPLES, CHANNELS), name="beats")
    rhythm = keras.Input((n_beats, len(RHYTHM_FEATURES)), name="rhythm")
    for position, filters in enumerate(config.filters):
        kernel = 5 if position else 7
        x = layers.Conv2D(filters, (1, kernel), strides=(1, 2), padding="same", activation="relu")(x)
    x = layers.Reshape((n_beats or -1, x.shape[2] * x.shape[3]))(x)
    x = layers.Dropout(config.dropout)(x)
    x = layers.Dense(config.dense_units, activation="relu")(x)
    joined = layers.Concatenate()([x, layers.Dense(config.dense_units // 2, activation="relu")(rhythm)])
    x = layers.Dropout(config.dropout)(joined)
    for units in config.lstm_units:
        x = layers.Dropout(config.dropout)(lstm(units, True)(x))
    outputs = layers.Dense(len(CLASSES), activation="softmax", dtype="float32", name="probability")(x)
    return keras.Model([beats, rhythm], outputs, name="context")
