"""Each expectation on recordings is seen to fail, alone, on the record whose fact was corrupted."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.checks.records import RecordFacts, validate_records
from pipeline.checks.report import CheckReport
from pipeline.errors import UserError

CRITICAL: list[tuple[str, str, Any]] = [
    ("readable", "problem", "truncated .dat"),
    ("leads", "n_leads", 1),
    ("sampling_rate", "sampling_rate_hz", 250.0),
    ("length", "n_samples", 649_999),
    ("checksums", "checksums_ok", False),
    ("annotations_inside", "last_annotation_sample", 650_000),
    ("known_symbols", "unknown_symbols", "Z y"),
    ("has_beats", "n_beats", 0),
]
WARNING: list[tuple[str, str, Any]] = [
    ("flat_signal", "flat_fraction", 0.8),
    ("saturated_signal", "saturated_fraction", 0.2),
]
RECORDS = tuple(str(100 + place) for place in range(len(CRITICAL + WARNING) + 3))
MISSING, DOUBLE, UNLISTED = "100", "101", "999"
FACTS = RecordFacts(records=RECORDS, n_leads=2, sampling_rate_hz=360.0, n_samples=650_000)


def good_records() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "record": RECORDS,
            "n_leads": 2,
            "sampling_rate_hz": 360.0,
            "n_samples": 650_000,
            "checksums_ok": True,
            "n_annotations": 2_300,
            "last_annotation_sample": 649_990,
            "unknown_symbols": "",
            "n_beats": 2_270,
            "problem": "",
            "flat_fraction": 0.1,
            "saturated_fraction": 0.0,
        }
    )


@pytest.fixture(scope="module")
def corrupted(tmp_path_factory: pytest.TempPathFactory) -> CheckReport:
    """The report on records each of which has one corrupted fact, its own."""
    frame = good_records()
    for place, (_, column, value) in enumerate(CRITICAL + WARNING, start=2):
        frame[column] = frame[column].astype(object)
        frame.loc[place, column] = value
    frame = frame.infer_objects()
    frame.loc[0, "record"] = UNLISTED
    frame = pd.concat([frame, frame.iloc[[1]]], ignore_index=True)
    return validate_records(frame, FACTS, tmp_path_factory.mktemp("docs") / "records")


def rows_of(report: CheckReport) -> dict[str, tuple[str, ...]]:
    return {each.expectation: each.rows for each in report.failures + report.warnings}


@pytest.mark.parametrize("place", range(len(CRITICAL + WARNING)))
def test_a_corrupted_fact_is_named_with_its_record(corrupted: CheckReport, place: int) -> None:
    name, column, _ = (CRITICAL + WARNING)[place]
    findings = corrupted.failures if place < len(CRITICAL) else corrupted.warnings
    (finding,) = [each for each in findings if each.expectation == name]
    (row,) = finding.rows
    assert row.startswith(f"record {RECORDS[place + 2]}: ")
    assert column in finding.column
    assert "1 of" in finding.detail


def test_missing_unlisted_and_double_records_are_named(corrupted: CheckReport) -> None:
    rows = rows_of(corrupted)
    assert rows["record_present"] == (f"record {MISSING}: missing",)
    assert rows["record_expected"] == (f"record {UNLISTED}: record={UNLISTED}",)
    assert rows["record_once"] == (f"record {DOUBLE}: record={DOUBLE}",) * 2


def test_nothing_but_the_corrupted_facts_is_reported(corrupted: CheckReport) -> None:
    expected = {name for name, _, _ in CRITICAL} | {
        "record_present",
        "record_expected",
        "record_once",
    }
    assert {each.expectation for each in corrupted.failures} == expected
    assert {each.expectation for each in corrupted.warnings} == {name for name, _, _ in WARNING}
    assert not corrupted.passed


def test_the_offending_cell_is_shown(corrupted: CheckReport) -> None:
    rows = rows_of(corrupted)
    assert rows["leads"] == ("record 103: n_leads=1",)
    assert rows["sampling_rate"] == ("record 104: sampling_rate_hz=250",)
    assert rows["annotations_inside"] == ("record 107: n_samples=650000 last_annotation_sample=650000",)
    assert rows["known_symbols"] == ("record 108: unknown_symbols=Z y",)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[CheckReport, Path]:
    docs = tmp_path_factory.mktemp("docs") / "deep" / "records"
    return validate_records(good_records(), FACTS, docs), docs


def test_good_records_pass_without_a_word(good: tuple[CheckReport, Path]) -> None:
    report, _ = good
    assert report.passed
    assert report.failures == report.warnings == ()
    names = {each["name"] for each in report.summary["expectations"]}
    assert names >= {name for name, _, _ in CRITICAL + WARNING}
    assert all(each["success"] for each in report.summary["expectations"])


def test_data_docs_say_in_english_what_was_checked(good: tuple[CheckReport, Path]) -> None:
    _, docs = good
    assert (docs / "index.html").is_file()
    (page,) = docs.glob("validations/**/*.html")
    assert "Every record is sampled at 360 Hz." in page.read_text(encoding="utf-8")
    assert [each.name for each in docs.parent.iterdir()] == ["records"]


def test_a_second_run_gives_the_same_summary_and_replaces_the_docs(
    good: tuple[CheckReport, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    report, docs = good
    (docs / "stale.html").write_text("from an earlier version", encoding="utf-8")
    again = validate_records(good_records(), FACTS, docs)
    assert json.dumps(again.summary) == json.dumps(report.summary)
    assert not (docs / "stale.html").exists()
    assert capfd.readouterr() == ("", "")


def test_a_record_that_cannot_be_read_is_reported_for_that_alone(tmp_path: Path) -> None:
    unread: dict[str, Any] = {"problem": "no .dat", "n_leads": None, "n_samples": None}
    frame = good_records().astype(object)
    frame.loc[3, list(unread)] = list(unread.values())
    frame.loc[3, ["checksums_ok", "n_beats"]] = [False, 0]
    report = validate_records(frame.infer_objects(), FACTS, tmp_path / "docs")
    assert rows_of(report) == {"readable": ("record 103: problem=no .dat",)}


def test_records_of_any_length_pass_where_none_is_promised(tmp_path: Path) -> None:
    facts = RecordFacts(RECORDS, n_leads=2, sampling_rate_hz=360.0, n_samples=None)
    frame = good_records().assign(n_samples=range(700_000, 700_000 + len(RECORDS)))
    assert validate_records(frame, facts, tmp_path / "docs").passed


def test_no_records_at_all_fail(tmp_path: Path) -> None:
    report = validate_records(good_records().iloc[:0], FACTS, tmp_path / "docs")
    (finding,) = report.failures
    assert finding.expectation == "record_present"
    assert f"{len(RECORDS)} missing" in finding.detail


def test_docs_that_cannot_be_written_are_reported_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(UserError, match="reports/records: cannot be written"):
        validate_records(good_records(), FACTS, tmp_path / "reports" / "records")
