"""Commands that show runs."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import WorkspaceOption, app


@app.command()
def ui(
    workspace: WorkspaceOption = Path("."),
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 5000,
) -> None:
    """Open the MLflow UI on the workspace's store, at http://127.0.0.1:PORT."""
    from pipeline.tracking.ui import serve_ui

    serve_ui(workspace, port)
