"""Confusion matrices, a record each: what every score of a set of beats, and its interval, is computed from."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.ecg.aami import CLASSES

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

_N: Final = len(CLASSES)
_COMMON: Final = [CLASSES.index(name) for name in "NSV"]


def record_confusions(
    records: NDArray[Any], y_true: NDArray[Any], y_pred: NDArray[Any]
) -> tuple[NDArray[np.str_], Counts]:
    """The names of the r records, sorted, and their beats by annotated and predicted class, (r, 5, 5).

    Args:
        records: (n,) record names.
        y_true, y_pred: (n,) int class indexes.
    """
    names, member = np.unique(np.asarray(records, dtype=np.str_), return_inverse=True)
    cells = (member * _N + y_true) * _N + y_pred
    counts = np.bincount(cells, minlength=len(names) * _N * _N)
    return names, counts.reshape(len(names), _N, _N).astype(np.int64)


def overall_scores(counts: Counts) -> dict[str, Values]:
    """Accuracy, macro-F1 over all five classes and over N, S and V, and the F1 of each class.

    Macro averages count a class with neither beats nor calls as 0, as `metrics.json` does; its own F1 is
    NaN, because there is nothing to score.

    Args:
        counts: (..., 5, 5) beats by annotated (row) and predicted (column) class.

    Returns:
        Keys `accuracy`, `macro_f1`, `macro_f1_nsv`, `N_f1` ... `Q_f1`; values of shape (...).
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    f1 = ratio(2 * hits, counts.sum(axis=-1) + counts.sum(axis=-2))
    counted = np.nan_to_num(f1)
    return {
        "accuracy": ratio(hits.sum(axis=-1), counts.sum(axis=(-2, -1))),
        "macro_f1": counted.mean(axis=-1),
        "macro_f1_nsv": counted[..., _COMMON].mean(axis=-1),
        **{f"{name}_f1": f1[..., label] for label, name in enumerate(CLASSES)},
    }


def concentrations(names: NDArray[np.str_], counts: Counts, at_least: float = 0.5) -> dict[str, tuple[str, int, int]]:
    """The classes that are mostly one record's: that record, its beats of the class, and all beats of it.

    Args:
        names: (r,) record names.
        counts: (r, 5, 5) their confusion matrices; at least two records.
        at_least: The share from which a class is named.
    """
    found = {}
    of_class = counts.sum(axis=2)
    for label, aami in enumerate(CLASSES):
        most, beats = int(of_class[:, label].argmax()), int(of_class[:, label].sum())
        own = int(of_class[most, label])
        if len(names) > 1 and beats and own >= at_least * beats:
            found[aami] = (str(names[most]), own, beats)
    return found


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> Values:
    """`part / whole` element by element; NaN where `whole` is 0."""
    result = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=result, where=np.asarray(whole) > 0)
    return result
