"""Beats to look at: those that the model got wrong with most confidence."""

from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation.style import CLASS_COLOURS, new_figure, say_empty, styled

_ROW_FS_HZ: Final = 120
_GRID: Final = (3, 4)


@styled()
def mistakes_figure(
    rows: NDArray[Any],
    y_true: NDArray[Any],
    y_prob: NDArray[Any],
    captions: NDArray[Any],
    where: str,
) -> Figure:
    """The beats that the model got wrong with most confidence, at most twelve.

    Args:
        rows: (n, 187) beats scaled to 0..1, 120 Hz, zeros after their end.
        y_true: (n,) int class indexes.
        y_prob: (n, 5) probabilities.
        captions: (n,) where each beat comes from, e.g. "208, 12.3 s".
    """
    figure = new_figure(f"{where}: the most confident mistakes", 10.5, 6.8)
    wrong = confident_mistakes(y_true, y_prob, limit=_GRID[0] * _GRID[1])
    if not len(wrong):
        say_empty(figure.subplots(), "No beat was called wrongly.")
        return figure
    panels = figure.subplots(*_GRID, sharex=True, sharey=True)
    for axes in panels.flat[len(wrong) :]:
        axes.set_axis_off()
    for axes, beat in zip(panels.flat, wrong, strict=False):
        called = int(y_prob[beat].argmax())
        n_samples = int(np.max(np.flatnonzero(rows[beat]), initial=0)) + 1
        axes.plot(
            np.arange(n_samples) / _ROW_FS_HZ,
            rows[beat, :n_samples],
            color=CLASS_COLOURS[CLASSES[y_true[beat]]],
            linewidth=1.3,
        )
        axes.set_title(f"{CLASSES[y_true[beat]]} called {CLASSES[called]}, p = {y_prob[beat, called]:.3f}")
        axes.text(
            0.98,
            0.96,
            str(captions[beat]),
            ha="right",
            va="top",
            fontsize=8,
            color="#555555",
            transform=axes.transAxes,
        )
        axes.grid(True)
    figure.supxlabel("time from the beat's annotation (s)", fontsize=10)
    figure.supylabel("first lead, scaled to 0..1 (no unit)", fontsize=10)
    return figure


def confident_mistakes(y_true: NDArray[Any], y_prob: NDArray[Any], limit: int) -> NDArray[np.intp]:
    """Indexes of wrongly called beats, the most probable call first; ties in their own order."""
    wrong = np.flatnonzero(y_prob.argmax(axis=1) != y_true)
    order = np.argsort(-y_prob[wrong].max(axis=1), kind="stable")
    chosen: NDArray[np.intp] = wrong[order][:limit]
    return chosen
