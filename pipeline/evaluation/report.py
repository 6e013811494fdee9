"""Everything that the evaluation of one protocol leaves behind, written into one folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from pipeline.ecg.dataset import ReportingFacts
from pipeline.evaluation.assessment import Assessment, as_json, assess
from pipeline.evaluation.assessment_tables import certainty_tables, ectopic_tables
from pipeline.evaluation.drawing import SideFigures, draw_sides, draw_training
from pipeline.evaluation.metrics import Metrics, classification_metrics
from pipeline.evaluation.page import Section, html_page, markdown_page
from pipeline.evaluation.plot_data import write_plot_data
from pipeline.evaluation.published import Published, load_published
from pipeline.evaluation.side import SideResult
from pipeline.evaluation.tables import ScoreTable, score_table, text_table
from pipeline.files import write_json, write_text

_FIGURES: Final = "figures"


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
    facts: ReportingFacts,
    published: Path | None = None,
) -> list[Path]:
    """Write scores, tables, plot data, figures and pages; return the paths, sorted.

    The same input gives the same bytes. Figures of an earlier report that are not drawn this time
    (a side that is no longer evaluated) are removed.

    Args:
        folder: made if missing; other files in it are left alone.
        sides: results by side name, in the order in which they are to be shown; at least one.
        history: a row an epoch; columns `epoch`, `loss`, `val_loss`, `val_macro_f1`, any others.
        facts: what the data set has to say on EC57's exclusions and on records to report without.
        published: the file of published figures, if there is one for this data set.

    Raises UserError when `published` cannot be read or a file cannot be written.
    """
    metrics = side_metrics(sides)
    tables = side_tables(protocol, metrics, published)
    assessments = assess(sides, facts)
    drawn = draw_sides(folder / _FIGURES, protocol, sides, assessments)
    learning = draw_training(folder / _FIGURES, protocol, history)
    figures = {learning, *(path for each in drawn.values() for path in (*each.calls, *each.ectopic, *each.certainty))}
    for stale in set((folder / _FIGURES).glob("*.png")) - figures:
        stale.unlink()
    files = write_plot_data(folder, sides, assessments, history)
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "ec57.json", as_json(assessments))
    write_text(folder / "table.txt", "\n".join(text_table(table) for table in tables.values()))
    title = f"Heartbeat classification, protocol {protocol}"
    sections = [
        *(section for side in sides for section in _sections(protocol, side, tables[side], assessments, drawn)),
        Section("training", (), (learning,)),
    ]
    write_text(folder / "report.md", markdown_page(title, sections, folder))
    write_text(folder / "report.html", html_page(title, sections))
    pages = [folder / name for name in ("metrics.json", "ec57.json", "table.txt", "report.md", "report.html")]
    return sorted([*files, *pages, *figures])


def _sections(
    protocol: str,
    side: str,
    table: ScoreTable,
    assessments: Mapping[str, Assessment],
    drawn: Mapping[str, SideFigures],
) -> tuple[Section, ...]:
    where, assessment, figures = f"{protocol}, {side}", assessments[side], drawn[side]
    return (
        Section(side, (table,), figures.calls),
        Section(f"{side}: ectopic beats (ANSI/AAMI EC57)", ectopic_tables(assessment, where), figures.ectopic),
        Section(f"{side}: certainty", certainty_tables(assessment, where), figures.certainty),
    )


def _if_about(published: Published | None, protocol: str, side: str, metrics: Metrics) -> Published | None:
    return published if published and published.is_about(protocol, side, metrics) else None
