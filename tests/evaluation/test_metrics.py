"""Scores agree with scikit-learn's report and with an example worked by hand."""

import numpy as np
import pytest
from sklearn.metrics import classification_report, confusion_matrix

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation.metrics import classification_metrics, confusion, per_record

# N N N N S S V V F F, called N N N S S N V V V F: worked by hand below.
TRUE = np.array([0, 0, 0, 0, 1, 1, 2, 2, 3, 3])
CALLED = np.array([0, 0, 0, 1, 1, 0, 2, 2, 2, 3])


@pytest.mark.parametrize("absent", [[], [4], [1, 3], [0, 1, 2, 3]])
def test_scores_are_those_of_scikit_learn(absent: list[int]) -> None:
    random = np.random.default_rng(11)
    present = [label for label in range(5) if label not in absent]
    y_true, y_pred = random.choice(present, 400), random.choice(5, 400)
    report = classification_report(
        y_true, y_pred, labels=range(5), target_names=CLASSES, output_dict=True, zero_division=0
    )
    metrics = classification_metrics(y_true, y_pred)
    assert metrics["accuracy"] == pytest.approx((y_true == y_pred).mean())
    assert metrics["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    assert metrics["weighted_f1"] == pytest.approx(report["weighted avg"]["f1-score"])
    for name in CLASSES:
        ours, theirs = metrics["per_class"][name], report[name]
        assert list(ours.values()) == pytest.approx(list(theirs.values()))
        assert type(ours["support"]) is int
    assert (confusion(y_true, y_pred) == confusion_matrix(y_true, y_pred, labels=range(5))).all()


def test_scores_of_a_hand_worked_example() -> None:
    metrics = classification_metrics(TRUE, CALLED)
    assert set(metrics) == {"accuracy", "macro_f1", "weighted_f1", "per_class"}
    assert metrics["accuracy"] == 0.7
    f1 = {"N": 3 / 4, "S": 1 / 2, "V": 4 / 5, "F": 2 / 3, "Q": 0.0}
    assert {name: each["f1"] for name, each in metrics["per_class"].items()} == pytest.approx(f1)
    assert metrics["per_class"]["V"]["precision"] == pytest.approx(2 / 3)
    assert metrics["per_class"]["F"]["recall"] == 0.5
    assert metrics["macro_f1"] == pytest.approx(sum(f1.values()) / 5)
    assert metrics["weighted_f1"] == pytest.approx((4 * 0.75 + 2 * 0.5 + 2 * 0.8 + 2 * 2 / 3) / 10)
    assert metrics["per_class"]["Q"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}


def test_rows_of_the_confusion_matrix_are_the_annotated_classes() -> None:
    counts = confusion(TRUE, CALLED)
    assert counts.shape == (5, 5)
    assert counts[3, 2] == 1  # an F called V
    assert counts[2, 3] == 0
    assert counts.sum(axis=1).tolist() == [4, 2, 2, 2, 0]


@pytest.mark.parametrize(("y_true", "y_pred"), [([], []), ([0, 1], [0]), ([0, 5], [0, 1]), ([0, 1], [-1, 1])])
def test_labels_that_are_not_ours_are_refused(y_true: list[int], y_pred: list[int]) -> None:
    with pytest.raises(ValueError, match="label"):
        classification_metrics(np.array(y_true, dtype=int), np.array(y_pred, dtype=int))


def test_each_record_is_scored_by_itself() -> None:
    records = np.array(["232", "100", "232", "100", "232", "232", "100", "100", "100", "232"])
    frame = per_record(records, TRUE, CALLED).set_index("record")
    assert list(frame.index) == ["100", "232"]
    # 100: N N V V F called N S V V V; no S beat, one false S; one false V.
    row = frame.loc["100"]
    assert (row["beats"], row["errors"], row["accuracy"]) == (5, 2, 0.6)
    assert row["macro_f1"] == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    assert (row["S_support"], row["S_missed"], row["S_false"], row["S_ppv"]) == (0, 0, 1, 0)
    assert np.isnan(row["S_se"])
    assert (row["V_support"], row["V_missed"], row["V_false"]) == (2, 0, 1)
    assert (row["V_se"], row["V_ppv"]) == (1, pytest.approx(2 / 3))
    # 232: N N S S F called N N S N F; no V at all.
    row = frame.loc["232"]
    assert (row["S_se"], row["S_ppv"], row["S_missed"]) == (0.5, 1, 1)
    assert row[["V_se", "V_ppv"]].isna().all()


def test_a_record_name_for_every_beat() -> None:
    with pytest.raises(ValueError, match="9 record names for 10 beats"):
        per_record(np.array(["100"] * 9), TRUE, CALLED)
