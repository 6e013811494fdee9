"""How far a model's probabilities can be believed, and the one temperature that mends them best.

Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks, ICML 2017.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

BINS: Final = 15
_LEAST: Final = 1e-30
_LOG_T_BOUNDS: Final = (np.log(0.05), np.log(20.0))


def reliability(y_true: NDArray[Any], y_prob: NDArray[Any], bins: int = BINS) -> pd.DataFrame:
    """What the top probability promises and what comes true, in `bins` equal parts of 0..1.

    Columns `low`, `high` (a part holds the probabilities above `low` and up to `high`), `beats`, `confidence` (mean top
    probability) and `accuracy`; the last two are NaN in a part without beats.

    Args:
        y_true: (n,) int class indexes.
        y_prob: (n, 5) probabilities.
    """
    top, right = y_prob.max(axis=1).astype(np.float64), y_prob.argmax(axis=1) == y_true
    part = np.clip(np.ceil(top * bins).astype(np.int64) - 1, 0, bins - 1)
    beats = np.bincount(part, minlength=bins)
    some = np.where(beats > 0, beats, np.nan)
    return pd.DataFrame(
        {
            "low": np.arange(bins) / bins,
            "high": np.arange(1, bins + 1) / bins,
            "beats": beats,
            "confidence": np.bincount(part, top, bins) / some,
            "accuracy": np.bincount(part, right, bins) / some,
        }
    )


def expected_calibration_error(y_true: NDArray[Any], y_prob: NDArray[Any], bins: int = BINS) -> float:
    """The mean distance of confidence and accuracy over the parts of `reliability`, weighted by beats; 0 is best."""
    parts = reliability(y_true, y_prob, bins)
    return float(((parts["confidence"] - parts["accuracy"]).abs() * parts["beats"]).sum() / len(y_true))


def negative_log_likelihood(y_true: NDArray[Any], y_prob: NDArray[Any]) -> float:
    """The mean of minus log of the annotated class's probability, in nats."""
    return float(-np.log(np.maximum(y_prob[np.arange(len(y_true)), y_true], _LEAST).astype(np.float64)).mean())


def at_temperature(y_prob: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Probabilities with their logits divided by `temperature`: above 1 more cautious, below 1 bolder.

    The most probable class of a beat stays the same.
    """
    scaled = np.log(np.maximum(y_prob.astype(np.float64), _LEAST)) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    raised = np.exp(scaled)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def fit_temperature(y_true: NDArray[Any], y_prob: NDArray[Any]) -> float:
    """The temperature between 0.05 and 20 that makes the annotated classes most likely.

    Fitted on the validation side, never on the one it is judged by.
    """
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(y_true, at_temperature(y_prob, float(np.exp(log_t)))),
        bounds=_LOG_T_BOUNDS,
        method="bounded",
    )
    return float(np.exp(found.x))
