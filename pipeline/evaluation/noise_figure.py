"""Figure of what noise costs: scores against the signal-to-noise ratio, a line a model."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.figure import Figure

from pipeline.evaluation.style import CLASS_COLOURS, new_figure, styled

_SCORES: Final = {"macro_f1": "macro-F1", "S_f1": "S F1", "V_f1": "V F1"}
_LOOKS: Final = tuple(zip(CLASS_COLOURS.values(), ("-", "--", "-.", ":", "-"), "osD^v", strict=True))


@styled()
def noise_figure(rows: Sequence[Mapping[str, Any]], noises: Mapping[str, str], title: str) -> Figure:
    """A panel for each noise (column) and score (row); the clean recordings' score is a thin line.

    Args:
        rows: `model`, `noise`, `snr_db` (None without noise) and the scores.
        noises: The noises in words.
    """
    figure = new_figure(title, 3.4 * len(noises) + 0.8, 6.6)
    panels = figure.subplots(len(_SCORES), len(noises), sharex=True, sharey="row", squeeze=False)
    models = list(dict.fromkeys(row["model"] for row in rows))
    for column, (noise, words) in enumerate(noises.items()):
        for place, (score, label) in enumerate(_SCORES.items()):
            axes = panels[place, column]
            for model, (colour, dash, marker) in zip(models, _LOOKS, strict=False):
                own = [row for row in rows if row["model"] == model]
                clean = next(row[score] for row in own if row["snr_db"] is None)
                points = [(row["snr_db"], row[score]) for row in own if row["noise"] == noise]
                axes.axhline(clean, color=colour, linestyle=dash, linewidth=0.7)
                axes.plot(*zip(*points, strict=True), color=colour, linestyle=dash, marker=marker, label=model)
            axes.set_ylim(0, 1)
            axes.grid(True)
            if not column:
                axes.set_ylabel(f"{label} (0 to 1)")
        panels[0, column].set_title(words)
        panels[-1, column].set_xlabel("signal-to-noise ratio (dB)")
        panels[-1, column].set_xticks([row["snr_db"] for row in rows if row["noise"] == noise])
    panels[0, 0].invert_xaxis()
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
