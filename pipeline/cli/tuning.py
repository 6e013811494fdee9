"""The command that searches for settings."""

from typing import Annotated

import typer

from pipeline.cli.app import ProtocolOption, app


@app.command()
def tune(
    protocol: ProtocolOption = "interpatient",
    trials: Annotated[int, typer.Option(help="Finished trials to end with, earlier ones included.", min=1)] = 20,
    epochs: Annotated[int, typer.Option(help="Epochs of each trial.", min=1, max=1000)] = 8,
) -> None:
    """Search for settings of the network in params.yaml, on the validation side alone; resumes what was stopped."""
    from pipeline.tuning.search import tune as search

    search(protocol, trials, epochs)
