"""EC57's figures: worked by hand, against scikit-learn, against WFDB's comparison of annotations."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score
from wfdb.processing import compare_annotations

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation.confusions import concentrations, overall_scores, record_confusions
from pipeline.evaluation.ec57 import after_learning, average, gross, mean_over_records, outside, rates
from pipeline.evaluation.metrics import classification_metrics, confusion

# Two records; as annotated and as called.
BEATS = {
    "100": ("NNNNSSVVFFQQ", "NNSVSNVVVNVS"),
    "101": ("NNNNNNNNNN", "NNNNNNNNVN"),
}


def labels(classes: str) -> np.ndarray:
    return np.array([CLASSES.index(each) for each in classes])


def side() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    records = np.repeat(list(BEATS), [len(true) for true, _ in BEATS.values()])
    true, called = ("".join(each) for each in zip(*BEATS.values(), strict=True))
    return records, labels(true), labels(called)


def invented(n_beats: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    y_true = random.choice(5, n_beats, p=[0.7, 0.1, 0.12, 0.05, 0.03])
    return y_true, np.where(random.random(n_beats) < 0.7, y_true, random.choice(5, n_beats))


def test_a_matrix_a_record() -> None:
    names, counts = record_confusions(*side())
    assert names.tolist() == ["100", "101"]
    assert (counts[0] == confusion(*(labels(each) for each in BEATS["100"]))).all()
    assert counts.sum(axis=(1, 2)).tolist() == [12, 10]


@pytest.mark.parametrize(
    ("group", "rule", "se", "ppv", "fpr", "f1"),
    [
        # V called V: 2 of 2; called V: also an N and, of record 101, another; and an F and a Q, which EC57 exempts.
        ("VEB", "strict", 2 / 2, 2 / 6, 4 / 20, 4 / 8),
        ("VEB", "exempt", 2 / 2, 2 / 4, 2 / 18, 4 / 6),
        # S called S: 1 of 2; called S: also an N, and a Q, which EC57 exempts. An N called V is no matter here.
        ("SVEB", "strict", 1 / 2, 1 / 3, 2 / 20, 2 / 5),
        ("SVEB", "exempt", 1 / 2, 1 / 2, 1 / 19, 2 / 4),
    ],
)
def test_gross_figures_worked_by_hand(group, rule, se, ppv, fpr, f1) -> None:
    _, counts = record_confusions(*side())
    assert gross(counts, group, rule) == pytest.approx({"se": se, "ppv": ppv, "fpr": fpr, "f1": f1})


def test_a_fusion_beat_called_sveb_is_a_false_call_under_either_rule() -> None:
    counts = confusion(labels("SF"), labels("SS"))
    assert rates(counts, "SVEB", "exempt")["ppv"] == rates(counts, "SVEB", "strict")["ppv"] == 0.5


def test_averages_leave_out_records_where_a_figure_is_not_defined() -> None:
    _, counts = record_confusions(*side())
    # Record 101 has no V beat, so no sensitivity; it has a false call, so a positive predictivity of 0.
    assert average(counts, "VEB", "exempt") == pytest.approx(
        {"se": 2 / 2, "ppv": (2 / 3 + 0) / 2, "fpr": (1 / 8 + 1 / 10) / 2, "f1": (4 / 5 + 0) / 2}
    )
    # And neither S beats nor calls: of record 100 alone.
    assert average(counts, "SVEB", "strict") == pytest.approx({"se": 1 / 2, "ppv": 1 / 3, "fpr": 2 / 20, "f1": 2 / 5})


def test_what_no_record_has_is_nan() -> None:
    counts = confusion(labels("NN"), labels("NN"))[None]
    for figures in (gross(counts, "VEB", "strict"), average(counts, "VEB", "strict")):
        assert np.isnan([figures["se"], figures["ppv"], figures["f1"]]).all()
        assert figures["fpr"] == 0


def test_a_record_drawn_twice_counts_twice() -> None:
    values = np.array([0.2, 0.8, np.nan])
    draws = np.array([[2, 1, 0], [0, 0, 3], [1, 1, 1]])
    assert mean_over_records(values, draws).tolist() == pytest.approx([0.4, np.nan, 0.5], nan_ok=True)


@pytest.mark.parametrize(("group", "aami"), [("SVEB", "S"), ("VEB", "V")])
def test_strict_figures_are_those_of_scikit_learn(group, aami: str) -> None:
    y_true, y_pred = invented()
    is_of, called = y_true == CLASSES.index(aami), y_pred == CLASSES.index(aami)
    figures = rates(confusion(y_true, y_pred), group, "strict")
    assert figures["se"] == pytest.approx(recall_score(is_of, called))
    assert figures["ppv"] == pytest.approx(precision_score(is_of, called))
    assert figures["f1"] == pytest.approx(f1_score(is_of, called))
    assert 1 - figures["fpr"] == pytest.approx(recall_score(~is_of, ~called))


@pytest.mark.parametrize(
    ("group", "aami", "rule", "exempt"),
    [
        ("SVEB", "S", "strict", ""),
        ("VEB", "V", "strict", ""),
        ("SVEB", "S", "exempt", "Q"),
        ("VEB", "V", "exempt", "FQ"),
    ],
)
def test_figures_are_those_of_wfdbs_comparison_of_annotations(group, aami: str, rule, exempt: str) -> None:
    y_true, y_pred = invented()
    samples = 200 * np.arange(1, len(y_true) + 1)
    label = CLASSES.index(aami)
    not_judged = np.isin(y_true, [CLASSES.index(each) for each in exempt])
    found = compare_annotations(samples[y_true == label], samples[(y_pred == label) & ~not_judged], window_width=54)
    figures = rates(confusion(y_true, y_pred), group, rule)
    assert figures["se"] == pytest.approx(found.sensitivity)
    assert figures["ppv"] == pytest.approx(found.positive_predictivity)
    assert figures["f1"] == pytest.approx(2 * found.tp / (2 * found.tp + found.fp + found.fn))


def test_the_learning_period_ends_at_its_last_sample() -> None:
    samples = np.array([0, 107_999, 108_000, 650_000])
    assert after_learning(samples, 360, 300).tolist() == [False, False, True, True]
    assert after_learning(samples, 360, 0).all()


def test_records_are_left_out_by_name() -> None:
    assert outside(np.array(["207", "208", "20"]), ("207",)).tolist() == [False, True, True]
    assert outside(np.array([207, 208]), ["207"]).tolist() == [False, True]


def test_overall_scores_are_those_of_metrics_json() -> None:
    y_true, y_pred = invented()
    metrics, scores = classification_metrics(y_true, y_pred), overall_scores(confusion(y_true, y_pred))
    assert scores["accuracy"] == pytest.approx(metrics["accuracy"])
    assert scores["macro_f1"] == pytest.approx(metrics["macro_f1"])
    f1 = {name: each["f1"] for name, each in metrics["per_class"].items()}
    assert {name: scores[f"{name}_f1"] for name in CLASSES} == pytest.approx(f1)
    assert scores["macro_f1_nsv"] == pytest.approx((f1["N"] + f1["S"] + f1["V"]) / 3)


def test_a_class_without_beats_and_calls_has_no_f1_and_counts_0_in_the_macro_average() -> None:
    scores = overall_scores(confusion(labels("NNSV"), labels("NNSV")))
    assert np.isnan(scores["F_f1"])
    assert scores["macro_f1"] == pytest.approx(3 / 5)
    assert scores["macro_f1_nsv"] == 1


def test_a_class_of_one_record_is_told() -> None:
    names, counts = record_confusions(*side())
    # N: ten of fourteen are of 101; all S, V, F and Q of 100.
    assert concentrations(names, counts) == {
        "N": ("101", 10, 14),
        "S": ("100", 2, 2),
        "V": ("100", 2, 2),
        "F": ("100", 2, 2),
        "Q": ("100", 2, 2),
    }
    assert concentrations(names[:1], counts[:1]) == {}
