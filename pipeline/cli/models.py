"""Commands on registered models: their versions, and which of them is champion."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import ProtocolOption, WorkspaceOption, app

if TYPE_CHECKING:
    from pipeline.promotion.promotion import Moved


@app.command()
def versions(protocol: ProtocolOption = "interpatient", workspace: WorkspaceOption = Path(".")) -> None:
    """List the registered versions of a protocol's model."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from pipeline.tracking.registry import versions as registered_versions
    from pipeline.tracking.store import open_store

    table = Table("version", "aliases", "validation macro-F1", "test macro-F1", "gate", "commit", "run")
    for version in registered_versions(open_store(workspace, create=False), protocol):
        tags = version.tags
        scores = [tags.get(f"{side}_macro_f1", "") for side in ("validation", "test")]
        aliases, commit = " ".join(version.aliases), tags.get("git_commit", "")[:10]
        cells = (str(version.version), aliases, *scores, tags.get("gate", ""), commit, version.run_id)
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)


@app.command()
def promote(
    version: Annotated[int | None, typer.Option(help="The version; without it, the challenger.", min=1)] = None,
    protocol: ProtocolOption = "interpatient",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the gate says, write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Promote whatever the gate says; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Examine a version and, if it passes, move the alias `champion` to it. Exit code 1 if it does not pass."""
    from contextlib import chdir

    from pipeline.errors import UserError
    from pipeline.promotion.promotion import ask_gate, make_champion
    from pipeline.promotion.table import print_verdict
    from pipeline.tracking.store import open_store

    if force and not reason.strip():
        raise UserError("--force: needs --reason TEXT, which is kept with the promotion")
    store = open_store(workspace, create=False)
    with chdir(workspace):
        verdict = ask_gate(store, protocol, version, keep=not dry_run)
        print_verdict(verdict)
        if dry_run:
            typer.echo("dry run: nothing was written, the champion stays")
        elif verdict.passed or force:
            _tell(make_champion(store, protocol, verdict, reason, force=force))
    if not verdict.passed and (dry_run or not force):
        raise typer.Exit(1)


@app.command()
def rollback(
    version: Annotated[int | None, typer.Option(help="A former champion; without it, the one before.", min=1)] = None,
    protocol: ProtocolOption = "interpatient",
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Make a former champion champion again, at once and without the gate."""
    from pipeline.promotion.promotion import roll_back
    from pipeline.tracking.store import open_store

    _tell(roll_back(open_store(workspace, create=False), protocol, version, reason))


@app.command()
def history(protocol: ProtocolOption = "interpatient", workspace: WorkspaceOption = Path(".")) -> None:
    """List promotions and rollbacks: who, when, from, to, the gate's verdict, why; and count looks at the test side."""
    from rich.console import Console

    from pipeline.promotion.promotion import looks_at_test_side
    from pipeline.promotion.table import history_table
    from pipeline.tracking.ledger import entries
    from pipeline.tracking.registry import versions as registered_versions
    from pipeline.tracking.store import experiment_name, open_store

    store = open_store(workspace, create=False)
    looks = looks_at_test_side(registered_versions(store, protocol))
    Console().print(history_table(entries(store, experiment_name(protocol))))
    typer.echo(f"looks of the gate at the test side: {looks}")


def _tell(moved: "Moved") -> None:
    before = f"version {moved.before}" if moved.before else "none"
    typer.echo(f"{moved.model}: champion before: {before}, after: version {moved.after}")
