"""Figures of what a model's probabilities are worth: reliability diagram, abstention curve."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.evaluation.abstention import SHARES
from pipeline.evaluation.assessment import Assessment, Calibration
from pipeline.evaluation.style import CLASS_COLOURS, new_figure, styled

_FEWEST_DRAWN: Final = 10
_CURVES: Final = {
    "accuracy": ("accuracy", "#222222", "-"),
    "macro_f1": ("macro-F1", "#777777", "--"),
    "S_f1": ("S F1", CLASS_COLOURS["S"], "--"),
    "V_f1": ("V F1", CLASS_COLOURS["V"], "-."),
}


@styled()
def reliability_figure(assessment: Assessment, where: str) -> Figure:
    """Accuracy against confidence, as trained and at the fitted temperature, over the beats in each part."""
    figure = new_figure(f"{where}: reliability", 6.4, 6.4)
    panels = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    panels[0].plot([0, 1], [0, 1], color="#999999", linewidth=1, label="perfect")
    looks: list[tuple[str, Calibration, str, str, str]] = [
        ("as trained", assessment.before, CLASS_COLOURS["N"], "-", "o")
    ]
    if assessment.after is not None:
        name = f"temperature {assessment.temperature:.2f}"
        looks.append((name, assessment.after, CLASS_COLOURS["V"], "--", "s"))
    for name, found, colour, dash, marker in looks:
        parts = found.reliability
        some = parts["beats"] >= _FEWEST_DRAWN
        panels[0].plot(
            parts["confidence"][some],
            parts["accuracy"][some],
            color=colour,
            linestyle=dash,
            marker=marker,
            markersize=4,
            label=f"{name}: ECE {found.ece:.4f}",
        )
        edges = np.append(parts["low"], parts["high"].iloc[-1])
        panels[1].stairs(parts["beats"], edges, color=colour, linestyle=dash)
    panels[0].set(xlim=(0, 1), ylim=(0, 1), ylabel="share of calls that are right")
    figure.legend(loc="outside lower center", ncols=3)
    panels[1].set(
        xlabel=f"top probability (parts of fewer than {_FEWEST_DRAWN} beats are not drawn above)", ylabel="beats"
    )
    panels[1].set_yscale("symlog", linthresh=1)
    panels[1].set_ylim(bottom=0)
    for axes in panels:
        axes.grid(True)
    return figure


@styled()
def abstention_figure(curve: pd.DataFrame, where: str) -> Figure:
    """Scores of the beats kept against the share left out; dotted lines at the shares of the table.

    Args:
        curve: `abstention.abstention` at many shares.
    """
    figure = new_figure(f"{where}: leaving out the least certain beats", 7.6, 4.6)
    axes = figure.subplots()
    for share in SHARES[1:]:
        axes.axvline(100 * share, color="#999999", linestyle=":", linewidth=1)
    for key, (label, colour, dash) in _CURVES.items():
        axes.plot(100 * curve["left_out"], curve[key], color=colour, linestyle=dash, linewidth=1.8, label=label)
    axes.set_xlim(0, 100 * curve["left_out"].max())
    axes.set_ylim(0, 1)
    axes.set_xlabel("beats left out (%)")
    axes.set_ylabel("score of the beats kept (0 to 1)")
    axes.grid(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure
