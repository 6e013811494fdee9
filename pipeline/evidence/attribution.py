"""Integrated gradients of the network over consecutive beats: which part of which beat decided a call.

Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, ICML 2017. What is attributed is the difference of
two classes' log probabilities for one beat, ln p(called) - ln p(other); it does not saturate as probabilities do.
"""

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from pipeline.ecg.context import RHYTHM_FEATURES, ContextInputs
from pipeline.ecg.windows import WINDOW_LEADS

Floats = npt.NDArray[np.float32]

_STEPS: Final = (256, 1024, 4096)
_STEPS_AT_ONCE: Final = 16
_TOLERANCE: Final = 0.005
_KEPT_FEATURES: Final = ("rr_prev", "rr_record")


@dataclass(frozen=True)
class Attribution:
    """What each input adds to the difference between a recording and its baseline.

    Attributes:
        beats: (n, 126, 4) float32.
        rhythm: (n, 14) float32.
        difference: ln p(called) - ln p(other) of the beat, less the same of the baseline; the sum of the attributions.
    """

    beats: Floats
    rhythm: Floats
    difference: float


def usual(inputs: ContextInputs) -> ContextInputs:
    """The baseline: every beat the recording's typical one, every interval the usual one."""
    typical = np.zeros_like(inputs.beats)
    typical[..., :WINDOW_LEADS] = np.median(inputs.beats[..., :WINDOW_LEADS], axis=0)
    rhythm = np.zeros_like(inputs.rhythm)
    for name in _KEPT_FEATURES:
        rhythm[:, RHYTHM_FEATURES.index(name)] = np.median(inputs.rhythm[:, RHYTHM_FEATURES.index("rr_record")])
    for lead in range(WINDOW_LEADS):
        present = typical[..., lead].any()
        for kind in ("record", "prev"):
            rhythm[:, RHYTHM_FEATURES.index(f"likeness_{kind}_{lead}")] = float(present)
    return ContextInputs(typical, rhythm)


def integrated_gradients(
    model: keras.Model, inputs: ContextInputs, baseline: ContextInputs, beat: int, called: int, other: int
) -> Attribution:
    """Attribute the call of one beat to all inputs, along the straight line from the baseline.

    The line is cut more finely where the attributions do not yet sum to the difference within half a percent.

    Args:
        model: Of `build_context`.
        inputs, baseline: Of the same n consecutive beats.
        beat: Which of them.
        called, other: Positions in `CLASSES`.
    """
    margin = _margin(model, beat, called, other)

    def slopes(points: list[Any]) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(points)
            reached = tf.reduce_sum(margin(points))
        return tape.gradient(reached, points)

    # An LSTM run eagerly pays for each of its steps anew.
    compiled = tf.function(slopes)
    ends = [np.stack([baseline.beats, inputs.beats]), np.stack([baseline.rhythm, inputs.rhythm])]
    before, after = margin([tf.constant(each) for each in ends]).numpy().astype(np.float64)
    difference = float(after - before)
    for n_steps in _STEPS:
        beats, rhythm = _integral(compiled, inputs, baseline, n_steps)
        if abs(beats.sum() + rhythm.sum() - difference) <= _TOLERANCE * abs(difference):
            break
    return Attribution(beats.astype(np.float32), rhythm.astype(np.float32), difference)


def _integral(slopes: Any, inputs: ContextInputs, baseline: ContextInputs, n_steps: int) -> list[Any]:
    """The integral of the slopes over the line, by midpoints of equal parts: for beats and for rhythm, float64."""
    starts = (baseline.beats, baseline.rhythm)
    lengths = (inputs.beats - baseline.beats, inputs.rhythm - baseline.rhythm)
    sums = [np.zeros(length.shape, np.float64) for length in lengths]
    shares = ((np.arange(n_steps) + 0.5) / n_steps).astype(np.float32)
    for at_once in np.split(shares, range(_STEPS_AT_ONCE, n_steps, _STEPS_AT_ONCE)):
        points = [
            tf.constant(start + at_once.reshape(-1, *(1,) * length.ndim) * length)
            for start, length in zip(starts, lengths, strict=True)
        ]
        for total, gradient in zip(sums, slopes(points), strict=True):
            total += gradient.numpy().sum(axis=0)
    return [total / n_steps * length for total, length in zip(sums, lengths, strict=True)]


def _margin(model: keras.Model, beat: int, called: int, other: int) -> Any:
    """ln p(called) - ln p(other) of a beat by sequence, from what the softmax layers read: nothing underflows."""
    last = model.layers[-1]
    heads = [last] if isinstance(last, keras.layers.Dense) else model.layers[-1 - len(last.input) : -1]
    inner = keras.Model(model.inputs, [head.input for head in heads])

    def margin(points: list[Any]) -> Any:
        read = keras.tree.flatten(inner(points, training=False))
        logits = [tf.matmul(one[:, beat], head.kernel) + head.bias for one, head in zip(read, heads, strict=True)]
        summed = tf.reduce_logsumexp(tf.nn.log_softmax(tf.stack(logits)), axis=0)  # Of probabilities, over members.
        return summed[:, called] - summed[:, other]

    return margin
