"""From the results of Great Expectations to a report of plain values, without ids and times."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from great_expectations.core import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)

from pipeline.checks.report import CheckReport, Finding

_ROWS_KEPT: Final = 10


def report_of(result: ExpectationSuiteValidationResult, n_rows: int) -> CheckReport:
    """Sort what a suite found into failures, warnings and a summary that depends on the data alone.

    Args:
        result: of a suite whose expectations were worded by `checks.context.wording`.
        n_rows: rows of the frame that was judged.

    Raises RuntimeError when an expectation could not be evaluated: a column that is not there, say.
    """
    outcomes = [_Outcome(each) for each in result.results]
    findings = [outcome.finding() for outcome in outcomes if not outcome.success]
    failures = tuple(each for each in findings if each.severity == "critical")
    warnings = tuple(each for each in findings if each.severity != "critical")
    summary = {
        "suite": result.suite_name,
        "rows": n_rows,
        "passed": not failures,
        "expectations": [outcome.summary() for outcome in outcomes],
    }
    return CheckReport(failures, warnings, summary)


class _Outcome:
    """One expectation's result, read into plain values."""

    def __init__(self, result: ExpectationValidationResult) -> None:
        config = result.expectation_config
        if config is None or config.meta is None:
            raise RuntimeError("Great Expectations returned a result without its expectation")
        self.name = str(config.meta["name"])
        self.type = config.type
        self.severity = str(config.severity.value)
        self.success = bool(result.success)
        self._says = str(config.meta["says"]).rstrip(".")
        self._result: Mapping[str, Any] = result.result
        trouble = _trouble(result.exception_info)
        if trouble:
            raise RuntimeError(f"the expectation {self.name} could not be evaluated: {trouble}")
        self.columns = _columns(config.kwargs)

    def finding(self) -> Finding:
        return Finding(self.name, ", ".join(self.columns), self.severity, self._detail(), self._rows())

    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = {
            "name": self.name,
            "expectation": self.type,
            "columns": self.columns,
            "severity": self.severity,
            "success": self.success,
        }
        if "unexpected_count" in self._result:
            summary["checked"] = int(self._result["element_count"])
            summary["unexpected"] = int(self._result["unexpected_count"])
        elif "missing_count" in self._result:
            summary["missing"] = int(self._result["missing_count"])
        else:
            summary["observed"] = int(self._result["observed_value"])
        if not self.success:
            summary["rows"] = list(self._rows())
        return summary

    def _detail(self) -> str:
        if "unexpected_count" in self._result:
            n_rows, n_bad = self._result["element_count"], self._result["unexpected_count"]
            return f"{self._says}; not so in {n_bad:,} of {n_rows:,} rows"
        if "missing_count" in self._result:
            return f"{self._says}; {self._result['missing_count']} missing"
        return f"{self._says}; found {self._result['observed_value']:,}"

    def _rows(self) -> tuple[str, ...]:
        if "unexpected_count" in self._result:
            labels = self._result["unexpected_index_list"][:_ROWS_KEPT]
            values = self._result["unexpected_list"][:_ROWS_KEPT]
            return tuple(f"{label}: {self._cells(value)}" for label, value in zip(labels, values, strict=True))
        missing = sorted(self._result.get("partial_missing_list", ()))[:_ROWS_KEPT]
        return tuple(f"{self.columns[0]} {value}: missing" for value in missing)

    def _cells(self, value: Any) -> str:
        """The offending cells of a row as `column=value`; several come as a dict or a tuple."""
        if isinstance(value, dict):
            cells = list(value.values())
        else:
            cells = list(value) if isinstance(value, tuple) else [value]
        return " ".join(f"{column}={_shown(cell)}" for column, cell in zip(self.columns, cells, strict=True))


def _columns(kwargs: Mapping[str, Any]) -> list[str]:
    single = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return [*single, *kwargs.get("column_list", ())]


def _shown(cell: Any) -> str:
    return f"{cell:.6g}" if isinstance(cell, float | np.floating) else str(cell) or "(empty)"


def _trouble(info: Mapping[str, Any] | None) -> str | None:
    """The message of the exception that kept an expectation from being evaluated, if any."""
    if not info:
        return None
    if "raised_exception" in info:
        return str(info["exception_message"]) if info["raised_exception"] else None
    return next((found for each in info.values() if (found := _trouble(each))), None)
