"""One look for all figures, whatever matplotlib settings the user has, and reproducible bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.files import atomic_path

CLASS_COLOURS: Final = {
    "N": "#0072B2",
    "S": "#E69F00",
    "V": "#D55E00",
    "F": "#009E73",
    "Q": "#CC79A7",
}
"""Okabe and Ito's palette, told apart with any colour vision; line styles differ as well."""

CLASS_DASHES: Final = {"N": "-", "S": "--", "V": "-.", "F": ":", "Q": (0, (6, 1, 1, 1, 1, 1))}

_RC: Final[Any] = {
    **{
        key: matplotlib.rcParamsDefault[key]
        for key in matplotlib.rcParamsDefault
        if not key.startswith(("backend", "interactive", "toolbar", "webagg", "date", "animation"))
    },
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid.axis": "both",
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
_DPI: Final = 120


@contextmanager
def styled() -> Iterator[None]:
    """The look as a decorator or a `with` block; what was set before is put back after it."""
    with matplotlib.rc_context(_RC):
        yield


def new_figure(title: str, width_in: float, height_in: float) -> Figure:
    """An empty figure, in inches, with constrained layout; no pyplot, so nothing to close."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    figure.suptitle(title)
    return figure


def say_empty(axes: Axes, message: str) -> None:
    """Put a sentence where there is nothing to draw."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, message, ha="center", va="center", transform=axes.transAxes)


def save_png(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG, atomically; the same figure gives the same bytes."""
    with atomic_path(path) as temporary, styled():
        figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})
