"""The networks, written with Keras's built-in layers so that a saved model loads anywhere without our code."""

from collections.abc import Callable
from typing import Any

import keras

from pipeline.config import ModelConfig
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.rows import ROW_SAMPLES

BidirectionalLSTM = Callable[[int, bool], Any]


def keras_lstm(units: int, return_sequences: bool) -> Any:
    """Keras's own bidirectional LSTM; cuDNN runs it on a GPU."""
    return keras.layers.Bidirectional(keras.layers.LSTM(units, return_sequences=return_sequences))


def build_reference(config: ModelConfig, lstm: BidirectionalLSTM = keras_lstm) -> keras.Model:
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
