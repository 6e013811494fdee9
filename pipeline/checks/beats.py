"""The suite for beats: is each unique, of a known class, finite, in range, plausibly timed?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
from great_expectations.expectations.core.expect_column_pair_values_to_be_equal import (
    ExpectColumnPairValuesToBeEqual,
)
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
    ExpectColumnValuesToBeInSet,
)
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.core.expect_compound_columns_to_be_unique import (
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.core.expect_table_row_count_to_equal import (
    ExpectTableRowCountToEqual,
)
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.row_conditions import Column

from pipeline.checks.context import run_suite, wording
from pipeline.checks.outcome import report_of
from pipeline.checks.report import CheckReport
from pipeline.ecg.aami import CLASS_OF_SYMBOL, CLASSES

_LONGEST_RR_S: Final = 300.0
_PLAUSIBLE_RR_S: Final = (0.2, 3.5)
_LARGEST_MV: Final = 20.0
_PEAKED_SHARE: Final = 0.75


@dataclass(frozen=True)
class BeatFacts:
    """What a data set promises of its beats.

    Attributes:
        counts: published number of beats of each class, None where nothing is published.
        rows_only: the beats come as finished rows, without RR intervals and windows.
    """

    counts: Mapping[str, int] | None = None
    rows_only: bool = False


def validate_beats(frame: pd.DataFrame, facts: BeatFacts, docs_folder: Path) -> CheckReport:
    """Judge one row a beat.

    Args:
        frame: columns record (str), sample (int), symbol, aami (str), row_min, row_max (of the
            normalised row), row_finite (bool) and, unless `facts.rows_only`, rr_prev_s, rr_next_s
            (s, NaN where a record begins or ends), window_min_mv, window_max_mv (mV),
            window_finite (bool); others are left alone.
        docs_folder: replaced by the Data Docs of this run.
    """
    expectations = [
        *_identity_expectations(),
        *(_class_expectation(aami, facts.counts) for aami in CLASSES),
        *_row_expectations(),
    ]
    if not facts.rows_only:
        expectations += _window_expectations()
        expectations += _rr_expectations("rr_prev_s", "previous", "beats_before")
        expectations += _rr_expectations("rr_next_s", "next", "beats_after")
    return report_of(run_suite("beats", expectations, _prepared(frame), docs_folder), len(frame))


def _prepared(frame: pd.DataFrame) -> pd.DataFrame:
    """Label the rows and add the columns that expectations compare with.

    Great Expectations passes over missing values, so a missing symbol or class becomes an empty
    one, which no set contains. `class_of_symbol` is missing where symbol or class is unknown:
    other expectations report these.
    """
    symbol, aami = frame["symbol"].fillna(""), frame["aami"].fillna("")
    sample, of_record = frame["sample"], frame.groupby("record")["sample"]
    label = "record " + frame["record"].astype(str) + " sample " + sample.astype(str)
    return frame.assign(
        symbol=symbol,
        aami=aami,
        class_of_symbol=symbol.map(CLASS_OF_SYMBOL).where(aami.isin(CLASSES)),
        beats_before=of_record.rank(method="min") - 1,
        beats_after=of_record.rank(method="min", ascending=False) - 1,
    ).set_axis(pd.Index(label), axis=0)


def _identity_expectations() -> list[Expectation]:
    return [
        ExpectTableRowCountToBeBetween(min_value=1, **wording("has_beats", "There is at least one beat.")),
        ExpectCompoundColumnsToBeUnique(
            column_list=["record", "sample"],
            **wording("unique_beat", "No two beats share record and sample."),
        ),
        ExpectColumnValuesToBeInSet(
            column="symbol",
            value_set=sorted(CLASS_OF_SYMBOL),
            **wording("known_symbol", "Every symbol is that of a beat."),
        ),
        ExpectColumnValuesToBeInSet(
            column="aami",
            value_set=list(CLASSES),
            **wording("known_class", "Every class is one of the AAMI classes N, S, V, F and Q."),
        ),
        ExpectColumnPairValuesToBeEqual(
            column_A="aami",
            column_B="class_of_symbol",
            ignore_row_if="either_value_is_missing",
            **wording("class_of_symbol", "Every beat's class is the one its symbol belongs to."),
        ),
    ]


def _class_expectation(aami: str, counts: Mapping[str, int] | None) -> Expectation:
    """The published number of beats of a class; where none is published, at least one."""
    condition = Column("aami") == aami
    if counts is not None and aami in counts:
        return ExpectTableRowCountToEqual(
            value=counts[aami],
            row_condition=condition,
            **wording(f"count_{aami}", f"Class {aami} has {counts[aami]:,} beats, as published."),
        )
    return ExpectTableRowCountToBeBetween(
        min_value=1,
        row_condition=condition,
        **wording(
            f"count_{aami}",
            f"Class {aami} has at least one beat.",
            "A model cannot learn a class that it never sees, nor be judged on it.",
            severity="warning",
        ),
    )


def _row_expectations() -> list[Expectation]:
    return [
        _all_true("row_finite", "Every value of every row is finite."),
        _within("row_min", 0, 1, "No row goes below 0 or stays above 1."),
        _within("row_max", 0, 1, "No row goes above 1 or stays below 0."),
        ExpectColumnValuesToBeInSet(
            column="row_max",
            value_set=[1.0],
            mostly=_PEAKED_SHARE,
            **wording(
                "row_peak",
                f"At least {_PEAKED_SHARE:.0%} of the rows peak at 1, being min-max normalised.",
                "A slow beat's window is longer than its row, and its peak may lie past the cut.",
            ),
        ),
    ]


def _window_expectations() -> list[Expectation]:
    limit = f"{_LARGEST_MV:g} mV"
    return [
        _all_true("window_finite", "Every value of every window is finite."),
        _within("window_min_mv", -_LARGEST_MV, _LARGEST_MV, f"No window goes below -{limit}."),
        _within("window_max_mv", -_LARGEST_MV, _LARGEST_MV, f"No window goes above {limit}."),
    ]


def _rr_expectations(column: str, neighbour: str, others: str) -> list[Expectation]:
    least, most = _PLAUSIBLE_RR_S
    rr = Column(column)
    name = column.removesuffix("_s")
    return [
        ExpectColumnValuesToNotBeNull(
            column=column,
            row_condition=Column(others) > 0,
            **wording(
                f"{name}_known",
                f"The time to the {neighbour} beat is known, except where a record begins or ends.",
            ),
        ),
        ExpectColumnValuesToBeBetween(
            column=column,
            min_value=0,
            strict_min=True,
            max_value=_LONGEST_RR_S,
            **wording(
                f"{name}_possible",
                f"The time to the {neighbour} beat is above 0 and at most {_LONGEST_RR_S:g} s.",
                "The longest in the MIT-BIH records is 100 s, across the flutter of record 207.",
            ),
        ),
        ExpectColumnValuesToBeBetween(
            column=column,
            min_value=least,
            max_value=most,
            row_condition=(rr > 0) & (rr <= _LONGEST_RR_S),
            **wording(
                f"{name}_plausible",
                f"The time to the {neighbour} beat is between {least:g} and {most:g} s.",
                "Shorter is no heartbeat, longer is a pause, flutter or a gap in the annotations.",
                severity="warning",
            ),
        ),
    ]


def _all_true(column: str, says: str) -> Expectation:
    return ExpectColumnValuesToBeInSet(column=column, value_set=[True], **wording(column, says))


def _within(column: str, low: float, high: float, says: str) -> Expectation:
    return ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, **wording(column, says))
