"""Figure of what decided a call: the beat's samples, its neighbours, its rhythm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.ecg.context import RHYTHM_FEATURES
from pipeline.ecg.windows import AFTER_SAMPLES, BEFORE_SAMPLES, WINDOW_RATE_HZ
from pipeline.evaluation.style import new_figure, styled

_NEIGHBOURS: Final = 8
_FEATURES_SHOWN: Final = 5
_FOR, _AGAINST = "#D55E00", "#0072B2"


@dataclass(frozen=True)
class Explained:
    """One beat and what each part of the input adds to the wrong call.

    Attributes:
        title: Which beat, and what it was called.
        leads: (126, 2) of the beat, in units of the typical beat's amplitude.
        added: (126, 2) by sample and lead.
        by_beat: (n,) by beat of the stretch, shape and rhythm together.
        beat: Which of them it is.
        rhythm: (14,) by rhythm feature of the beat.
    """

    title: str
    leads: npt.NDArray[Any]
    added: npt.NDArray[Any]
    by_beat: npt.NDArray[Any]
    beat: int
    rhythm: npt.NDArray[Any]


@styled()
def attribution_figure(explained: Sequence[Explained], title: str) -> Figure:
    """A row a beat; orange speaks for the call that was made, blue for the annotated class."""
    figure = new_figure(title, 10.5, 2.5 * len(explained) + 0.6)
    panels = figure.subplots(len(explained), 3, squeeze=False, width_ratios=(5, 3, 3))
    for row, each in zip(panels, explained, strict=True):
        _draw_beat(row[0], each)
        _draw_neighbours(row[1], each)
        _draw_rhythm(row[2], each)
    panels[-1, 0].set_xlabel("time from the beat (s)")
    panels[-1, 1].set_xlabel("beats away")
    panels[-1, 2].set_xlabel("added to ln p(called) / p(annotated)")
    return figure


def _draw_beat(axes: Axes, each: Explained) -> None:
    time_s = np.arange(-BEFORE_SAMPLES, AFTER_SAMPLES) / WINDOW_RATE_HZ
    strongest = max(float(np.abs(each.added).max()), 1e-9)
    for lead in range(each.leads.shape[1]):
        level = each.leads[:, lead] - 1.5 * lead
        axes.plot(time_s, level, color="#999999", linewidth=0.8)
        size = 40 * np.abs(each.added[:, lead]) / strongest
        axes.scatter(time_s, level, s=size, c=_colours(each.added[:, lead]), linewidths=0)
    axes.set_title(each.title)
    axes.set_ylabel("leads (typical\nbeat's amplitude)")


def _draw_neighbours(axes: Axes, each: Explained) -> None:
    away = np.arange(len(each.by_beat)) - each.beat
    near = np.abs(away) <= _NEIGHBOURS
    axes.bar(away[near], each.by_beat[near], color=_colours(each.by_beat[near]))
    axes.axhline(0, color="#444444", linewidth=0.6)
    axes.set_title("by beat")


def _draw_rhythm(axes: Axes, each: Explained) -> None:
    first = np.argsort(-np.abs(each.rhythm), kind="stable")[:_FEATURES_SHOWN][::-1]
    axes.barh([RHYTHM_FEATURES[place] for place in first], each.rhythm[first], color=_colours(each.rhythm[first]))
    axes.axvline(0, color="#444444", linewidth=0.6)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_title("by rhythm feature of the beat")


def _colours(added: npt.NDArray[Any]) -> list[str]:
    return [_FOR if value > 0 else _AGAINST for value in added]
