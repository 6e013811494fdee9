"""Commands that train: the demonstration, the published rows, the released models."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import ProtocolOption, app
from pipeline.names import Architecture, Protocol


@app.command()
def demo(
    workspace: Annotated[Path, typer.Option(help="Where the demonstration lives.")] = Path(".demo"),
    quick: Annotated[bool, typer.Option(help="Two minutes of ECG and one epoch: checks the machinery only.")] = False,
) -> None:
    """Run the whole pipeline on generated recordings, in a workspace of its own."""
    from pipeline.demo import run_demo

    run_demo(Path.cwd(), workspace, quick)


@app.command()
def results(
    seeds: Annotated[str, typer.Option(help="Seeds of the repeats, separated by commas.")] = "1,2,3",
    architecture: Annotated[
        Architecture | None, typer.Option(help="Only the rows of this one; other rows stay as they are.")
    ] = None,
    protocol: Annotated[
        Protocol | None, typer.Option(help="Only the rows of this one; other rows stay as they are.")
    ] = None,
) -> None:
    """Train and evaluate every published row, skipping finished ones, and write reports/results.json."""
    from pipeline.errors import UserError
    from pipeline.results import publish

    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError as error:
        raise UserError(f"--seeds {seeds}: not whole numbers separated by commas; for example 1,2,3") from error
    if len(set(numbers)) < len(numbers):
        raise UserError(f"--seeds {seeds}: names a seed twice; a repeat of a seed is no further run")
    publish(numbers, [architecture] if architecture else None, [protocol] if protocol else None)


@app.command()
def release(protocol: ProtocolOption = "interpatient") -> None:
    """Export the best published run over consecutive beats to models/released, with its card."""
    from pipeline.release import release as released

    print(f"{released(protocol)}: model.onnx, card.md, sha256")
