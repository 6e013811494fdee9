"""Precision-recall curves: complete where short, faithful where thinned."""

import numpy as np
import pytest

from pipeline.evaluation.curves import average_precisions, pr_curves


def test_curve_of_a_hand_worked_ranking() -> None:
    # S beats rank first and third of four: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
    y_true = np.array([1, 0, 1, 0])
    p_s = np.array([0.9, 0.8, 0.7, 0.1])
    y_prob = np.stack([1 - p_s, p_s, *np.zeros((3, 4))], axis=1)
    curves = pr_curves(y_true, y_prob)
    assert set(curves["class"]) == {"N", "S"}
    points = curves[curves["class"] == "S"][["recall", "precision"]].to_numpy().tolist()
    assert [1, pytest.approx(2 / 3)] in points
    assert [0.5, 0.5] in points
    assert [0.5, 1] in points
    assert average_precisions(y_true, y_prob)["S"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_long_curves_are_thinned_without_losing_their_shape(make_side) -> None:
    side = make_side([6000, 900, 900, 300, 0])
    curves = pr_curves(side.y_true, side.y_prob)
    areas = average_precisions(side.y_true, side.y_prob)
    assert set(curves["class"]) == set(areas) == {"N", "S", "V", "F"}
    for name, curve in curves.groupby("class"):
        assert 100 < len(curve) <= 200
        assert (curve["recall"].iloc[0], curve["recall"].iloc[-1]) == (1, 0)
        assert (np.diff(curve["recall"]) <= 0).all()
        area = -np.trapezoid(curve["precision"], curve["recall"])
        assert area == pytest.approx(areas[str(name)], abs=0.005)
