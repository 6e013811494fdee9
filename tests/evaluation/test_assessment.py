"""A side's assessment: which beats each set holds, what is fitted where, what the file and the page say."""

import json

import numpy as np
import pytest

from pipeline.ecg.dataset import Ec57Facts, LeftOut, ReportingFacts
from pipeline.evaluation.assessment import as_json, assess, headline
from pipeline.evaluation.assessment_tables import certainty_tables, ectopic_tables
from pipeline.evaluation.certainty_figures import abstention_figure, reliability_figure
from pipeline.evaluation.ectopic_figures import ectopic_records_figure, intervals_figure
from pipeline.evaluation.tables import markdown_table

NO_FACTS = ReportingFacts(360)
FACTS = ReportingFacts(
    360,
    Ec57Facts(learning_period_s=300, excluded=(LeftOut(records=("208", "999"), reason="flutter"),)),
    (LeftOut(records=("232",), reason="most S beats"), LeftOut(records=("202",), reason="a patient twice")),
)


@pytest.fixture(scope="module")
def sides(make_side):
    return {"validation": make_side([300, 60, 60, 15, 15]), "test": make_side([300, 60, 60, 15, 0], seed=8)}


@pytest.fixture(scope="module")
def assessed(sides):
    return assess(sides, FACTS)


def test_a_data_set_that_leaves_nothing_out_has_one_set_of_beats(sides) -> None:
    found = assess(sides, NO_FACTS)["test"]
    assert found.standard is None
    assert found.without == ()
    assert found.whole.beats == 435


def test_the_standard_leaves_out_five_minutes_and_the_records_at_hand(sides, assessed) -> None:
    side, found = sides["test"], assessed["test"].standard
    kept = (side.samples >= 300 * 360) & (side.records != "208")
    assert (found.beats, found.records) == (int(kept.sum()), 2)
    assert found.overall["accuracy"].value == pytest.approx(np.mean(side.y_pred[kept] == side.y_true[kept]))
    assert found.reason == "left out: the first 300 s of each record (learning period); 208 (flutter)"


def test_a_subset_applies_only_where_its_records_are(sides, assessed) -> None:
    [found] = assessed["test"].without
    kept = sides["test"].records != "232"
    assert (found.name, found.reason, found.beats) == ("without 232", "most S beats", int(kept.sum()))
    only = ReportingFacts(360, report_without=(LeftOut(records=("100", "208", "232"), reason="all"),))
    assert assess(sides, only)["test"].without == ()


def test_a_learning_period_longer_than_the_recordings_leaves_no_standard_set(sides) -> None:
    facts = ReportingFacts(360, Ec57Facts(learning_period_s=1e6))
    assert assess(sides, facts)["test"].standard is None


def test_one_temperature_fitted_on_the_validation_side(sides, assessed) -> None:
    assert assessed["test"].temperature == assessed["validation"].temperature
    for found in assessed.values():
        assert found.after.ece >= 0
    assert assessed["validation"].after.nll <= assessed["validation"].before.nll
    alone = assess({"test": sides["test"]}, FACTS)["test"]
    assert (alone.temperature, alone.after) == (None, None)
    assert alone.before.ece == assessed["test"].before.ece


def test_the_file_is_rounded_and_has_no_nan(assessed) -> None:
    found = json.loads(json.dumps(as_json(assessed), allow_nan=False))
    assert set(found) == {"validation", "test"}
    test = found["test"]
    assert test["bootstrap"] == {"over": "records", "resamples": 2000, "seed": 1, "level": 0.95}
    se = test["whole"]["ectopic"]["gross"]["exempt"]["VEB"]["se"]
    assert se["low"] <= se["value"] <= se["high"]
    assert se["value"] == round(se["value"], 6)
    assert [each["name"] for each in test["without"]] == ["without 232"]
    assert len(test["calibration"]["before"]["reliability"]) == 15
    assert test["calibration"]["before"]["reliability"][0]["accuracy"] is None
    assert [each["left_out"] for each in test["abstention"]] == [0, 0.01, 0.05, 0.1]


