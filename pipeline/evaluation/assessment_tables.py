"""The assessment of a side as tables of text cells."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation import ec57
from pipeline.evaluation.assessment import FITTED_ON, Assessment
from pipeline.evaluation.beat_sets import BeatSet
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.tables import ScoreTable

RATE_NAMES: Final = {"se": "Se", "ppv": "+P", "fpr": "FPR", "f1": "F1"}
OVERALL_NAMES: Final = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "macro_f1_nsv": "macro-F1 of N, S, V",
    **{f"{name}_f1": f"{name} F1" for name in CLASSES},
}
_RULE_NAMES: Final = {"strict": "all count", "exempt": "EC57's"}
INTERVALS_NOTE: Final = "in brackets 95 % intervals by bootstrap over records"


def ectopic_tables(assessment: Assessment, title: str) -> tuple[ScoreTable, ...]:
    """The figures of EC57 on all beats, with the standard's exclusions, without some records, and by record."""
    sets = [assessment.whole, *([assessment.standard] if assessment.standard else [])]
    return (
        *(_ectopic_table(each, title) for each in sets),
        _sets_table([*sets, *assessment.without], assessment, title),
        _records_table(assessment.by_record, title),
    )


def certainty_tables(assessment: Assessment, title: str) -> tuple[ScoreTable, ...]:
    """What the probabilities are worth, and what leaving out the least certain beats buys."""
    return _calibration_table(assessment, title), _abstention_table(assessment.abstention, title)


def _ectopic_table(beats: BeatSet, title: str) -> ScoreTable:
    rows = [
        (group, pooling, _RULE_NAMES[rule], *map(cell, beats.ectopic[pooling][rule][group].values()))
        for group in ec57.GROUPS
        for pooling in beats.ectopic
        for rule in ec57.RULES
    ]
    note = (
        f"{beats.reason + '; ' if beats.reason else ''}{INTERVALS_NOTE}; gross: all beats pooled, average: mean of the "
        "records in which it is defined; EC57's: F or Q called VEB and Q called SVEB are no false calls"
    )
    heading = f"{title}, {beats.name}: {beats.beats:,} beats of {beats.records} records"
    return ScoreTable(heading, ("ectopic", "over", "false calls", *RATE_NAMES.values()), tuple(rows), note)


def _sets_table(sets: Sequence[BeatSet], assessment: Assessment, title: str) -> ScoreTable:
    rows = [("beats", *(f"{each.beats:,}" for each in sets))]
    rows += [(label, *(cell(each.overall[key]) for each in sets)) for key, label in OVERALL_NAMES.items()]
    rows += [
        (f"{group} {RATE_NAMES[rate]}", *(cell(each.ectopic["gross"]["exempt"][group][rate]) for each in sets))
        for group in ec57.GROUPS
        for rate in ec57.RATES
    ]
    notes = [INTERVALS_NOTE, "SVEB and VEB gross, false calls as EC57 counts them"]
    notes += [f"{each.name}: {each.reason}" for each in assessment.without]
    notes += [
        f"{own:,} of {beats:,} {name} beats are of record {record}"
        for name, (record, own, beats) in assessment.concentrations.items()
    ]
    return ScoreTable(f"{title}: all scores", ("score", *(each.name for each in sets)), tuple(rows), "; ".join(notes))


def _records_table(by_record: pd.DataFrame, title: str) -> ScoreTable:
    rows = []
    for record, of_record in by_record[by_record["rule"] == "exempt"].groupby("record"):
        cells = [str(record)]
        for _, found in of_record.iterrows():
            cells += [f"{found['tp'] + found['fn']:,}", *(_plain(found[rate]) for rate in ("se", "ppv", "fpr"))]
        rows.append(tuple(cells))
    columns = ("record", *(f"{group} {what}" for group in ec57.GROUPS for what in ("beats", "Se", "+P", "FPR")))
    return ScoreTable(f"{title}: by record", columns, tuple(rows), "false calls as EC57 counts them")


def _calibration_table(assessment: Assessment, title: str) -> ScoreTable:
    rows = [("as trained", f"{assessment.before.ece:.4f}", f"{assessment.before.nll:.4f}")]
    note = f"no temperature: the {FITTED_ON} side, which it is fitted on, is not evaluated"
    if assessment.after is not None:
        name = f"temperature {assessment.temperature:.3f}"
        rows.append((name, f"{assessment.after.ece:.4f}", f"{assessment.after.nll:.4f}"))
        note = f"the temperature is fitted on the {FITTED_ON} side and leaves every call as it is"
    columns = ("probabilities", "expected calibration error", "negative log-likelihood (nats)")
    return ScoreTable(f"{title}: calibration", columns, tuple(rows), note)


def _abstention_table(kept: pd.DataFrame, title: str) -> ScoreTable:
    rows = [
        (
            f"{row['left_out']:.0%}",
            f"{row['beats']:,.0f}",
            f"{row['least']:.3f}",
            *(_plain(row[key]) for key in OVERALL_NAMES),
        )
        for _, row in kept.iterrows()
    ]
    columns = ("left out", "beats kept", "least certain", *OVERALL_NAMES.values())
    note = "left out: the beats with the lowest top probability"
    return ScoreTable(f"{title}: leaving the least certain beats to a person", columns, tuple(rows), note)


def cell(found: Estimate) -> str:
    """An estimate with its interval, to four decimals; empty where it is not defined."""
    if np.isnan(found.low):
        return _plain(found.value)
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


def _plain(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"
