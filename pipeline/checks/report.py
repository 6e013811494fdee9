"""What a validation found, as plain values that know nothing of Great Expectations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import UserError

_ROWS_IN_MESSAGE: Final = 5


@dataclass(frozen=True)
class Finding:
    """One expectation that the data did not meet.

    Attributes:
        expectation: its name, as in the summary.
        column: the column or columns judged, separated by commas; empty for the table as a whole.
        severity: `critical` or `warning`.
        detail: what was expected and what was found, in one sentence.
        rows: the first few offending rows, such as `record 207 sample 1234: rr_prev_s=0.02`.
    """

    expectation: str
    column: str
    severity: str
    detail: str
    rows: tuple[str, ...]

    def line(self) -> str:
        """The finding on one line: name, detail, the first rows."""
        rows = "; ".join(self.rows[:_ROWS_IN_MESSAGE])
        return " ".join(f"{self.expectation} ({self.detail}{': ' if rows else ''}{rows})".split())


@dataclass(frozen=True)
class CheckReport:
    """The outcome of one suite.

    Attributes:
        failures: critical findings; any of them stops the pipeline.
        warnings: the other findings, to be shown and kept.
        summary: every expectation with its outcome; JSON values only, the same for the same data.
    """

    failures: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    summary: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether no critical expectation failed."""
        return not self.failures


def raise_if_failed(report: CheckReport, what: str, docs: Path) -> None:
    """Stop with one line that names each failed expectation and its first offending rows.

    Args:
        what: what was judged and where it lies, such as `data/raw`.
        docs: the folder of the Data Docs.

    Raises UserError if the report has critical failures.
    """
    if report.passed:
        return
    count = len(report.failures)
    found = ", ".join(finding.line() for finding in report.failures)
    raise UserError(
        f"{what}: {count} {'check' if count == 1 else 'checks'} failed: {found}; "
        f"mend the data, then run again; all details in {docs / 'index.html'}"
    )
