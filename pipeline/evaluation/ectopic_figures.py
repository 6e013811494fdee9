"""Figures of an assessment: scores with their intervals, ectopic beats by record."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.evaluation import ec57
from pipeline.evaluation.assessment_tables import OVERALL_NAMES, RATE_NAMES
from pipeline.evaluation.beat_sets import BeatSet
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.style import CLASS_COLOURS, new_figure, styled

_MAX_RECORDS: Final = 48
_MARKERS: Final = "osD^vPX"
_GROUP_CLASS: Final = {"SVEB": "S", "VEB": "V"}


@styled()
def intervals_figure(sets: Sequence[BeatSet], where: str) -> Figure:
    """A forest plot: each score as a point with its interval, a mark a set of beats.

    Args:
        sets: All beats first; at most seven.
    """
    rows = [_scores(each) for each in sets]
    labels = list(rows[0])
    figure = new_figure(f"{where}: scores with 95 % intervals", 7.6, 1.6 + 0.3 * len(labels))
    axes = figure.subplots()
    place = np.arange(len(labels))
    colours = list(CLASS_COLOURS.values())
    for number, (beats, scores) in enumerate(zip(sets, rows, strict=True)):
        offset = (number - (len(sets) - 1) / 2) * 0.7 / len(sets)
        values = np.array([scores[label].value for label in labels])
        axes.errorbar(
            values,
            place + offset,
            xerr=_reach([scores[label] for label in labels]),
            fmt=_MARKERS[number % len(_MARKERS)],
            markersize=4,
            color=colours[number % len(colours)],
            linewidth=1.2,
            label=f"{beats.name} ({beats.beats:,})",
        )
    axes.set_yticks(place, labels)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="score (0 to 1); bootstrap over records")
    axes.grid(True, axis="x")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled()
def ectopic_records_figure(by_record: pd.DataFrame, whole: BeatSet, where: str) -> Figure:
    """Sensitivity and positive predictivity for SVEB and VEB in each record, then their average and gross.

    Args:
        by_record: `assessment.record_rates`; of more than 48 records, those with most ectopic beats and false calls.
        whole: The side's scores, for average and gross with their intervals.
    """
    exempt = by_record[by_record["rule"] == "exempt"]
    concerned = exempt.assign(n=exempt[["tp", "fn", "fp"]].sum(axis=1)).groupby("record")["n"].sum()
    shown = sorted(concerned.sort_values(ascending=False, kind="stable").index[:_MAX_RECORDS])
    title = f"{where}: ectopic beats by record, as EC57 counts them"
    if len(shown) < len(concerned):
        title += f" (the {len(shown)} of {len(concerned)} records with most)"
    figure = new_figure(title, max(7.0, 0.26 * len(shown) + 3), 5.6)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, group in zip(panels, ec57.GROUPS, strict=True):
        rates = exempt[exempt["group"] == group].set_index("record").loc[shown]
        _bars(axes, rates, whole, group)
    place = [*range(len(shown)), len(shown) + 0.5, len(shown) + 1.5]
    panels[1].set_xticks(place, [*map(str, shown), "average", "gross"], rotation=90, fontsize=8)
    panels[1].set_xlabel("record (a dot: no such beats, or no such calls)")
    panels[1].set_xlim(-0.8, len(shown) + 2.3)
    return figure


def _bars(axes: Axes, rates: pd.DataFrame, whole: BeatSet, group: ec57.Group) -> None:
    colour = CLASS_COLOURS[_GROUP_CLASS[group]]
    place = np.arange(len(rates))
    ends = np.array([len(rates) + 0.5, len(rates) + 1.5])
    looks: tuple[tuple[str, float, dict[str, Any]], ...] = (
        ("se", -0.2, {"color": colour}),
        ("ppv", 0.2, {"color": "white", "edgecolor": colour, "hatch": "/////"}),
    )
    for rate, shift, look in looks:
        axes.bar(place + shift, rates[rate], 0.4, label=RATE_NAMES[rate], **look)
        nothing = place[rates[rate].isna()] + shift
        axes.plot(nothing, np.full(len(nothing), 0.02), ".", color="#999999", markersize=3)
        found = [whole.ectopic[pooling]["exempt"][group][rate] for pooling in ("average", "gross")]
        axes.bar(ends + shift, [each.value for each in found], 0.4, **look)
        axes.errorbar(ends + shift, [each.value for each in found], _reach(found), fmt="none", color="#222222")
    beats = int((rates["tp"] + rates["fn"]).sum())
    axes.set_title(f"{group}, {beats:,} beats")
    axes.set(ylim=(0, 1), ylabel="share (0 to 1)")
    axes.axvline(len(rates) - 0.25, color="#999999", linewidth=0.8)
    axes.grid(True, axis="y")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _scores(beats: BeatSet) -> dict[str, Estimate]:
    scores = {label: beats.overall[key] for key, label in OVERALL_NAMES.items()}
    for group in ec57.GROUPS:
        for rate in ec57.RATES:
            scores[f"{group} {RATE_NAMES[rate]}"] = beats.ectopic["gross"]["exempt"][group][rate]
    return scores


def _reach(found: Sequence[Estimate]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(2, n) lengths of the bars below and above each value; 0 where there is no interval."""
    ends = np.array([(each.value - each.low, each.high - each.value) for each in found]).T
    return np.asarray(np.maximum(np.nan_to_num(ends), 0))
