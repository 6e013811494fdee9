"""The command that answers over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import ProtocolOption, WorkspaceOption, app


@app.command()
def serve(
    protocol: ProtocolOption = "interpatient",
    model: Annotated[
        str | None,
        typer.Option(help="In place of the protocol's champion: a model.onnx, or models:/heartbeat-interpatient/3."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at. Nobody is asked to log in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 takes a free one.", min=0, max=65535)] = 8000,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Label recordings over HTTP with the champion, and with the next one as soon as it is promoted."""
    from pipeline.serving.served import file_model, registered_model
    from pipeline.serving.server import serve as answer

    address = model or f"models:/heartbeat-{protocol}@champion"
    newer = registered_model(workspace, address) if address.startswith("models:") else file_model(Path(address))
    answer(newer, host, port)
