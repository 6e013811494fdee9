"""Two classifiers on the same beats: how much better is one, and how sure is that?

Paired percentile bootstrap over records: each resample draws records once, for both, so that what makes a record hard
for either cancels out. After Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 16.
"""

from typing import Any

from numpy.typing import NDArray

from pipeline.evaluation.confusions import overall_scores, record_confusions
from pipeline.evaluation.intervals import RESAMPLES, SEED, Estimate, draw_records, estimate, resampled


def paired_differences(
    records: NDArray[Any],
    y_true: NDArray[Any],
    y_first: NDArray[Any],
    y_second: NDArray[Any],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Estimate]:
    """Scores of the second minus scores of the first, with 95 % intervals.

    Resamples in which a class has neither beats nor calls in one of the two are left out of that class's interval.
    One record alone has no interval: its ends are NaN.

    Args:
        records: (n,) the record of each beat.
        y_true: (n,) int, annotated class indexes.
        y_first, y_second: (n,) int, what each of the two called the same beats.

    Returns:
        The keys of `overall_scores`: accuracy, macro_f1, macro_f1_nsv, N_f1 ... Q_f1.

    Raises ValueError when there are no beats or the lengths differ.
    """
    lengths = {len(records), len(y_true), len(y_first), len(y_second)}
    if lengths == {0} or len(lengths) > 1:
        raise ValueError(f"expected vectors of one length with beats in them, got lengths {sorted(lengths)}")
    names, first = record_confusions(records, y_true, y_first)
    _, second = record_confusions(records, y_true, y_second)
    draws = draw_records(len(names), resamples, seed)
    whole = overall_scores(first.sum(axis=0)), overall_scores(second.sum(axis=0))
    drawn = overall_scores(resampled(first, draws)), overall_scores(resampled(second, draws))
    return {
        name: estimate(float(whole[1][name] - whole[0][name]), drawn[1][name] - drawn[0][name], len(names))
        for name in whole[0]
    }
