"""What both validation stages do with a report: show it, keep its summary, stop on a critical failure."""

from pipeline.checks.report import CheckReport, raise_if_failed
from pipeline.files import write_json
from pipeline.stages.entry import DATA_DOCS, VALIDATION


def conclude(report: CheckReport, what: str) -> None:
    """Print warnings, raise on failures, and only then write the summary, the stage's tracked output."""
    for warning in report.warnings:
        print(f"warning: {warning.line()}", flush=True)
    raise_if_failed(report, what, DATA_DOCS / what)
    write_json(VALIDATION / f"{what}.json", report.summary)
    print(f"{what}: all critical checks passed, {len(report.warnings)} warnings; see {DATA_DOCS / what}/index.html")
