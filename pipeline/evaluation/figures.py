"""Figures of a training and of one side's results; each function returns a matplotlib Figure.

`where` names protocol and side ("kaggle, test") and opens each title.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation.style import (
    CLASS_COLOURS,
    CLASS_DASHES,
    new_figure,
    styled,
)

_MAX_RECORDS: Final = 48


@styled()
def confusion_figure(counts: NDArray[np.int64], where: str) -> Figure:
    """The confusion matrix: beats as numbers, the share of each annotated class as colour.

    Args:
        counts: (5, 5) beats by annotated (row) and predicted (column) class.
    """
    figure = new_figure(f"{where}: confusion matrix", 6.4, 5.4)
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), beats in np.ndenumerate(counts):
        axes.text(
            column,
            row,
            f"{beats:,}\n{share[row, column]:.1%}",
            ha="center",
            va="center",
            color="white" if share[row, column] > 0.55 else "#222222",
        )
    axes.set_xticks(range(len(CLASSES)), CLASSES)
    axes.set_yticks(
        range(len(CLASSES)),
        [f"{name}\n{beats:,}" for name, beats in zip(CLASSES, counts.sum(axis=1), strict=True)],
    )
    axes.set_xlabel("predicted class")
    axes.set_ylabel("annotated class (beats)")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="share of the annotated class", shrink=0.85)
    return figure


@styled()
def precision_recall_figure(curves: pd.DataFrame, average_precision: Mapping[str, float], where: str) -> Figure:
    """Precision against recall for each class.

    Args:
        curves: columns `class`, `recall`, `precision` (`curves.pr_curves`).
        average_precision: the area under each class's curve, for the legend.
    """
    figure = new_figure(f"{where}: precision and recall", 6.4, 5.4)
    axes = figure.subplots()
    for name, curve in curves.groupby("class", sort=False):
        axes.plot(
            curve["recall"],
            curve["precision"],
            color=CLASS_COLOURS[str(name)],
            linestyle=CLASS_DASHES[str(name)],
            linewidth=1.8,
            drawstyle="steps-post",
            label=f"{name}: area {average_precision[str(name)]:.3f}",
            clip_on=False,
        )
    axes.set(xlim=(0, 1), ylim=(0, 1.0), aspect="equal")
    axes.set_xlabel("recall (sensitivity), share of the class found")
    axes.set_ylabel("precision (positive predictivity), share of calls right")
    axes.grid(True)
    axes.legend(loc="lower left", title="one class against the rest")
    return figure


@styled()
def learning_figure(history: pd.DataFrame, where: str) -> Figure:
    """Loss and validation macro-F1 by epoch; the epoch with the best macro-F1 is marked.

    Args:
        history: columns `epoch`, `loss`, `val_loss`, `val_macro_f1`, perhaps `learning_rate`.
    """
    has_rate = "learning_rate" in history.columns
    figure = new_figure(f"{where}: learning curves", 10.5 if has_rate else 8.4, 3.8)
    panels = figure.subplots(1, 3 if has_rate else 2, squeeze=False)[0]
    _lines(panels[0], history, {"loss": "training", "val_loss": "validation"})
    panels[0].set(title="Loss", ylabel="cross-entropy (nats)")
    panels[0].set_ylim(bottom=0)
    panels[0].legend()
    _lines(panels[1], history, {"val_macro_f1": "validation"})
    _mark_best(panels[1], history)
    panels[1].set(title="Macro-F1, validation", ylabel="macro-F1 (0 to 1)")
    panels[1].legend(loc="lower right")
    if has_rate:
        _lines(panels[2], history, {"learning_rate": "learning rate"})
        panels[2].set(title="Learning rate", ylabel="step size")
        panels[2].set_ylim(bottom=0)
        panels[2].ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    for axes in panels:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(True)
    return figure


@styled()
def records_figure(by_record: pd.DataFrame, where: str) -> Figure:
    """S and V beats missed and called wrongly in each record.

    Args:
        by_record: rows of `metrics.per_record`; of more than 48, those with most such errors.
    """
    columns = ["S_missed", "S_false", "V_missed", "V_false"]
    worst = by_record[columns].sum(axis=1).sort_values(ascending=False, kind="stable")
    shown = by_record.loc[worst.index[:_MAX_RECORDS]].sort_values("record")
    title = f"{where}: errors on ectopic beats by record"
    if len(shown) < len(by_record):
        title += f" (the {len(shown)} of {len(by_record)} records with most)"
    figure = new_figure(title, max(6.4, 0.24 * len(shown) + 2), 5.4)
    panels = figure.subplots(2, 1, sharex=True)
    place = np.arange(len(shown))
    for axes, name, meaning in zip(panels, ("S", "V"), ("supraventricular", "ventricular"), strict=True):
        missed, false = shown[f"{name}_missed"], shown[f"{name}_false"]
        colour = CLASS_COLOURS[name]
        axes.bar(place - 0.2, missed, 0.4, color=colour, label=f"{name} missed")
        axes.bar(
            place + 0.2,
            false,
            0.4,
            color="white",
            edgecolor=colour,
            hatch="/////",
            label=f"called {name} wrongly",
        )
        axes.set_title(f"{name} ({meaning} ectopic), {shown[f'{name}_support'].sum():,} beats")
        axes.set_ylabel("errors (beats)")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(True, axis="y")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    panels[1].set_xticks(place, shown["record"], rotation=90, fontsize=8)
    panels[1].set_xlabel("record")
    panels[1].set_xlim(-0.8, len(shown) - 0.2)
    return figure


def _lines(axes: Axes, history: pd.DataFrame, labels: Mapping[str, str]) -> None:
    looks = ((CLASS_COLOURS["N"], "-", "o"), (CLASS_COLOURS["V"], "--", "s"))
    for (column, label), (colour, dash, marker) in zip(labels.items(), looks, strict=False):
        axes.plot(
            history["epoch"],
            history[column],
            color=colour,
            linestyle=dash,
            marker=marker,
            markersize=3.5,
            label=label,
        )


def _mark_best(axes: Axes, history: pd.DataFrame) -> None:
    epochs, scores = history["epoch"].to_numpy(), history["val_macro_f1"].to_numpy()
    best = int(scores.argmax())
    axes.plot(
        epochs[best],
        scores[best],
        marker="*",
        markersize=12,
        linestyle="none",
        color=CLASS_COLOURS["V"],
        label=f"best: {scores[best]:.4f}, epoch {epochs[best]:g}",
    )
