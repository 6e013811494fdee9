"""Calibration and abstention: worked by hand, and on probabilities whose temperature is known."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from pipeline.evaluation.abstention import abstention
from pipeline.evaluation.calibration import (
    at_temperature,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)
from pipeline.evaluation.metrics import classification_metrics

# Top probabilities .95, .95, .62, .62, .3; the calls are N, N, S, S, V.
Y_PROB = np.array(
    [
        [0.95, 0.05, 0, 0, 0],
        [0.95, 0, 0.05, 0, 0],
        [0.38, 0.62, 0, 0, 0],
        [0, 0.62, 0.38, 0, 0],
        [0.2, 0.2, 0.3, 0.2, 0.1],
    ]
)
Y_TRUE = np.array([0, 0, 1, 2, 0])


def drawn(n_beats: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from probabilities, and these probabilities made too bold by `temperature`."""
    random = np.random.default_rng(2)
    logits = random.normal(scale=2, size=(n_beats, 5))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y_true = (honest.cumsum(axis=1) < random.random((n_beats, 1))).sum(axis=1)
    bold = np.exp(logits * temperature)
    return np.minimum(y_true, 4), bold / bold.sum(axis=1, keepdims=True)


def test_reliability_worked_by_hand() -> None:
    parts = reliability(Y_TRUE, Y_PROB, bins=10)
    assert parts["beats"].tolist() == [0, 0, 1, 0, 0, 0, 2, 0, 0, 2]  # .3 is in the part that ends there
    assert parts["confidence"][[2, 6, 9]].tolist() == pytest.approx([0.3, 0.62, 0.95])
    assert parts["accuracy"][[2, 6, 9]].tolist() == [0, 0.5, 1]
    assert parts[["confidence", "accuracy"]].iloc[0].isna().all()
    expected = (1 * 0.3 + 2 * 0.12 + 2 * 0.05) / 5
    assert expected_calibration_error(Y_TRUE, Y_PROB, bins=10) == pytest.approx(expected)


def test_honest_probabilities_have_next_to_no_error() -> None:
    y_true, y_prob = drawn(40_000, temperature=1)
    assert expected_calibration_error(y_true, y_prob) < 0.01


def test_the_likelihood_is_scikit_learns() -> None:
    y_true, y_prob = drawn(500, temperature=1)
    assert negative_log_likelihood(y_true, y_prob) == pytest.approx(log_loss(y_true, y_prob, labels=range(5)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_again(temperature: float) -> None:
    y_true, y_prob = drawn(20_000, temperature)
    found = fit_temperature(y_true, y_prob.astype(np.float32))
    assert found == pytest.approx(temperature, rel=0.05)
    mended = at_temperature(y_prob, found)
    assert mended.sum(axis=1) == pytest.approx(1)
    assert expected_calibration_error(y_true, mended) < 0.015
    assert negative_log_likelihood(y_true, mended) <= negative_log_likelihood(y_true, y_prob) + 1e-6


@pytest.mark.parametrize("temperature", [0.05, 0.7, 3.0, 20.0])
def test_no_temperature_changes_a_call(temperature: float) -> None:
    _, y_prob = drawn(2000, temperature=4)
    y_prob = np.where(y_prob < 1e-4, 0, y_prob).astype(np.float32)
    assert (at_temperature(y_prob, temperature).argmax(axis=1) == y_prob.argmax(axis=1)).all()


def test_a_model_that_is_always_right_and_sure_is_left_as_it_is() -> None:
    y_prob = np.eye(5)[[0, 1, 2]]
    assert np.isfinite(fit_temperature(np.array([0, 1, 2]), y_prob))
    assert expected_calibration_error(np.array([0, 1, 2]), y_prob) == 0


def test_the_least_certain_beats_are_left_out_first() -> None:
    kept = abstention(Y_TRUE, Y_PROB, shares=(0, 0.2, 0.6))
    assert kept["beats"].tolist() == [5, 4, 2]
    assert kept["least"].tolist() == pytest.approx([0.3, 0.62, 0.95])
    assert kept["accuracy"].tolist() == pytest.approx([3 / 5, 3 / 4, 1])
    # Of four kept: N N S V called N N S S.
    assert kept["S_f1"][1] == pytest.approx(2 / 3)
    assert kept["V_f1"][1] == 0
    assert kept["macro_f1"][1] == pytest.approx((1 + 2 / 3) / 5)


def test_leaving_nothing_out_gives_the_scores_of_the_side(make_side) -> None:
    side = make_side([90, 30, 30, 8, 0])
    kept = abstention(side.y_true, side.y_prob)
    metrics = classification_metrics(side.y_true, side.y_pred)
    assert kept["left_out"].tolist() == [0, 0.01, 0.05, 0.1]
    assert kept["accuracy"][0] == pytest.approx(metrics["accuracy"])
    assert kept["macro_f1"][0] == pytest.approx(metrics["macro_f1"])
    assert kept["accuracy"][3] >= kept["accuracy"][0]
