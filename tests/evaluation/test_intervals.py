"""Intervals by bootstrap over records: against one drawn beat by beat, and where there is none."""

import time

import numpy as np
import pytest
from sklearn.metrics import f1_score

from pipeline.evaluation.beat_sets import score_beat_set
from pipeline.evaluation.confusions import record_confusions
from pipeline.evaluation.intervals import draw_records, estimate, resampled


def invented(n_records: int, beats_each: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Records that differ in how often they are called wrongly."""
    random = np.random.default_rng(seed)
    records = np.repeat([f"{number:03d}" for number in range(n_records)], beats_each)
    y_true = random.choice(5, len(records), p=[0.6, 0.15, 0.15, 0.06, 0.04])
    wrong = random.random(len(records)) < np.repeat(random.uniform(0.05, 0.6, n_records), beats_each)
    return records, y_true, np.where(wrong, random.choice(5, len(records)), y_true)


def test_resamples_are_whole_records_drawn_with_replacement() -> None:
    draws = draw_records(22, 500, seed=1)
    assert draws.shape == (500, 22)
    assert (draws.sum(axis=1) == 22).all()
    assert draws.max() > 1
    assert (draws == draw_records(22, 500, seed=1)).all()
    assert (draws != draw_records(22, 500, seed=2)).any()


def test_a_resample_is_its_records_beats() -> None:
    records, y_true, y_pred = invented(3, 40)
    _, counts = record_confusions(records, y_true, y_pred)
    pooled = resampled(counts, np.array([[2, 0, 1]]))[0]
    drawn = np.concatenate([np.flatnonzero(records == name) for name in ("000", "000", "002")])
    assert (pooled == record_confusions(np.zeros(len(drawn)), y_true[drawn], y_pred[drawn])[1][0]).all()


def test_intervals_are_those_of_a_bootstrap_beat_by_beat() -> None:
    records, y_true, y_pred = invented(12, 60)
    random = np.random.default_rng(9)
    by_record = [np.flatnonzero(records == name) for name in np.unique(records)]
    slow = []
    for _ in range(600):
        drawn = np.concatenate([by_record[each] for each in random.integers(0, 12, 12)])
        slow.append(f1_score(y_true[drawn], y_pred[drawn], labels=range(5), average="macro", zero_division=0))
    found = score_beat_set("all", "", records, y_true, y_pred).overall["macro_f1"]
    assert [found.low, found.high] == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.02)
    assert found.low < found.value < found.high


def test_intervals_over_records_are_wider_than_over_beats() -> None:
    records, y_true, y_pred = invented(12, 200)
    over_records = score_beat_set("all", "", records, y_true, y_pred).overall["accuracy"]
    over_beats = score_beat_set("all", "", np.arange(len(records)), y_true, y_pred).overall["accuracy"]
    assert over_records.high - over_records.low > 2 * (over_beats.high - over_beats.low)


def test_one_record_has_scores_without_intervals() -> None:
    records, y_true, y_pred = invented(1, 50)
    found = score_beat_set("all", "", records, y_true, y_pred)
    scores = [*found.overall.values(), *found.ectopic["average"]["strict"]["VEB"].values()]
    assert np.isnan([(each.low, each.high) for each in scores]).all()
    assert found.overall["accuracy"].value == np.mean(y_true == y_pred)


def test_undefined_resamples_are_left_out() -> None:
    found = estimate(0.5, np.array([np.nan, 0.4, 0.6, np.nan]), n_records=2)
    assert (found.low, found.high) == pytest.approx((0.405, 0.595))
    assert np.isnan(estimate(float("nan"), np.array([0.4, 0.6]), n_records=2).low)


def test_a_test_side_is_scored_in_well_under_a_second() -> None:
    records, y_true, y_pred = invented(48, 1000)
    started = time.process_time()
    score_beat_set("all", "", records, y_true, y_pred)
    assert time.process_time() - started < 1
