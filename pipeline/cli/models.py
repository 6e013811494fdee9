"""Commands on registered models: their versions, and which of them is champion."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import ProtocolOption, WorkspaceOption, app


@app.command()
def versions(protocol: ProtocolOption = "interpatient", workspace: WorkspaceOption = Path(".")) -> None:
    """List the registered versions of a protocol's model."""
    from rich.console import Console
    from rich.table import Table

    from pipeline.tracking.registry import versions as registered_versions
    from pipeline.tracking.store import open_store

    table = Table("version", "aliases", "validation macro-F1", "test macro-F1", "commit", "run")
    for version in registered_versions(open_store(workspace, create=False), protocol):
        tags = version.tags
        scores = [tags.get(f"{side}_macro_f1", "") for side in ("validation", "test")]
        table.add_row(
            str(version.version),
            " ".join(version.aliases),
            *scores,
            tags.get("git_commit", "")[:10],
            version.run_id,
        )
    Console().print(table)


@app.command()
def promote(
    version: Annotated[int, typer.Option(help="The version to make champion.", min=1)],
    protocol: ProtocolOption = "interpatient",
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Move the alias `champion` to a version, and print the champion before and after."""
    from pipeline.tracking.registry import promote as move_champion
    from pipeline.tracking.store import open_store

    moved = move_champion(open_store(workspace, create=False), protocol, version)
    before = f"version {moved.before}" if moved.before else "none"
    typer.echo(f"{moved.name}: champion before: {before}, after: version {moved.after}")
