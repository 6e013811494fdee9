"""The paired bootstrap: whose records, whose errors, and what cancels out."""

import numpy as np
import pytest

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation.confusions import overall_scores, record_confusions
from pipeline.evaluation.intervals import draw_records, resampled
from pipeline.evaluation.paired import paired_differences


def _beats(error_rates, seed=0, beats=200):
    random = np.random.default_rng(seed)
    records = np.repeat([f"r{number:02}" for number in range(len(error_rates))], beats)
    y_true = random.choice(3, size=len(records), p=[0.7, 0.15, 0.15])
    wrong = random.random(len(records)) < np.repeat(error_rates, beats)
    return records, y_true, np.where(wrong, (y_true + 1) % 3, y_true)


def test_a_run_against_itself_differs_by_nothing():
    records, y_true, y_pred = _beats([0.1, 0.3, 0.2, 0.05])
    difference = paired_differences(records, y_true, y_pred, y_pred)["macro_f1"]
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)


def test_the_sign_is_second_minus_first_and_turns_with_the_order():
    records, y_true, better = _beats([0.05] * 8)
    worse = _beats([0.3] * 8)[2]
    forth = paired_differences(records, y_true, worse, better)
    back = paired_differences(records, y_true, better, worse)
    assert 0 < forth["macro_f1"].low < forth["macro_f1"].value < forth["macro_f1"].high
    for name in forth:
        if np.isfinite(forth[name].value):
            assert back[name].value == -forth[name].value


def test_what_makes_a_record_hard_for_both_cancels_out():
    """Records differ widely; the second run is right on a twentieth of the beats more, in every record."""
    records, y_true, first = _beats(np.linspace(0.05, 0.8, 12), beats=400)
    mended = np.random.default_rng(1).random(len(y_true)) < 0.05
    second = np.where(mended, y_true, first)
    difference = paired_differences(records, y_true, first, second)["accuracy"]
    names, counts = record_confusions(records, y_true, first)
    alone = overall_scores(resampled(counts, draw_records(len(names))))["accuracy"]
    assert difference.low > 0
    assert difference.high - difference.low < 0.2 * np.ptp(np.quantile(alone, [0.025, 0.975]))


def test_classes_that_nobody_has_and_single_records_have_no_interval():
    records, y_true, y_pred = _beats([0.2, 0.1])
    assert np.isnan(paired_differences(records, y_true, y_pred, y_true)[f"{CLASSES[4]}_f1"].value)
    alone = paired_differences(records[:200], y_true[:200], y_pred[:200], y_true[:200])["accuracy"]
    assert alone.value > 0
    assert np.isnan(alone.low)


def test_the_same_seed_gives_the_same_interval():
    records, y_true, y_pred = _beats([0.2, 0.1, 0.3])
    once, again = (str(paired_differences(records, y_true, y_pred, y_true)) for _ in range(2))
    assert once == again


@pytest.mark.parametrize("cut", [0, 5])
def test_vectors_of_different_lengths_are_refused(cut):
    records, y_true, y_pred = _beats([0.2, 0.1])
    with pytest.raises(ValueError, match="one length"):
        paired_differences(records[:cut], y_true[:cut], y_pred[:cut], y_pred[:0])
