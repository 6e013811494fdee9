"""The app that every command joins, and the options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.names import Protocol

app = typer.Typer(
    help="ECG heartbeat classification, from recordings to a registered model. The pipeline itself is `dvc repro`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

ProtocolOption = Annotated[Protocol, typer.Option(help="Which protocol's model.")]
WorkspaceOption = Annotated[Path, typer.Option(help="The folder that holds dvc.yaml and the MLflow store.")]
