"""The table of scores: a row a class, then accuracy, macro and weighted averages."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation.metrics import Metrics
from pipeline.evaluation.published import Published, Scores

_TEXT_WIDTH: Final = 100
_OURS: Final = ("precision", "recall", "F1")


class _Row(NamedTuple):
    label: str
    precision: float | None
    recall: float | None
    f1: float
    support: int

    def scores(self) -> list[str]:
        return ["" if each is None else f"{each:.4f}" for each in self[1:4]]


@dataclass(frozen=True)
class ScoreTable:
    """Scores as text cells, ready for any form; published figures follow ours."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def score_table(metrics: Metrics, title: str, published: Published | None = None) -> ScoreTable:
    """Lay out `metrics` in the form of the literature's tables: scores to four decimals.

    Accuracy stands in the F1 column, as scikit-learn's report has it. The caller passes
    `published` only where it is about the same beats (`Published.is_about`).
    """
    ours = _rows(metrics)
    beats = f"{ours[-1].support:,} beats"
    if published is None:
        columns: tuple[str, ...] = ("class", *_OURS, "support")
        cells = [(row.label, *row.scores(), str(row.support)) for row in ours]
        return ScoreTable(f"{title}: {beats}", columns, tuple(cells), "")
    columns = ("class", *(name for each in _OURS for name in (each, "published")), "support")
    cells = [
        (row.label, *_interleave(row.scores(), theirs.scores()), str(row.support))
        for row, theirs in zip(ours, _published_rows(published), strict=True)
    ]
    note = f"published: {published.name}, on the same {beats}"
    return ScoreTable(f"{title}: {beats}", columns, tuple(cells), note)


def rich_table(table: ScoreTable) -> Table:
    """The table for a terminal; published columns are dimmed, averages set apart."""
    drawn = Table(title=table.title, caption=table.note or None, box=box.SIMPLE_HEAD, title_style="bold")
    for number, column in enumerate(table.columns):
        drawn.add_column(
            column,
            justify="right" if number else "left",
            style="dim" if column == "published" else None,
            no_wrap=number == 0,
        )
    for row in table.rows:
        drawn.add_row(*row, end_section=row[0] == CLASSES[-1])
    return drawn


def text_table(table: ScoreTable) -> str:
    """The same table as plain text, ending in a newline."""
    console = Console(file=io.StringIO(), width=_TEXT_WIDTH, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(rich_table(table))
    lines = (line.rstrip() for line in captured.get().splitlines())
    return "\n".join(lines).strip("\n") + "\n"


def markdown_table(table: ScoreTable) -> str:
    """The same table in Markdown, without its title, ending in a newline."""
    rule = ["---", *("---:" for _ in table.columns[1:])]
    lines = [_pipe(table.columns), _pipe(rule), *(_pipe(row) for row in table.rows)]
    if table.note:
        lines += ["", f"*{table.note}*"]
    return "\n".join(lines) + "\n"


def _rows(metrics: Metrics) -> list[_Row]:
    scores = [metrics["per_class"][name] for name in CLASSES]
    supports = [each["support"] for each in scores]
    beats = sum(supports)
    columns = np.array([(each["precision"], each["recall"], each["f1"]) for each in scores])
    macro = columns.mean(axis=0)
    weighted = np.average(columns, axis=0, weights=supports)
    return [
        *(
            _Row(name, each["precision"], each["recall"], each["f1"], each["support"])
            for name, each in zip(CLASSES, scores, strict=True)
        ),
        _Row("accuracy", None, None, metrics["accuracy"], beats),
        _Row("macro", float(macro[0]), float(macro[1]), metrics["macro_f1"], beats),
        _Row("weighted", float(weighted[0]), float(weighted[1]), metrics["weighted_f1"], beats),
    ]


def _published_rows(published: Published) -> list[_Row]:
    per_class = {str(name): scores for name, scores in published.per_class.items()}
    beats = sum(scores.support for scores in per_class.values())
    return [
        *(_published_row(name, per_class[name], per_class[name].support) for name in CLASSES),
        _Row("accuracy", None, None, published.accuracy, beats),
        _published_row("macro", published.macro, beats),
        _published_row("weighted", published.weighted, beats),
    ]


def _published_row(label: str, scores: Scores, support: int) -> _Row:
    return _Row(label, scores.precision, scores.recall, scores.f1, support)


def _interleave(ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    return [cell for pair in zip(ours, theirs, strict=True) for cell in pair]


def _pipe(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
