"""All figures of a report: drawn, saved, and those of an earlier report removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.evaluation import figures
from pipeline.evaluation.abstention import CURVE_SHARES, abstention
from pipeline.evaluation.assessment import Assessment
from pipeline.evaluation.certainty_figures import abstention_figure, reliability_figure
from pipeline.evaluation.curves import average_precisions, pr_curves
from pipeline.evaluation.ectopic_figures import ectopic_records_figure, intervals_figure
from pipeline.evaluation.examples import mistakes_figure
from pipeline.evaluation.metrics import confusion, per_record
from pipeline.evaluation.side import SideResult
from pipeline.evaluation.style import save_png


@dataclass(frozen=True)
class SideFigures:
    """The saved figures of one side, by the part of the report that they belong to."""

    calls: tuple[Path, ...]
    ectopic: tuple[Path, ...]
    certainty: tuple[Path, ...]


def draw_sides(
    folder: Path, protocol: str, sides: Mapping[str, SideResult], assessments: Mapping[str, Assessment]
) -> dict[str, SideFigures]:
    """Draw and save the figures of each side."""
    drawn = {}
    for name, side in sides.items():
        where, assessment = f"{protocol}, {name}", assessments[name]
        parts = (
            _side_figures(side, where),
            _ectopic_figures(assessment, where),
            _certainty_figures(side, assessment, where),
        )
        drawn[name] = SideFigures(
            *(tuple(_save(figure, folder / f"{kind}_{name}.png") for kind, figure in part.items()) for part in parts)
        )
    return drawn


def draw_training(folder: Path, protocol: str, history: pd.DataFrame) -> Path:
    """Draw and save the learning curves."""
    return _save(figures.learning_figure(history, f"{protocol}, training"), folder / "learning.png")


def _ectopic_figures(assessment: Assessment, where: str) -> dict[str, Figure]:
    standard = (assessment.standard,) if assessment.standard else ()
    sets = (assessment.whole, *standard, *assessment.without)
    return {
        "intervals": intervals_figure(sets, where),
        "ectopic": ectopic_records_figure(assessment.by_record, assessment.whole, where),
    }


def _certainty_figures(side: SideResult, assessment: Assessment, where: str) -> dict[str, Figure]:
    return {
        "reliability": reliability_figure(assessment, where),
        "abstention": abstention_figure(abstention(side.y_true, side.y_prob, CURVE_SHARES), where),
    }


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
