"""The score that models are chosen by."""

from typing import Any

import numpy.typing as npt
from sklearn.metrics import f1_score

from pipeline.ecg.aami import CLASSES


def macro_f1(labels: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> float:
    """The mean F1 of all five classes, whether or not they occur; one never predicted and without beats counts as 0.

    Args:
        labels, predicted: (n,) int, positions in `CLASSES`.
    """
    return float(f1_score(labels, predicted, labels=range(len(CLASSES)), average="macro", zero_division=0))
