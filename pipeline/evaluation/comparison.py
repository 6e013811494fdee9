"""Runs side by side on the same beats: settings that differ, scores with intervals, paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation import ec57
from pipeline.evaluation.assessment_tables import INTERVALS_NOTE, OVERALL_NAMES, RATE_NAMES, cell
from pipeline.evaluation.beat_sets import BeatSet, score_beat_set
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.paired import paired_differences
from pipeline.evaluation.side import SideResult
from pipeline.evaluation.tables import ScoreTable

_PARTS: Final = ("precision", "recall", "f1")


@dataclass(frozen=True)
class RunOnSide:
    """What one run left of one side.

    Attributes:
        label: What tables call it.
        settings: Params, and whatever else is to be compared as text.
        metrics: By name without the side: `macro_f1`, `S.precision`, `veb_se`.
        result: Its calls beat by beat, in the order of record and sample; None where the run kept none.
    """

    label: str
    settings: Mapping[str, str]
    metrics: Mapping[str, float]
    result: SideResult | None


def side_result(predictions: pd.DataFrame, side: str) -> SideResult:
    """The beats of one side, ordered by record and sample.

    Args:
        predictions: columns `side`, `record`, `sample`, `aami`, `p_N` ... `p_Q`.
    """
    beats = predictions[predictions["side"] == side].sort_values(["record", "sample"], kind="stable")
    return SideResult(
        records=beats["record"].to_numpy(dtype=np.str_),
        samples=beats["sample"].to_numpy(),
        y_true=beats["aami"].map(CLASSES.index).to_numpy(dtype=np.int64),
        y_prob=beats[[f"p_{name}" for name in CLASSES]].to_numpy(),
    )


def same_beats(first: SideResult, second: SideResult) -> bool:
    """Whether both are about the same beats with the same annotated classes, in the same order."""
    return all(
        np.array_equal(one, other)
        for one, other in (
            (first.records, second.records),
            (first.samples, second.samples),
            (first.y_true, second.y_true),
        )
    )


def comparison_tables(runs: Sequence[RunOnSide], where: str) -> tuple[ScoreTable, ...]:
    """Settings that differ, all scores, scores by class; where calls were kept, what each run has over the first.

    Args:
        runs: at least two; the results among them are of the same beats.
        where: protocol and side, for the titles.
    """
    found = differences(runs)
    tables = (_settings_table(runs), _scores_table(runs, where), _classes_table(runs, where))
    return (*tables, _differences_table(runs, found, where)) if found else tables


def scored_runs(runs: Sequence[RunOnSide]) -> list[BeatSet]:
    """The scores with intervals of the runs that kept their calls, named as the runs are."""
    return [
        score_beat_set(run.label, "", run.result.records, run.result.y_true, run.result.y_pred)
        for run in runs
        if run.result is not None
    ]


def differences(runs: Sequence[RunOnSide]) -> dict[str, dict[str, Estimate]]:
    """What each later run has over the first, by label; without those that lack calls beat by beat."""
    first = runs[0].result
    if first is None:
        return {}
    return {
        run.label: paired_differences(first.records, first.y_true, first.y_pred, run.result.y_pred)
        for run in runs[1:]
        if run.result is not None
    }


def _settings_table(runs: Sequence[RunOnSide]) -> ScoreTable:
    names = sorted({name for run in runs for name in run.settings})
    values = {name: [run.settings.get(name, "") for run in runs] for name in names}
    rows = tuple((name, *own) for name, own in values.items() if len(set(own)) > 1)
    alike = len(names) - len(rows)
    return ScoreTable("Settings that differ", ("setting", *_labels(runs)), rows, f"{alike} others are the same")


def _scores_table(runs: Sequence[RunOnSide], where: str) -> ScoreTable:
    found = {each.name: each for each in scored_runs(runs)}
    rows = [(label, *(_overall_cell(run, found, key) for run in runs)) for key, label in OVERALL_NAMES.items()]
    rows += [
        (f"{group} {RATE_NAMES[rate]}", *(_ectopic_cell(run, found, group, rate) for run in runs))
        for group in ec57.GROUPS
        for rate in ec57.RATES
    ]
    note = f"{INTERVALS_NOTE}; SVEB and VEB gross, as EC57 counts false calls"
    beats = next((f": {each.beats:,} beats of {each.records} records" for each in found.values()), "")
    return ScoreTable(f"{where}{beats}", ("score", *_labels(runs)), tuple(rows), f"{note}{_lacking(runs)}")


def _overall_cell(run: RunOnSide, found: Mapping[str, BeatSet], key: str) -> str:
    if run.label in found:
        return cell(found[run.label].overall[key])
    class_name, _, score = key.partition("_")
    name = f"{class_name}.{score}" if class_name in CLASSES else key
    return _number(run.metrics, name)


def _ectopic_cell(run: RunOnSide, found: Mapping[str, BeatSet], group: ec57.Group, rate: str) -> str:
    if run.label in found:
        return cell(found[run.label].ectopic["gross"]["exempt"][group][rate])
    return _number(run.metrics, f"{group.lower()}_{rate}")


def _classes_table(runs: Sequence[RunOnSide], where: str) -> ScoreTable:
    rows = [
        (name, *(" / ".join(_number(run.metrics, f"{name}.{part}") for part in _PARTS) for run in runs))
        for name in CLASSES
    ]
    return ScoreTable(f"{where}: precision / recall / F1 of each class", ("class", *_labels(runs)), tuple(rows), "")


def _differences_table(
    runs: Sequence[RunOnSide], found: Mapping[str, Mapping[str, Estimate]], where: str
) -> ScoreTable:
    rows = [
        (label, *(_signed(found[run.label][key]) if run.label in found else "-" for run in runs[1:]))
        for key, label in OVERALL_NAMES.items()
    ]
    note = (
        "in brackets 95 % intervals by a paired bootstrap over records; * leaves out 0, as one in twenty would by "
        f"chance{_lacking(runs)}"
    )
    title = f"{where}: difference to {runs[0].label}"
    return ScoreTable(title, ("score", *_labels(runs[1:])), tuple(rows), note)


def _lacking(runs: Sequence[RunOnSide]) -> str:
    without = [run.label for run in runs if run.result is None]
    if not without:
        return ""
    return f"; no intervals and no paired differences for want of evaluation/predictions.parquet: {', '.join(without)}"


def _signed(found: Estimate) -> str:
    if np.isnan(found.value):
        return ""
    if np.isnan(found.low):
        return f"{found.value:+.4f}"
    sure = "*" if found.low > 0 or found.high < 0 else ""
    return f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f}){sure}"


def _number(metrics: Mapping[str, float], name: str) -> str:
    return f"{metrics[name]:.4f}" if name in metrics else "-"


def _labels(runs: Sequence[RunOnSide]) -> tuple[str, ...]:
    return tuple(run.label for run in runs)
