"""The suite for recordings: are they the expected ones, whole, and readable as ECG?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from great_expectations.expectations.core.expect_column_distinct_values_to_contain_set import (
    ExpectColumnDistinctValuesToContainSet,
)
from great_expectations.expectations.core.expect_column_pair_values_a_to_be_greater_than_b import (
    ExpectColumnPairValuesAToBeGreaterThanB,
)
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
    ExpectColumnValuesToBeInSet,
)
from great_expectations.expectations.core.expect_column_values_to_be_unique import (
    ExpectColumnValuesToBeUnique,
)
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.row_conditions import Column

from pipeline.checks.context import run_suite, wording
from pipeline.checks.outcome import report_of
from pipeline.checks.report import CheckReport

_MOST_FLAT: Final = 0.5
_MOST_SATURATED: Final = 0.05


@dataclass(frozen=True)
class RecordFacts:
    """What a data set promises of its records; `n_samples` is None where lengths differ."""

    records: tuple[str, ...]
    n_leads: int
    sampling_rate_hz: float
    n_samples: int | None


def validate_records(frame: pd.DataFrame, facts: RecordFacts, docs_folder: Path) -> CheckReport:
    """Judge one row a record against the facts of its data set.

    A record with a `problem` is reported for that alone: what could not be read is not judged.

    Args:
        frame: columns record (str), n_leads, sampling_rate_hz, n_samples, checksums_ok (bool: the
            header's signal checksums equal those of the samples), last_annotation_sample,
            unknown_symbols (str, empty if none), n_beats, problem (str, empty if none),
            flat_fraction and saturated_fraction (of the samples); others are left alone.
        docs_folder: replaced by the Data Docs of this run.
    """
    labelled = frame.set_axis(pd.Index("record " + frame["record"].astype(str)), axis=0)
    expectations = [*_set_expectations(facts), *_signal_expectations(facts), *_beat_expectations()]
    return report_of(run_suite("records", expectations, labelled, docs_folder), len(frame))


def _set_expectations(facts: RecordFacts) -> list[Expectation]:
    records = list(facts.records)
    return [
        ExpectColumnDistinctValuesToContainSet(
            column="record",
            value_set=records,
            **wording("record_present", f"Each of the {len(records)} expected records is there."),
        ),
        ExpectColumnValuesToBeInSet(
            column="record",
            value_set=records,
            **wording("record_expected", "Every record is one that the data set lists."),
        ),
        ExpectColumnValuesToBeUnique(column="record", **wording("record_once", "No record comes twice.")),
        ExpectColumnValuesToBeInSet(
            column="problem",
            value_set=[""],
            **wording(
                "readable",
                "Every record can be read.",
                "A record that cannot be read is judged by nothing else below.",
            ),
        ),
    ]


def _signal_expectations(facts: RecordFacts) -> list[Expectation]:
    length = facts.n_samples
    return [
        ExpectColumnValuesToBeInSet(
            column="n_leads",
            value_set=[facts.n_leads],
            **_of_readable("leads", f"Every record has {facts.n_leads} lead(s)."),
        ),
        ExpectColumnValuesToBeInSet(
            column="sampling_rate_hz",
            value_set=[facts.sampling_rate_hz],
            **_of_readable("sampling_rate", f"Every record is sampled at {facts.sampling_rate_hz:g} Hz."),
        ),
        ExpectColumnValuesToBeBetween(
            column="n_samples",
            min_value=1 if length is None else length,
            max_value=length,
            **_of_readable(
                "length",
                "Every record has samples." if length is None else f"Every record has {length:,} samples a lead.",
            ),
        ),
        ExpectColumnValuesToBeInSet(
            column="checksums_ok",
            value_set=[True],
            **_of_readable(
                "checksums",
                "The signal checksums in every header are those of the samples.",
                "A checksum is the 16-bit sum of a lead's samples, written by who made the record.",
            ),
        ),
        _at_most("flat_fraction", "flat", _MOST_FLAT),
        _at_most("saturated_fraction", "saturated", _MOST_SATURATED),
    ]


def _at_most(column: str, state: str, most: float) -> Expectation:
    return ExpectColumnValuesToBeBetween(
        column=column,
        max_value=most,
        **_of_readable(
            f"{state}_signal",
            f"At most {most:.0%} of a record's signal is {state}.",
            "An electrode that came off, or an amplifier at its limit, shows no beats.",
            severity="warning",
        ),
    )


def _beat_expectations() -> list[Expectation]:
    return [
        ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="n_samples",
            column_B="last_annotation_sample",
            **_of_readable("annotations_inside", "Every annotation lies within its record's signal."),
        ),
        ExpectColumnValuesToBeInSet(
            column="unknown_symbols",
            value_set=[""],
            **_of_readable("known_symbols", "Every annotation symbol is a known one."),
        ),
        ExpectColumnValuesToBeBetween(
            column="n_beats",
            min_value=1,
            **_of_readable("has_beats", "Every record has at least one annotated beat."),
        ),
    ]


def _of_readable(name: str, says: str, why: str = "", severity: str = "critical") -> dict[str, Any]:
    return {**wording(name, says, why, severity), "row_condition": Column("problem") == ""}
