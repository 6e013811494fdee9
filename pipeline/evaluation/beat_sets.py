"""All scores of one set of beats, with their intervals: the whole side, or what is left without some records."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation import ec57
from pipeline.evaluation.confusions import Counts, overall_scores, record_confusions
from pipeline.evaluation.intervals import Estimate, draw_records, estimate, resampled

Pooling = Literal["gross", "average"]
EctopicScores = dict[Pooling, dict[ec57.Rule, dict[ec57.Group, dict[str, Estimate]]]]


@dataclass(frozen=True)
class BeatSet:
    """A set of beats and its scores.

    Attributes:
        name: What a table calls it, e.g. "without 232".
        reason: Why these beats, or "".
        records: Number of records.
        beats: Number of beats.
        overall: Keys of `confusions.overall_scores`.
        ectopic: By pooling (gross, average), rule (strict, exempt), group (SVEB, VEB) and rate.
    """

    name: str
    reason: str
    records: int
    beats: int
    overall: dict[str, Estimate]
    ectopic: EctopicScores


def score_beat_set(
    name: str, reason: str, records: NDArray[Any], y_true: NDArray[Any], y_pred: NDArray[Any]
) -> BeatSet:
    """Score a set of beats.

    Args:
        records: (n,) record names.
        y_true, y_pred: (n,) int class indexes.
    """
    names, counts = record_confusions(records, y_true, y_pred)
    draws = draw_records(len(names))
    pooled, again = counts.sum(axis=0), resampled(counts, draws)
    points, spreads = overall_scores(pooled), overall_scores(again)
    overall = {key: estimate(float(points[key]), spreads[key], len(names)) for key in points}
    ectopic: EctopicScores = {
        "gross": {rule: {group: _gross(counts, again, group, rule) for group in ec57.GROUPS} for rule in ec57.RULES},
        "average": {
            rule: {group: _average(counts, draws, group, rule) for group in ec57.GROUPS} for rule in ec57.RULES
        },
    }
    return BeatSet(name, reason, len(names), len(y_true), overall, ectopic)


def _gross(counts: Counts, again: Counts, group: ec57.Group, rule: ec57.Rule) -> dict[str, Estimate]:
    points, spreads = ec57.gross(counts, group, rule), ec57.rates(again, group, rule)
    return {key: estimate(points[key], spreads[key], len(counts)) for key in ec57.RATES}


def _average(counts: Counts, draws: NDArray[np.int64], group: ec57.Group, rule: ec57.Rule) -> dict[str, Estimate]:
    points, by_record = ec57.average(counts, group, rule), ec57.rates(counts, group, rule)
    return {
        key: estimate(points[key], ec57.mean_over_records(by_record[key], draws), len(counts)) for key in ec57.RATES
    }
