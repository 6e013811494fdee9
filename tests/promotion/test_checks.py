"""Each check of the gate passes what it should and fails what it should."""

import numpy as np
import pytest

from pipeline.config import FloorsConfig, MarginsConfig, PromotionConfig
from pipeline.evaluation.intervals import Estimate
from pipeline.promotion import checks

NAN = float("nan")
MARGINS = {"N": 0.01, "S": 0.1}


@pytest.mark.parametrize(
    ("scores", "passed"),
    [({"N": 0.9, "S": 0.5}, True), ({"N": 0.9, "S": 0.49}, False), ({"N": 0.9, "S": NAN}, True)],
)
def test_floors(scores, passed):
    check = checks.above_floors(scores, {"N": 0.9, "S": 0.5})
    assert check.passed is passed
    assert "N 0.9000 (floor 0.9)" in check.said


@pytest.mark.parametrize(
    ("n", "s", "passed"),
    [
        (Estimate(0.0, -0.005, 0.005), Estimate(-0.05, -0.09, 0.0), True),
        (Estimate(0.0, -0.02, 0.02), Estimate(0.1, 0.0, 0.2), False),
        (Estimate(0.01, 0.0, 0.02), Estimate(-0.2, -0.3, -0.1), False),
        (Estimate(-0.02, NAN, NAN), Estimate(0.0, NAN, NAN), False),
        (Estimate(-0.005, NAN, NAN), Estimate(NAN, NAN, NAN), True),
    ],
)
def test_a_class_may_not_fall_behind_the_champion_beyond_its_margin(n, s, passed):
    assert checks.not_worse({"N_f1": n, "S_f1": s}, MARGINS).passed is passed


def test_the_test_side_vetoes_and_does_no_more():
    champion = {"N": 0.9, "S": 0.6}
    assert not checks.no_veto({"N": 0.9, "S": 0.49}, champion, MARGINS).passed
    assert checks.no_veto({"N": 0.9, "S": 0.51}, champion, MARGINS).passed
    assert checks.no_veto({}, champion, MARGINS).passed


def test_parity_is_of_classes_and_of_probabilities():
    keras = np.array([[0.6, 0.4, 0, 0, 0], [0.1, 0.9, 0, 0, 0]], np.float32)
    near, far, other = keras + np.float32(5e-5), keras + np.float32(5e-4), keras[:, [1, 0, 2, 3, 4]]
    assert checks.in_parity(near, keras).passed
    assert not checks.in_parity(far, keras).passed
    assert not checks.in_parity(other, keras).passed


def test_budgets_are_of_size_and_of_time():
    floors = FloorsConfig(macro_f1=0.1, N=0.1, S=0.1, V=0.1)
    margins = MarginsConfig(N=0.1, S=0.1, V=0.1, F=0.1, Q=0.1)
    config = PromotionConfig(floors=floors, margins=margins, size_mb=2.0, strip_ms=15.0)
    assert checks.in_budget(2_000_000, 15.0, config).passed
    assert not checks.in_budget(2_000_001, 1.0, config).passed
    assert not checks.in_budget(1, 15.1, config).passed


def test_behaviour():
    assert checks.invariant({"gain x2": 0.99, "gain x0.5": 1.0}).passed
    assert not checks.invariant({"gain x2": 0.98, "gain x0.5": 1.0}).passed
    assert checks.early_beats_rise(np.array([0.1] * 9 + [-0.1])).passed
    assert not checks.early_beats_rise(np.array([0.1] * 8 + [-0.1] * 2)).passed
    assert not checks.early_beats_rise(np.array([])).passed


def test_data_and_commit():
    assert checks.valid_data([], same_beats=True).passed
    assert not checks.valid_data([], same_beats=False).passed
    assert "unique_beat" in checks.valid_data(["unique_beat"], same_beats=True).said
    assert not checks.valid_data(["unique_beat"], same_beats=True).passed
    assert checks.clean_commit({"git_commit": "c0ffee", "git_dirty": "false"}).passed
    assert not checks.clean_commit({"git_commit": "c0ffee", "git_dirty": "true"}).passed
    assert not checks.clean_commit({}).passed
