"""Sensitivity to ectopic beats and the cost of it, beat by beat, as ANSI/AAMI EC57 reports them.

SVEB are the beats of class S, VEB those of class V. `strict` counts every false call. `exempt` is the
standard's own count: an F or Q beat called VEB, or a Q beat called SVEB, is neither right nor wrong, and
leaves the false positive rate's numerator and denominator alike, as in `bxb` of the WFDB software package.
"""

from collections.abc import Collection
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation.confusions import Counts, Values, ratio

Group = Literal["SVEB", "VEB"]
Rule = Literal["strict", "exempt"]

GROUPS: Final[tuple[Group, ...]] = ("SVEB", "VEB")
RULES: Final[tuple[Rule, ...]] = ("strict", "exempt")
RATES: Final = ("se", "ppv", "fpr", "f1")

_CLASS: Final = {"SVEB": "S", "VEB": "V"}
_EXEMPT: Final = {"SVEB": ("Q",), "VEB": ("F", "Q")}


class Outcomes(NamedTuple):
    """Beats of a group found and missed, other beats called so and not called so; each of shape (...)."""

    tp: Counts
    fn: Counts
    fp: Counts
    tn: Counts


def outcomes(counts: Counts, group: Group, rule: Rule) -> Outcomes:
    """Count right and wrong calls of one group.

    Args:
        counts: (..., 5, 5) beats by annotated (row) and predicted (column) class.
    """
    label = CLASSES.index(_CLASS[group])
    calls = counts[..., :, label]
    tp = calls[..., label]
    fn = counts[..., label, :].sum(axis=-1) - tp
    others = [
        row for row, name in enumerate(CLASSES) if row != label and (rule == "strict" or name not in _EXEMPT[group])
    ]
    fp = calls[..., others].sum(axis=-1)
    tn = counts.sum(axis=(-2, -1)) - calls.sum(axis=-1) - fn
    return Outcomes(tp, fn, fp, tn)


def rates(counts: Counts, group: Group, rule: Rule) -> dict[str, Values]:
    """Sensitivity `se`, positive predictivity `ppv`, false positive rate `fpr` and `f1` of each matrix.

    NaN where not defined: `se` without such beats, `ppv` without such calls, `fpr` without other beats,
    `f1` without either beats or calls.

    Args:
        counts: (..., 5, 5); the values returned have shape (...).
    """
    tp, fn, fp, tn = outcomes(counts, group, rule)
    return {
        "se": ratio(tp, tp + fn),
        "ppv": ratio(tp, tp + fp),
        "fpr": ratio(fp, fp + tn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
    }


def gross(counts: Counts, group: Group, rule: Rule) -> dict[str, float]:
    """The rates of all beats pooled, from the records' matrices (r, 5, 5)."""
    return {name: float(value) for name, value in rates(counts.sum(axis=0), group, rule).items()}


def average(counts: Counts, group: Group, rule: Rule) -> dict[str, float]:
    """The mean of the records' own rates, over the records where each is defined; NaN where none is.

    Args:
        counts: (r, 5, 5) the records' matrices.
    """
    return {name: float(mean_over_records(values)) for name, values in rates(counts, group, rule).items()}


def mean_over_records(values: Values, draws: NDArray[np.int64] | None = None) -> Values:
    """The mean of the values that are defined, each counted as often as its record is drawn.

    Args:
        values: (r,) one value a record, NaN where not defined.
        draws: (..., r) how often each record is drawn; once each where not given.

    Returns:
        (...) means; NaN where no record drawn has a value.
    """
    taken = np.ones(len(values), dtype=np.int64) if draws is None else draws
    return ratio(np.asarray(taken @ np.nan_to_num(values)), np.asarray(taken @ np.isfinite(values).astype(np.int64)))


def after_learning(samples: NDArray[Any], fs_hz: float, learning_period_s: float) -> NDArray[np.bool_]:
    """(n,) bool, the beats after each record's learning period; EC57 gives a device five minutes.

    Args:
        samples: (n,) int samples of the beats from their record's start, at `fs_hz`.
    """
    return np.asarray(samples >= learning_period_s * fs_hz)


def outside(records: NDArray[Any], left_out: Collection[str]) -> NDArray[np.bool_]:
    """(n,) bool, the beats whose record is not among `left_out`."""
    return ~np.isin(np.asarray(records, dtype=np.str_), list(left_out))
