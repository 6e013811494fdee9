"""`python -m benchmarks [name ...]`: measure, write benchmarks/results/<name>.json and the tables of the README."""

import os
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe
from benchmarks.page import shown, update_readme
from benchmarks.plan import Plan, Result
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.guard import guarded

NAMES = ("training", "quality", "time_to_quality", "stages", "realism", "scoring", "serving")
FOLDER = Path(__file__).parent
_BUSY = 0.3

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Which: {', '.join(NAMES)}; all by default.")] = None,
    torch_python: Annotated[
        str | None, typer.Option(envvar="TORCH_PYTHON", help="An interpreter that has torch and numpy.")
    ] = None,
    quick: Annotated[bool, typer.Option(help="Tiny sizes, nothing written: checks that the benchmarks run.")] = False,
) -> None:
    """Measure against what a user would pick instead."""
    unknown = sorted(set(names or []) - set(NAMES))
    if unknown:
        raise UserError(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    # What is measured here is nobody's run: each benchmark keeps a store in its own workspace.
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    for name in names or NAMES:
        _measure(name, Plan(torch_python, quick))


def _measure(name: str, plan: Plan) -> None:
    module = import_module(f"benchmarks.{name}")
    machine = describe()
    if machine["load_before"] > _BUSY * machine["cores"]:
        print(f"warning: this machine is busy (load {machine['load_before']}); measure again when it is quiet")
    measured: Result = module.run(plan)
    _show(name, measured)
    if plan.quick:
        return
    result: dict[str, Any] = {
        "benchmark": name,
        "title": module.TITLE,
        "about": module.ABOUT,
        "settings": measured.settings,
        "figures": measured.figures,
        "machine": machine,
    }
    written, page = FOLDER / "results" / f"{name}.json", FOLDER / "README.md"
    write_json(written, result)
    update_readme(page, written.parent, NAMES)
    print(f"{os.path.relpath(written)}, and the tables of {os.path.relpath(page)} anew")


def _show(name: str, measured: Result) -> None:
    table = Table("program", "measure", "median", "low", "high", "ours / this", title=name)
    for row in measured.figures:
        ratio = f"{row['ratio']['median']:.2f}" if "ratio" in row else ""
        numbers = [shown(row[key]) for key in ("median", "low", "high")]
        table.add_row(row["subject"], f"{row['measure']} {row['unit']}".strip(), *numbers, ratio)
    Console().print(table)


if __name__ == "__main__":
    guarded(app)
