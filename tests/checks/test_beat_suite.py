"""Each expectation on beats is seen to fail, alone, on the beat whose fact was corrupted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.checks.beats import BeatFacts, validate_beats
from pipeline.checks.report import CheckReport

CRITICAL: list[tuple[str, str, Any]] = [
    ("known_symbol", "symbol", "~"),
    ("known_class", "aami", "X"),
    ("class_of_symbol", "aami", "V"),
    ("row_finite", "row_finite", False),
    ("row_min", "row_min", -0.5),
    ("row_max", "row_max", 1.5),
    ("window_finite", "window_finite", False),
    ("window_min_mv", "window_min_mv", -25.0),
    ("window_max_mv", "window_max_mv", 25.0),
    ("rr_prev_known", "rr_prev_s", np.nan),
    ("rr_prev_possible", "rr_prev_s", 0.0),
    ("rr_next_known", "rr_next_s", np.nan),
    ("rr_next_possible", "rr_next_s", 301.0),
]
WARNING: list[tuple[str, str, Any]] = [
    ("rr_prev_plausible", "rr_prev_s", 0.1),
    ("rr_next_plausible", "rr_next_s", 4.0),
]
CORRUPTED = CRITICAL + WARNING
FIRST = 4
"""Row of the first corrupted fact; the rows before hold one beat of each class but N."""
SAMPLES = [300 * (place + 1) for place in range(FIRST + len(CORRUPTED) + 3)]
COLUMNS_OF_CONTEXT = ["rr_prev_s", "rr_next_s", "window_min_mv", "window_max_mv", "window_finite"]


def good_beats() -> pd.DataFrame:
    """Two records of the same beats: one each of S, V, F and Q, then only N."""
    symbols = ["A", "V", "F", "/"] + ["N"] * (len(SAMPLES) - 4)
    one = pd.DataFrame(
        {
            "sample": SAMPLES,
            "symbol": symbols,
            "aami": ["S", "V", "F", "Q"] + ["N"] * (len(SAMPLES) - 4),
            "rr_prev_s": np.float32(0.8),
            "rr_next_s": np.float32(0.8),
            "row_min": np.float32(0.0),
            "row_max": np.float32(1.0),
            "row_finite": True,
            "window_min_mv": np.float32(-0.6),
            "window_max_mv": np.float32(1.4),
            "window_finite": True,
        }
    )
    one.loc[0, "rr_prev_s"] = np.nan
    one.loc[len(one) - 1, "rr_next_s"] = np.nan
    return pd.concat([one.assign(record="100"), one.assign(record="207")], ignore_index=True)


def counts_of(frame: pd.DataFrame) -> Mapping[str, int]:
    return {str(aami): int(count) for aami, count in frame["aami"].value_counts().items()}


@pytest.fixture(scope="module")
def corrupted(tmp_path_factory: pytest.TempPathFactory) -> CheckReport:
    """The report on beats of record 100 each of which has one corrupted fact, its own."""
    frame = good_beats()
    for place, (_, column, value) in enumerate(CORRUPTED, start=FIRST):
        frame.loc[place, column] = value
    frame.loc[FIRST + len(CORRUPTED), "sample"] = SAMPLES[FIRST + len(CORRUPTED) + 1]
    return validate_beats(frame, BeatFacts(), tmp_path_factory.mktemp("docs") / "beats")


@pytest.mark.parametrize("place", range(len(CORRUPTED)))
def test_a_corrupted_fact_is_named_with_its_beat(corrupted: CheckReport, place: int) -> None:
    name, column, value = CORRUPTED[place]
    findings = corrupted.failures if place < len(CRITICAL) else corrupted.warnings
    (finding,) = [each for each in findings if each.expectation == name]
    (row,) = finding.rows
    assert row.startswith(f"record 100 sample {SAMPLES[FIRST + place]}: {column}=")
    shown = row.split("=")[1].split()[0]
    assert shown == str(value) or float(shown) == pytest.approx(value, nan_ok=True)
    assert column in finding.column


def test_a_beat_that_comes_twice_is_named(corrupted: CheckReport) -> None:
    (finding,) = [each for each in corrupted.failures if each.expectation == "unique_beat"]
    sample = SAMPLES[FIRST + len(CORRUPTED) + 1]
    assert finding.rows == (f"record 100 sample {sample}: record=100 sample={sample}",) * 2


def test_nothing_but_the_corrupted_facts_is_reported(corrupted: CheckReport) -> None:
    failed = {each.expectation for each in corrupted.failures}
    assert failed == {name for name, _, _ in CRITICAL} | {"unique_beat"}
    assert {each.expectation for each in corrupted.warnings} == {name for name, _, _ in WARNING}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[CheckReport, Path]:
    frame = good_beats()
    docs = tmp_path_factory.mktemp("docs") / "beats"
    return validate_beats(frame, BeatFacts(counts_of(frame)), docs), docs


def test_good_beats_pass_without_a_word(good: tuple[CheckReport, Path]) -> None:
    report, docs = good
    assert report.passed
    assert report.failures == report.warnings == ()
    names = {each["name"] for each in report.summary["expectations"]}
    assert names >= {name for name, _, _ in CORRUPTED} | {"has_beats", "unique_beat", "row_peak"}
    assert (docs / "index.html").is_file()


def test_the_summary_depends_on_the_beats_alone(good: tuple[CheckReport, Path], tmp_path: Path) -> None:
    frame = good_beats()
    again = validate_beats(frame, BeatFacts(counts_of(frame)), tmp_path / "elsewhere")
    assert json.dumps(again.summary) == json.dumps(good[0].summary)


def test_each_class_must_have_its_published_count(tmp_path: Path) -> None:
    frame = good_beats()
    published = {aami: count + 1 for aami, count in counts_of(frame).items()}
    report = validate_beats(frame, BeatFacts(published), tmp_path / "docs")
    found = {each.expectation: each.detail for each in report.failures}
    assert set(found) == {f"count_{aami}" for aami in "NSVFQ"}
    assert found["count_F"] == "Class F has 3 beats, as published; found 2"


@pytest.mark.parametrize(("published", "severity"), [(2, "critical"), (None, "warning")])
def test_an_empty_class_is_critical_only_where_counts_are_published(
    tmp_path: Path, published: int | None, severity: str
) -> None:
    frame = good_beats()
    frame = frame[frame["aami"] != "F"].reset_index(drop=True)
    counts = None if published is None else {**counts_of(frame), "F": published}
    report = validate_beats(frame, BeatFacts(counts), tmp_path / "docs")
    (finding,) = report.failures + report.warnings
    assert (finding.expectation, finding.severity) == ("count_F", severity)
    assert report.passed == (severity == "warning")


def test_no_beats_at_all_fail(tmp_path: Path) -> None:
    report = validate_beats(good_beats().iloc[:0], BeatFacts(), tmp_path / "docs")
    assert [each.expectation for each in report.failures] == ["has_beats"]
    assert {each.expectation for each in report.warnings} == {f"count_{aami}" for aami in "NSVFQ"}


def test_rows_that_are_not_min_max_normalised_are_named(tmp_path: Path) -> None:
    frame = good_beats().drop(columns=COLUMNS_OF_CONTEXT).assign(row_max=np.float32(0.5))
    report = validate_beats(frame, BeatFacts(rows_only=True), tmp_path / "docs")
    (finding,) = report.failures
    assert finding.expectation == "row_peak"
    assert finding.rows[0] == f"record 100 sample {SAMPLES[0]}: row_max=0.5"


def test_a_beat_without_symbol_and_class_is_named(tmp_path: Path) -> None:
    frame = good_beats().drop(columns=COLUMNS_OF_CONTEXT)
    frame.loc[9, ["symbol", "aami"]] = None
    report = validate_beats(frame, BeatFacts(rows_only=True), tmp_path / "docs")
    rows = {each.expectation: each.rows for each in report.failures}
    assert rows == {
        "known_symbol": (f"record 100 sample {SAMPLES[9]}: symbol=(empty)",),
        "known_class": (f"record 100 sample {SAMPLES[9]}: aami=(empty)",),
    }


def test_a_column_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    frame = good_beats().drop(columns="row_max")
    with pytest.raises(RuntimeError, match="row_max could not be evaluated"):
        validate_beats(frame, BeatFacts(), tmp_path / "docs")
