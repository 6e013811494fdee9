"""reports/ablation.json and, made from it alone, reports/ablation.md."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.ablation.ideas import BASELINE, IDEAS
from pipeline.errors import UserError
from pipeline.files import write_json, write_text
from pipeline.readme import pipe_table
from pipeline.stages.entry import REPORTS

TABLE: Final = REPORTS / "ablation.json"
PAGE: Final = REPORTS / "ablation.md"

_HEADS: Final = [
    "idea",
    "macro-F1 of N, S, V",
    "against baseline",
    "by fold",
    "S F1",
    "V F1",
    "macro-F1",
    "folds",
    "epochs",
    "seed",
    "commit",
]


def write_table(rows: list[dict[str, Any]]) -> Path:
    """Write both files; return the page."""
    write_json(TABLE, rows)
    write_text(PAGE, markdown(rows))
    return PAGE


def merged(new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The new rows and those of the file that they do not replace, in the order of `IDEAS`.

    Raises:
        UserError: the file is damaged.
    """
    try:
        before = json.loads(TABLE.read_text(encoding="utf-8"))
        rows = {_identity(row): row for row in [*before, *new]}
    except FileNotFoundError:
        rows = {_identity(row): row for row in new}
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{TABLE}: damaged; restore it with `git checkout -- {TABLE}`, or delete it") from error
    order = list(IDEAS)
    return sorted(rows.values(), key=lambda row: order.index(row["idea"]) if row["idea"] in order else len(order))


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The page: what was done, and a row an idea against the baseline of the same folds and seed."""
    table = pipe_table(_HEADS, [_cells(row, _baseline(row, rows)) for row in rows])
    return (
        "# What each idea is worth\n\n"
        "Networks over consecutive beats, cross-validated inside DS1, the training records of `interpatient`, in\n"
        "five folds of whole records (`data/reference/mitdb_folds.csv`): four train, to the last epoch, and the fifth\n"
        "is judged. Figures are of all judged beats together; F (most of them one patient's) and Q (8 beats) say\n"
        "little. `heartbeat ablation` makes this page, from `reports/ablation.json`.\n\n"
        f"{table}\n"
    )


def _cells(row: dict[str, Any], baseline: dict[str, Any] | None) -> list[str]:
    difference = "" if baseline is None or baseline is row else f"{row['macro_f1_nsv'] - baseline['macro_f1_nsv']:+.4f}"
    return [
        f"{row['idea']}: {row['words']}",
        f"{row['macro_f1_nsv']:.4f}",
        difference,
        f"{min(row['by_fold']):.4f} to {max(row['by_fold']):.4f}",
        *(f"{row[key]:.4f}" for key in ("S_f1", "V_f1", "macro_f1")),
        str(len(row["folds"])),
        str(row["epochs"]),
        str(row["seed"]),
        f"`{row['commit'][:10]}`",
    ]


def _baseline(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The baseline of the same folds, seed and epochs; for an idea that changes the epochs, of the others' number."""
    factor = IDEAS[row["idea"]].epochs_factor if row["idea"] in IDEAS else 1
    same = (row["folds"], row["seed"], row["epochs"])
    for each in rows:
        if each["idea"] == BASELINE and (each["folds"], each["seed"], each["epochs"] * factor) == same:
            return each
    return None


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["idea"], tuple(row["folds"]), row["seed"], row["epochs"]
