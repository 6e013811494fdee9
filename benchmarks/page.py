"""The results as Markdown: benchmarks/README.md between its two marks, from the json files alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.summary import Figure
from pipeline.readme import pipe_table, replace_results

_HEADS = ["program", "measure", "median", "lowest to highest", "ours / this"]
_ABSENT = "-"


def update_readme(readme: Path, results: Path, names: Sequence[str]) -> None:
    """Put the tables of `results`, in the order of `names`, between the page's marks."""
    files = [results / f"{name}.json" for name in names]
    parts = [markdown(json.loads(file.read_text(encoding="utf-8"))) for file in files if file.exists()]
    replace_results(readme, "\n".join(parts))


def markdown(result: dict[str, Any]) -> str:
    """One benchmark: what it measures, its table, the machine."""
    settings = result["settings"]
    return (
        f"## {result['title'].format(**settings)}\n\n{result['about'].format(**settings)}\n\n"
        f"{table(result['figures'])}\n\n{machine_line(result['machine'], settings)}\n"
    )


def table(figures: Sequence[Figure]) -> str:
    """One line a figure; the spread is left out where there was one run."""
    return pipe_table(_HEADS, [_cells(each) for each in figures])


def machine_line(machine: dict[str, Any], settings: dict[str, Any]) -> str:
    """Where, with what, when and at which commit."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    device = f" ({settings['device']})" if "device" in settings else ""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}{device}; "
        f"{versions}; {machine['date']}; commit `{machine['commit'][:10]}`"
        f"{' with changes' if machine['commit'].endswith('changed') else ''}; load before {machine['load_before']}."
    )


def _cells(row: Figure) -> list[str]:
    one_run = len(row["values"]) == 1
    ratio = _ratio(row["ratio"], one_run) if "ratio" in row else _ABSENT
    low_to_high = "one run" if one_run else f"{shown(row['low'])} to {shown(row['high'])}"
    return [row["subject"], row["measure"], f"{shown(row['median'])} {row['unit']}".strip(), low_to_high, ratio]


def _ratio(ratio: dict[str, float], one_run: bool) -> str:
    if one_run:
        return f"{ratio['median']:.2f}"
    return f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"


def shown(value: float) -> str:
    """Enough digits to compare: 0.9123, 1.25, 12.5, 1,234."""
    for limit, digits in ((1, 4), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"
