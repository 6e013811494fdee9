"""A comparison of runs as one HTML file with its figures inside it."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipeline.evaluation.assessment_tables import OVERALL_NAMES
from pipeline.evaluation.comparison import RunOnSide, comparison_tables, differences, scored_runs
from pipeline.evaluation.ectopic_figures import intervals_figure
from pipeline.evaluation.figures import confusion_figure
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.metrics import confusion
from pipeline.evaluation.page import Section, html_page
from pipeline.evaluation.style import CLASS_COLOURS, new_figure, save_png, styled
from pipeline.files import write_text


def write_comparison(path: Path, runs: Sequence[RunOnSide], where: str) -> None:
    """Write the tables of `comparison_tables`, a forest of scores, one of differences, and confusion matrices.

    Runs without calls beat by beat have no figures.

    Raises UserError when the file cannot be written.
    """
    settings, scores, classes, *paired = comparison_tables(runs, where)
    with tempfile.TemporaryDirectory() as folder:
        drawn = {name: _saved(figure, Path(folder) / f"{name}.png") for name, figure in _figures(runs, where).items()}
        confusions = tuple(drawn[name] for name in drawn if name.startswith("confusion"))
        sections = [
            Section("Settings", (settings,), ()),
            Section("Scores", (scores, classes), tuple(drawn[name] for name in drawn if name == "intervals")),
            Section("Differences", tuple(paired), tuple(drawn[name] for name in drawn if name == "differences")),
            Section("Confusion matrices", (), confusions),
        ]
        page = html_page(f"Comparison of {len(runs)} runs, {where}", sections)
    write_text(path, page)


@styled()
def differences_figure(found: Mapping[str, Mapping[str, Estimate]], first: str, where: str) -> Figure:
    """A forest plot of paired differences: right of 0 is better than the first run.

    Args:
        found: by label of the run, then by key of `OVERALL_NAMES`.
    """
    figure = new_figure(f"{where}: difference to {first}, with 95 % intervals", 7.6, 1.6 + 0.45 * len(OVERALL_NAMES))
    axes = figure.subplots()
    place = np.arange(len(OVERALL_NAMES))
    for number, (label, scores) in enumerate(found.items()):
        offset = (number - (len(found) - 1) / 2) * 0.7 / len(found)
        own = [scores[key] for key in OVERALL_NAMES]
        reach = np.array([(each.value - each.low, each.high - each.value) for each in own]).T
        axes.errorbar(
            [each.value for each in own],
            place + offset,
            xerr=np.maximum(np.nan_to_num(reach), 0),
            fmt="o",
            markersize=4,
            color=list(CLASS_COLOURS.values())[number % len(CLASS_COLOURS)],
            label=label,
        )
    axes.axvline(0, color="#222222", linewidth=0.8)
    axes.set_yticks(place, list(OVERALL_NAMES.values()))
    axes.invert_yaxis()
    axes.set(xlabel=f"difference; right of 0: better than {first}; paired bootstrap over records")
    axes.grid(True, axis="x")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _figures(runs: Sequence[RunOnSide], where: str) -> dict[str, Figure]:
    scored, found = scored_runs(runs), differences(runs)
    figures = {"intervals": intervals_figure(scored, where)} if scored else {}
    if found:
        figures["differences"] = differences_figure(found, runs[0].label, where)
    for number, run in enumerate(runs, start=1):
        if run.result is not None:
            counts = confusion(run.result.y_true, run.result.y_pred)
            figures[f"confusion_{number}"] = confusion_figure(counts, f"{run.label}, {where}")
    return figures


def _saved(figure: Figure, path: Path) -> Path:
    save_png(figure, path)
    return path
