"""Beat-by-beat scores of a classifier: per class, averaged, and by record."""

from typing import Any, Final, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.scores import macro_f1

_LABELS: Final = tuple(range(len(CLASSES)))
_ECTOPIC: Final = ("S", "V")


class ClassScores(TypedDict):
    """Scores of one AAMI class; `support` is the number of beats that are of it."""

    precision: float
    recall: float
    f1: float
    support: int


class Metrics(TypedDict):
    """What `metrics.json` holds for one side."""

    accuracy: float
    macro_f1: float
    weighted_f1: float
    per_class: dict[str, ClassScores]


def classification_metrics(y_true: NDArray[Any], y_pred: NDArray[Any]) -> Metrics:
    """Score predicted classes against the annotated ones.

    The macro average is over all five AAMI classes, whether or not they occur, so that runs can be
    compared; a ratio without a denominator (a class never predicted, a class without beats)
    counts as 0. Scores are unrounded float64.

    Args:
        y_true, y_pred: (n,) int, indexes into `pipeline.ecg.aami.CLASSES`.

    Raises ValueError when the arrays are empty, of different lengths or hold another label.
    """
    _check_labels(y_true, y_pred)
    precision, recall, f1, support = precision_recall_fscore_support(y_true, y_pred, labels=_LABELS, zero_division=0)
    return {
        "accuracy": float(np.mean(y_true == y_pred)),
        "macro_f1": macro_f1(y_true, y_pred),
        "weighted_f1": float(np.average(f1, weights=support)),
        "per_class": {
            name: {
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "f1": float(f1[label]),
                "support": int(support[label]),
            }
            for label, name in enumerate(CLASSES)
        },
    }


def confusion(y_true: NDArray[Any], y_pred: NDArray[Any]) -> NDArray[np.int64]:
    """Count beats by annotated (row) and predicted (column) class: (5, 5) int64."""
    _check_labels(y_true, y_pred)
    counts: NDArray[np.int64] = confusion_matrix(y_true, y_pred, labels=_LABELS).astype(np.int64)
    return counts


def per_record(records: NDArray[Any], y_true: NDArray[Any], y_pred: NDArray[Any]) -> pd.DataFrame:
    """Score each record by itself, one row a record, sorted by record.

    Columns: `record`, `beats`, `errors`, `accuracy`, `macro_f1` (over the classes annotated in that
    record), and for each of S and V `<class>_support`, `_missed` (of this class, called another),
    `_false` (called this class, of another), `_se` (sensitivity) and `_ppv` (positive
    predictivity). Se is NaN in a record without such beats, +P where none was called so. Every
    false call counts: these are the strict figures, without the exemptions of ANSI/AAMI EC57.

    Args:
        records: (n,) record names.
        y_true, y_pred: (n,) int class indexes.
    """
    _check_labels(y_true, y_pred)
    if len(records) != len(y_true):
        raise ValueError(f"{len(records)} record names for {len(y_true)} beats")
    names, member = np.unique(np.asarray(records, dtype=str), return_inverse=True)
    rows = [
        {"record": str(name)} | _record_scores(y_true[member == number], y_pred[member == number])
        for number, name in enumerate(names)
    ]
    return pd.DataFrame(rows)


def _record_scores(y_true: NDArray[Any], y_pred: NDArray[Any]) -> dict[str, float]:
    present = np.unique(y_true)
    scores: dict[str, float] = {
        "beats": len(y_true),
        "errors": int(np.sum(y_true != y_pred)),
        "accuracy": float(np.mean(y_true == y_pred)),
        "macro_f1": float(f1_score(y_true, y_pred, labels=present, average="macro", zero_division=0)),
    }
    for name in _ECTOPIC:
        actual, called = y_true == CLASSES.index(name), y_pred == CLASSES.index(name)
        hits, support, calls = (int(np.sum(each)) for each in (actual & called, actual, called))
        scores[f"{name}_support"] = support
        scores[f"{name}_missed"] = support - hits
        scores[f"{name}_false"] = calls - hits
        scores[f"{name}_se"] = hits / support if support else float("nan")
        scores[f"{name}_ppv"] = hits / calls if calls else float("nan")
    return scores


def _check_labels(y_true: NDArray[Any], y_pred: NDArray[Any]) -> None:
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or not len(y_true):
        raise ValueError(f"expected two label vectors of one length, got {y_true.shape} and {y_pred.shape}")
    found = np.union1d(y_true, y_pred)
    if not np.isin(found, _LABELS).all():
        raise ValueError(f"labels must be 0..{len(CLASSES) - 1}, found {found.tolist()}")
