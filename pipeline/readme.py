"""The part of a README that a program writes: what stands between its two marks."""

import re
from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import write_text

_RESULTS = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- end of results -->)", re.DOTALL)


def replace_results(path: Path, markdown: str) -> None:
    """Put `markdown` between the marks of `path`; the rest stays.

    Raises:
        UserError: the marks are not there.
    """
    write_text(path, _RESULTS.sub(lambda _: f"\n{markdown}\n", marked(path)))


def marked(path: Path) -> str:
    """The text of `path`, which has the marks.

    Raises:
        UserError: the marks are not there.
    """
    text = path.read_text(encoding="utf-8")
    if not _RESULTS.search(text):
        raise UserError(f"{path}: put back the marks `<!-- results -->` and `<!-- end of results -->`")
    return text


def pipe_table(heads: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, without a newline at its end."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
