"""Everything that the evaluation of one protocol leaves behind, written into one folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation import figures
from pipeline.evaluation.curves import average_precisions, pr_curves
from pipeline.evaluation.examples import mistakes_figure
from pipeline.evaluation.metrics import Metrics, classification_metrics, confusion, per_record
from pipeline.evaluation.page import Section, html_page, markdown_page
from pipeline.evaluation.published import Published, load_published
from pipeline.evaluation.style import save_png
from pipeline.evaluation.tables import ScoreTable, score_table, text_table
from pipeline.files import atomic_path, write_json, write_text

_FIGURES: Final = "figures"
_DECIMALS: Final = 6


@dataclass(frozen=True)
class SideResult:
    """What the model made of one side's beats.

    Attributes:
        records: (n,) record names.
        samples: (n,) int annotation samples, at the record's own rate.
        y_true: (n,) int class indexes.
        y_prob: (n, 5) probabilities.
        rows: (n, 187) float beats for the examples, or None where there are none to show.
    """

    records: NDArray[Any]
    samples: NDArray[Any]
    y_true: NDArray[Any]
    y_prob: NDArray[Any]
    rows: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.records), len(self.samples), len(self.y_true), len(self.y_prob)}
        lengths |= set() if self.rows is None else {len(self.rows)}
        if len(lengths) != 1 or self.y_prob.shape[1:] != (len(CLASSES),):
            raise ValueError(
                f"a side needs one row a beat and {len(CLASSES)} probabilities; lengths "
                f"{sorted(lengths)}, probabilities {self.y_prob.shape}"
            )

    @property
    def y_pred(self) -> NDArray[np.intp]:
        """(n,) the most probable class of each beat."""
        classes: NDArray[np.intp] = self.y_prob.argmax(axis=1)
        return classes


def side_metrics(sides: Mapping[str, SideResult]) -> dict[str, Metrics]:
    """`classification_metrics` of each side: what `metrics.json` holds."""
    return {name: classification_metrics(side.y_true, side.y_pred) for name, side in sides.items()}


def side_tables(protocol: str, metrics: Mapping[str, Metrics], published: Path | None) -> dict[str, ScoreTable]:
    """The score table of each side, with the published figures where they are of the same beats.

    Raises UserError when `published` cannot be read.
    """
    reference = load_published(published) if published else None
    return {
        side: score_table(scores, f"{protocol}, {side}", _if_about(reference, protocol, side, scores))
        for side, scores in metrics.items()
    }


def write_report(
    folder: Path,
    protocol: str,
    sides: Mapping[str, SideResult],
    history: pd.DataFrame,
    published: Path | None = None,
) -> list[Path]:
    """Write scores, tables, plot data, figures and pages; return the paths, sorted.

    The same input gives the same bytes. Figures of an earlier report that are not drawn this time
    (a side that is no longer evaluated) are removed.

    Args:
        folder: made if missing; other files in it are left alone.
        sides: results by side name, in the order in which they are to be shown; at least one.
        history: a row an epoch; columns `epoch`, `loss`, `val_loss`, `val_macro_f1`, any others.
        published: the file of published figures, if there is one for this data set.

    Raises UserError when `published` cannot be read or a file cannot be written.
    """
    metrics = side_metrics(sides)
    tables = side_tables(protocol, metrics, published)
    drawn = _write_figures(folder / _FIGURES, protocol, sides, history)
    files = _write_plot_data(folder, sides, history)
    write_json(folder / "metrics.json", metrics)
    write_text(folder / "table.txt", "\n".join(text_table(table) for table in tables.values()))
    title = f"Heartbeat classification, protocol {protocol}"
    sections = [
        *(Section(side, tables[side], tuple(drawn[side])) for side in sides),
        Section("training", None, tuple(drawn["training"])),
    ]
    write_text(folder / "report.md", markdown_page(title, sections, folder))
    write_text(folder / "report.html", html_page(title, sections))
    pages = [folder / name for name in ("metrics.json", "table.txt", "report.md", "report.html")]
    return sorted([*files, *pages, *(path for paths in drawn.values() for path in paths)])


def _if_about(published: Published | None, protocol: str, side: str, metrics: Metrics) -> Published | None:
    return published if published and published.is_about(protocol, side, metrics) else None


def _write_plot_data(folder: Path, sides: Mapping[str, SideResult], history: pd.DataFrame) -> list[Path]:
    frames = {
        "confusion.csv": _by_side({name: _counts(side) for name, side in sides.items()}),
        "pr_curves.csv": _by_side({name: pr_curves(side.y_true, side.y_prob) for name, side in sides.items()}).round(
            _DECIMALS
        ),
        "records.csv": _by_side(
            {name: per_record(side.records, side.y_true, side.y_pred) for name, side in sides.items()}
        ).round(_DECIMALS),
        "learning.csv": history,
    }
    for name, frame in frames.items():
        with atomic_path(folder / name) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")
    return [folder / name for name in frames]


def _by_side(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(
        [frame.assign(side=name)[["side", *frame.columns]] for name, frame in frames.items()],
        ignore_index=True,
    )


def _counts(side: SideResult) -> pd.DataFrame:
    counts = confusion(side.y_true, side.y_pred)
    return pd.DataFrame(
        [
            {"actual": actual, "predicted": predicted, "beats": int(counts[row, column])}
            for row, actual in enumerate(CLASSES)
            for column, predicted in enumerate(CLASSES)
        ]
    )


def _write_figures(
    folder: Path, protocol: str, sides: Mapping[str, SideResult], history: pd.DataFrame
) -> dict[str, list[Path]]:
    """Draw, save and tidy up; paths by side, and under `training` those of the training."""
    drawn: dict[str, list[Path]] = {}
    for name, side in sides.items():
        drawn[name] = [
            _save(figure, folder / f"{kind}_{name}.png")
            for kind, figure in _side_figures(side, f"{protocol}, {name}").items()
        ]
    learning = figures.learning_figure(history, f"{protocol}, training")
    drawn["training"] = [_save(learning, folder / "learning.png")]
    kept = {path for paths in drawn.values() for path in paths}
    for stale in set(folder.glob("*.png")) - kept:
        stale.unlink()
    return drawn


def _side_figures(side: SideResult, where: str) -> dict[str, Figure]:
    by_record = per_record(side.records, side.y_true, side.y_pred)
    areas = average_precisions(side.y_true, side.y_prob)
    drawn = {
        "confusion": figures.confusion_figure(confusion(side.y_true, side.y_pred), where),
        "precision_recall": figures.precision_recall_figure(pr_curves(side.y_true, side.y_prob), areas, where),
        "records": figures.records_figure(by_record, where),
    }
    if side.rows is not None:
        captions = np.array(
            [f"{record}, sample {sample}" for record, sample in zip(side.records, side.samples, strict=True)]
        )
        drawn["mistakes"] = mistakes_figure(side.rows, side.y_true, side.y_prob, captions, where)
    return drawn


def _save(figure: Figure, path: Path) -> Path:
    save_png(figure, path)
    return path
