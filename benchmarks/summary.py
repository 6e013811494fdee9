"""From repeats to figures: median and spread, and ratios of runs that were made side by side."""

import statistics
from collections.abc import Sequence
from typing import Any

Figure = dict[str, Any]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, lowest and highest value."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def figure(subject: str, measure: str, unit: str, values: Sequence[float]) -> Figure:
    """One row of a table: what was measured on what, in every repeat."""
    return {"subject": subject, "measure": measure, "unit": unit, "values": list(values), **spread(values)}


def compared(ours: Figure, rival: Figure) -> Figure:
    """The rival's row with `ratio`, ours over the rival's, taken round by round.

    Raises ValueError when the rows measure different things or have different numbers of rounds.
    """
    if (ours["measure"], ours["unit"]) != (rival["measure"], rival["unit"]):
        raise ValueError(f"{ours['measure']} is not {rival['measure']}")
    ratios = [mine / other for mine, other in zip(ours["values"], rival["values"], strict=True)]
    return {**rival, "ratio": spread(ratios)}
