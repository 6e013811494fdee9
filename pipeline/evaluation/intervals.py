"""Confidence intervals by bootstrap over records: beats of one patient are not independent, patients are.

Percentile bootstrap, after Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.confusions import Counts, Values

LEVEL: Final = 0.95
RESAMPLES: Final = 2000
SEED: Final = 1


@dataclass(frozen=True)
class Estimate:
    """A score with the ends of its interval; the ends are NaN where it cannot be said."""

    value: float
    low: float
    high: float


def draw_records(n_records: int, resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.int64]:
    """How often each record stands in each resample of `n_records` records, drawn with replacement.

    Returns:
        (resamples, n_records) int; each row sums to `n_records`.
    """
    random = np.random.default_rng(seed)
    return random.multinomial(n_records, np.full(n_records, 1 / n_records), size=resamples)


def resampled(counts: Counts, draws: NDArray[np.int64]) -> Counts:
    """The pooled confusion matrix of each resample: (resamples, 5, 5) from (r, 5, 5)."""
    pooled: Counts = np.tensordot(draws, counts, axes=1)
    return pooled


def estimate(value: float, resamples: Values, n_records: int) -> Estimate:
    """The central 95 % of `resamples` around `value`.

    Resamples in which the score is not defined are left out. One record alone has no interval.

    Args:
        value: The score of all records.
        resamples: (resamples,) the score of each resample, NaN where not defined.
    """
    known = resamples[np.isfinite(resamples)]
    if n_records < 2 or not len(known) or not np.isfinite(value):
        return Estimate(float(value), float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(value), float(low), float(high))
