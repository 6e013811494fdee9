"""A failed report stops with one line that names what failed, the rows and the page to open."""

from pathlib import Path

import pytest

from pipeline.checks.report import CheckReport, Finding, raise_if_failed
from pipeline.errors import UserError


def finding(name: str, *rows: str, severity: str = "critical") -> Finding:
    return Finding(name, "n_leads", severity, "Every record has 2 leads", rows)


def test_one_line_names_each_failure_its_rows_and_the_docs() -> None:
    failures = (finding("leads", "record 100: n_leads=1"), finding("readable", "record 101:\nbad"))
    with pytest.raises(UserError) as error:
        raise_if_failed(CheckReport(failures, (), {}), "data/raw", Path("reports/docs"))
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith("data/raw: 2 checks failed: leads (Every record has 2 leads: record")
    for part in ("record 100: n_leads=1", "readable", "record 101: bad", "reports/docs/index.html"):
        assert part in message


def test_only_the_first_rows_are_in_the_line() -> None:
    rows = tuple(f"record {number}: n_leads=1" for number in range(100, 110))
    line = finding("leads", *rows).line()
    assert "record 104" in line
    assert "record 105" not in line


def test_warnings_alone_pass() -> None:
    report = CheckReport((), (finding("flat_signal", severity="warning"),), {})
    assert report.passed
    raise_if_failed(report, "data/raw", Path("reports/docs"))


def test_a_failure_without_rows_reads_well() -> None:
    assert finding("count_F").line() == "count_F (Every record has 2 leads)"
