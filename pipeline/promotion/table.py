"""Verdicts and promotions as tables in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.promotion.gate import Verdict
from pipeline.tracking.ledger import Entry


def print_verdict(verdict: Verdict) -> None:
    """Print the checks, a row each, and what they amount to."""
    against = "no champion" if verdict.champion is None else f"version {verdict.champion}"
    table = Table("check", "", "numbers", title=f"version {verdict.version} against {against}", title_justify="left")
    for check in verdict.checks:
        table.add_row(check.name, "passed" if check.passed else "[red]failed[/red]", Text(check.said))
    console = Console()
    console.print(table)
    failed = sum(not check.passed for check in verdict.checks)
    console.print(
        "the gate: passed" if verdict.passed else f"the gate: failed ({failed} of {len(verdict.checks)} checks)"
    )


def history_table(entries: Sequence[Entry]) -> Table:
    """The ledger, a row an entry."""
    table = Table("when", "who", "what", "from", "to", "gate", "why")
    for entry in entries:
        what = entry.action if entry.counts else f"{entry.action} (refused: the champion had changed)"
        before = "none" if entry.before is None else str(entry.before)
        cells = (entry.at, entry.by, what, before, str(entry.after), entry.verdict, entry.reason)
        table.add_row(*(Text(cell) for cell in cells))
    return table
