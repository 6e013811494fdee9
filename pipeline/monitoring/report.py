"""Drift as a table, and as an HTML page with the histograms behind it."""

import pandas as pd

from pipeline.evaluation.page import Section, html_page
from pipeline.evaluation.tables import ScoreTable
from pipeline.monitoring.recordings import ScoredFacts


def drift_table(found: pd.DataFrame, of: ScoredFacts) -> ScoreTable:
    """`drift` as text cells, alarms first."""
    ordered = found.sort_values("alarm", ascending=False, kind="stable")
    rows = tuple(
        (str(row["fact"]), f"{row['psi']:.3f}", f"{row['limit']:.3f}", "ALARM" if row["alarm"] else "")
        for _, row in ordered.iterrows()
    )
    note = "population stability index; limit: what as many of the reference's own recordings reach, and a quarter more"
    silent = f", {of.without_beats} without beats" if of.without_beats else ""
    title = f"Drift from the reference: {len(of.facts):,} beats of {of.recordings} recordings{silent}"
    return ScoreTable(title, ("fact", "index", "limit", ""), rows, note)


def drift_page(table: ScoreTable) -> str:
    """The same as one HTML page."""
    return html_page("Drift of scored recordings", [Section("All facts", (table,), ())])
