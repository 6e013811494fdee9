"""The report of a protocol as one page: Markdown for Git, self-contained HTML for a browser."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from pipeline.evaluation.tables import ScoreTable, markdown_table

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;color:#222;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .8rem;text-align:right}
th:first-child,td:first-child{text-align:left}
thead th{border-bottom:2px solid #444}
tr.averages td{border-top:1px solid #999}
.published{color:#777}
.note{color:#555;font-style:italic}
figure{display:inline-block;margin:.5rem 1rem .5rem 0;vertical-align:top}
img{max-width:100%;height:auto}
"""


@dataclass(frozen=True)
class Section:
    """A side's part of the report, or the training's: heading, tables, figures on disk."""

    heading: str
    tables: tuple[ScoreTable, ...]
    figures: tuple[Path, ...]


def markdown_page(title: str, sections: Sequence[Section], folder: Path) -> str:
    """The report in Markdown; figures are linked relative to `folder`, where it will lie."""
    lines = [f"# {title}", ""]
    for section in sections:
        lines += [f"## {section.heading}", ""]
        for table in section.tables:
            lines += [table.title, "", markdown_table(table)]
        for figure in section.figures:
            lines += [f"![{_words(figure)}]({figure.relative_to(folder).as_posix()})", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def html_page(title: str, sections: Sequence[Section]) -> str:
    """The report as one HTML file with its figures inside it."""
    body = [f"<h1>{escape(title)}</h1>"]
    for section in sections:
        body.append(f"<h2>{escape(section.heading)}</h2>")
        body += [_html_table(table) for table in section.tables]
        body += [_html_figure(figure) for figure in section.figures]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _html_table(table: ScoreTable) -> str:
    kinds = [' class="published"' if column == "published" else "" for column in table.columns]
    head = "".join(f"<th{kind}>{escape(column)}</th>" for kind, column in zip(kinds, table.columns, strict=True))
    rows = [_html_row(row, kinds) for row in table.rows]
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f"<p>{escape(table.title)}</p>\n<table><thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + f"\n</tbody></table>{note}"
    )


def _html_row(row: Sequence[str], kinds: Sequence[str]) -> str:
    cells = "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
    opening = '<tr class="averages">' if row[0] == "accuracy" else "<tr>"
    return f"{opening}{cells}</tr>"


def _html_figure(path: Path) -> str:
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<figure><img src="data:image/png;base64,{encoded}" alt="{escape(_words(path))}"></figure>'


def _words(figure: Path) -> str:
    return figure.stem.replace("_", " ")
