"""Precision against recall as the decision threshold of a class moves."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve

from pipeline.ecg.aami import CLASSES

_MAX_POINTS: Final = 200


def pr_curves(y_true: NDArray[Any], y_prob: NDArray[Any]) -> pd.DataFrame:
    """Trace each class against the other four; columns `class`, `recall`, `precision`.

    At most 200 points a class, spread evenly along its curve, in order of falling recall. A class
    without beats has no recall and so no curve.

    Args:
        y_true: (n,) int class indexes.
        y_prob: (n, 5) probabilities.
    """
    pieces = []
    for label, name in enumerate(CLASSES):
        actual = y_true == label
        if not actual.any():
            continue
        precision, recall, _ = precision_recall_curve(actual, y_prob[:, label])
        kept = _spread(recall, precision)
        pieces.append(pd.DataFrame({"class": name, "recall": recall[kept], "precision": precision[kept]}))
    return pd.concat(pieces, ignore_index=True)


def average_precisions(y_true: NDArray[Any], y_prob: NDArray[Any]) -> dict[str, float]:
    """The area under each class's step curve (from all its points), for the classes with beats."""
    return {
        name: float(average_precision_score(y_true == label, y_prob[:, label]))
        for label, name in enumerate(CLASSES)
        if (y_true == label).any()
    }


def _spread(recall: NDArray[Any], precision: NDArray[Any]) -> NDArray[Any]:
    """Indexes of points at about equal distance along the curve; both ends are among them."""
    if len(recall) <= _MAX_POINTS:
        return np.arange(len(recall))
    steps = np.hypot(np.diff(recall), np.diff(precision))
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    marks = np.linspace(0.0, travelled[-1], _MAX_POINTS)
    inner = np.searchsorted(travelled, marks[1:-1])
    return np.unique(np.concatenate([[0], inner, [len(recall) - 1]]))