def test_runs_are_compared_by_gross_figures_of_the_standard(sides, assessed) -> None:
    figures = headline(sides)["test"]
    assert set(figures) == {f"{group}_{rate}" for group in ("sveb", "veb") for rate in ("se", "ppv", "fpr", "f1")} | {
        "ece"
    }
    assert figures["sveb_f1"] == assessed["test"].whole.ectopic["gross"]["exempt"]["SVEB"]["f1"].value
    assert figures["ece"] == assessed["test"].before.ece


def test_the_tables_hold_both_rules_both_poolings_and_every_set(assessed) -> None:
    whole, standard, sets, records = ectopic_tables(assessed["test"], "interpatient, test")
    assert [row[:3] for row in whole.rows[:4]] == [
        ("SVEB", "gross", "all count"),
        ("SVEB", "gross", "EC57's"),
        ("SVEB", "average", "all count"),
        ("SVEB", "average", "EC57's"),
    ]
    assert len(whole.rows) == 8
    assert " to " in whole.rows[0][3]
    assert "208 (flutter)" in standard.note
    assert sets.columns == ("score", "all beats", "with EC57's exclusions", "without 232")
    assert "without 232: most S beats" in sets.note
    assert [row[0] for row in records.rows] == ["100", "208", "232"]
    for table in (whole, standard, sets, records):
        assert len({line.count("|") for line in markdown_table(table).splitlines() if "|" in line}) == 1


def test_the_tables_of_certainty(sides, assessed) -> None:
    calibration, kept = certainty_tables(assessed["test"], "kaggle, test")
    assert [row[0].split()[0] for row in calibration.rows] == ["as", "temperature"]
    assert [row[0] for row in kept.rows] == ["0%", "1%", "5%", "10%"]
    alone = assess({"test": sides["test"]}, NO_FACTS)["test"]
    calibration, _ = certainty_tables(alone, "kaggle, test")
    assert len(calibration.rows) == 1
    assert "is not evaluated" in calibration.note


def test_the_forest_has_a_mark_a_score_and_set(assessed) -> None:
    found = assessed["test"]
    figure = intervals_figure((found.whole, *found.without), "interpatient, test")
    [axes] = figure.axes
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert {"accuracy", "macro-F1", "V F1", "SVEB Se", "VEB FPR"} <= set(labels)
    assert len(axes.containers) == 2
    points = axes.containers[0].lines[0].get_xdata()
    assert points[labels.index("VEB F1")] == found.whole.ectopic["gross"]["exempt"]["VEB"]["f1"].value


def test_records_then_average_then_gross(assessed) -> None:
    found = assessed["test"]
    figure = ectopic_records_figure(found.by_record, found.whole, "interpatient, test")
    sveb, veb = figure.axes
    assert [tick.get_text() for tick in veb.get_xticklabels()] == ["100", "208", "232", "average", "gross"]
    gross = found.whole.ectopic["gross"]["exempt"]["SVEB"]
    assert sveb.get_title() == "SVEB, 60 beats"
    heights = [bar.get_height() for bar in sveb.patches]
    assert (heights[4], heights[9]) == (gross["se"].value, gross["ppv"].value)


def test_reliability_shows_before_and_after(sides, assessed) -> None:
    upper = reliability_figure(assessed["test"], "kaggle, test").axes[0]
    assert [line.get_label().split(":")[0].split()[0] for line in upper.lines] == ["perfect", "as", "temperature"]
    alone = assess({"test": sides["test"]}, NO_FACTS)["test"]
    assert len(reliability_figure(alone, "kaggle, test").axes[0].lines) == 2


def test_the_abstention_curve_is_the_table(assessed) -> None:
    kept = assessed["test"].abstention
    axes = abstention_figure(kept, "kaggle, test").axes[0]
    accuracy = next(line for line in axes.lines if line.get_label() == "accuracy")
    assert accuracy.get_ydata().tolist() == kept["accuracy"].tolist()
    assert accuracy.get_xdata().tolist() == pytest.approx([0, 1, 5, 10])
