"""The training twin of the LSTM computes what Keras's own layer computes, and so do its gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.architectures import keras_lstm
from pipeline.model.lstm import UnrolledBidirectionalLSTM


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("steps", [2, 3, 7])
def test_outputs_and_gradients_are_keras_own(return_sequences: bool, steps: int) -> None:
    keras.utils.set_random_seed(3)
    inputs = tf.constant(np.random.default_rng(0).normal(size=(5, steps, 4)).astype(np.float32))
    layer, twin = keras_lstm(6, return_sequences), UnrolledBidirectionalLSTM(6, return_sequences)
    layer(inputs), twin(inputs)
    weights = [np.random.default_rng(i).normal(size=w.shape) * 0.5 for i, w in enumerate(layer.get_weights())]
    layer.set_weights(weights)
    twin.set_weights(weights)

    results = []
    for each in (layer, twin):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = each(inputs)
            target = tf.reduce_sum(
                output * tf.sin(tf.range(tf.size(output), dtype=tf.float32) + 1.0).numpy().reshape(output.shape)
            )
        wanted = [inputs, *[w.value for w in each.trainable_weights]]
        results.append([output, *tape.gradient(target, wanted)])

    for expected, actual in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, atol=2e-6)
