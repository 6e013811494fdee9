"""A bidirectional LSTM that trains faster on a CPU than Keras's loop over time steps.

Keras multiplies each time step's input and state with the weights one step after the other, and TensorFlow derives
the gradient of that loop step by step. Here, as in cuDNN, the input's product is one matrix product over all steps,
and so are the gradients of all weights; only the recurrence itself goes step by step (Appleyard, Kocisky, Blunsom
2016, arXiv:1604.01946). The arithmetic and the weights are those of `keras.layers.Bidirectional(keras.layers.LSTM)`,
in the same order, so that either layer's weights fit the other. The saved model holds Keras's own.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class UnrolledBidirectionalLSTM(keras.layers.Layer):
    """Drop-in twin of Keras's bidirectional LSTM for training with TensorFlow in float32 on a CPU.

    Input (batch, steps, features), steps fixed; output (batch, steps, 2 * units), or (batch, 2 * units) without
    `return_sequences`.
    """

    def __init__(self, units: int, return_sequences: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.return_sequences = return_sequences

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel, recurrent kernel and bias of the forward, then of the backward direction."""
        units, features = self.units, input_shape[-1]
        self.directions = [
            (
                self.add_weight(shape=(features, 4 * units), initializer="glorot_uniform"),
                self.add_weight(shape=(units, 4 * units), initializer="orthogonal"),
                self.add_weight(shape=(4 * units,), initializer="zeros"),
            )
            for _ in range(2)
        ]

    def call(self, inputs: Any) -> Any:
        """Run both directions."""
        steps = tf.transpose(inputs, (1, 0, 2))
        outputs = [
            _one_direction(steps, [w.value for w in weights], reverse, self.return_sequences)
            for weights, reverse in zip(self.directions, (False, True), strict=True)
        ]
        joined = tf.concat(outputs, -1)
        return tf.transpose(joined, (1, 0, 2)) if self.return_sequences else joined

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of `call`'s result."""
        kept = input_shape[:2] if self.return_sequences else input_shape[:1]
        return (*kept, 2 * self.units)


def _one_direction(steps: Any, weights: list[Any], reverse: bool, return_sequences: bool) -> Any:
    """One direction of the layer: (steps, batch, features) to (steps, batch, units) or the last (batch, units).

    All four gates go through one tanh: sigmoid(z) = tanh(z / 2) / 2 + 1 / 2, so gates are scaled by `half` before it,
    and by `half` and shifted by `shift` after it. Columns are Keras's: input, forget, cell, output.
    """
    n_steps, units = steps.shape[0], weights[1].shape[0]
    half = tf.constant(np.repeat([0.5, 0.5, 1.0, 0.5], units).astype(np.float32))
    shift = tf.constant(np.repeat([0.5, 0.5, 0.0, 0.5], units).astype(np.float32))

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(steps: Any, kernel: Any, recurrent: Any, bias: Any) -> tuple[Any, Callable[..., Any]]:
        kernel_half, recurrent_half = kernel * half, recurrent * half
        flat = tf.reshape(steps, (-1, steps.shape[-1]))
        projected = tf.reshape(flat @ kernel_half + bias * half, (n_steps, -1, 4 * units))
        in_order = tf.unstack(projected, num=n_steps)
        if reverse:
            in_order.reverse()
        tape = _forward(in_order, recurrent_half, half, shift)
        states = [state for *_, state in tape]
        result = tf.stack(states[::-1] if reverse else states) if return_sequences else states[-1]

        def gradient(upstream: Any) -> tuple[Any, Any, Any, Any]:
            if return_sequences:
                from_above = tf.unstack(upstream, num=n_steps)
                if reverse:
                    from_above.reverse()
            else:
                from_above = [None] * (n_steps - 1) + [upstream]
            slopes = _backward(tape, from_above, tf.transpose(recurrent_half), half)
            before, after = tf.concat(states[:-1], 0), tf.concat(slopes[1:], 0)
            if reverse:
                slopes.reverse()
            all_slopes = tf.concat(slopes, 0)
            return (
                tf.reshape(all_slopes @ tf.transpose(kernel_half), tf.shape(steps)),
                tf.matmul(flat, all_slopes, transpose_a=True) * half,
                tf.matmul(before, after, transpose_a=True) * half,
                tf.reduce_sum(all_slopes, 0) * half,
            )

        return result, gradient

    return run(steps, *weights)


def _forward(in_order: list[Any], recurrent_half: Any, half: Any, shift: Any) -> list[tuple[Any, ...]]:
    tape: list[tuple[Any, ...]] = []
    cell: Any = None
    state: Any = None
    for projected in in_order:
        squashed = tf.tanh(projected if state is None else projected + state @ recurrent_half)
        write, keep, candidate, read = tf.split(squashed * half + shift, 4, -1)
        previous = cell
        cell = write * candidate if previous is None else keep * previous + write * candidate
        cell_squashed = tf.tanh(cell)
        state = read * cell_squashed
        tape.append((squashed, write, keep, candidate, read, previous, cell_squashed, state))
    return tape


def _backward(tape: list[tuple[Any, ...]], from_above: list[Any], recurrent_transposed: Any, half: Any) -> list[Any]:
    """Gradients by each step's scaled gate inputs, in the order of the forward pass."""
    slopes: list[Any] = []
    by_state = by_cell = None
    for step, above in zip(reversed(tape), reversed(from_above), strict=True):
        squashed, write, keep, candidate, read, previous, cell_squashed, _ = step
        if above is not None:
            by_state = above if by_state is None else by_state + above
        through = by_state * read
        new_by_cell = through - through * cell_squashed * cell_squashed
        by_cell = new_by_cell if by_cell is None else new_by_cell + by_cell
        by_keep = tf.zeros_like(by_cell) if previous is None else by_cell * previous
        gates = tf.concat([by_cell * candidate, by_keep, by_cell * write, by_state * cell_squashed], -1)
        slope = gates * (half - half * squashed * squashed)
        slopes.append(slope)
        if previous is not None:
            by_state = slope @ recurrent_transposed
            by_cell = by_cell * keep
    slopes.reverse()
    return slopes
