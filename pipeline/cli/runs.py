"""Commands that show runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.app import ProtocolOption, WorkspaceOption, app


@app.command()
def ui(
    workspace: WorkspaceOption = Path("."),
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 5000,
) -> None:
    """Open the MLflow UI on the workspace's store, at http://127.0.0.1:PORT."""
    from pipeline.tracking.ui import serve_ui

    serve_ui(workspace, port)


@app.command()
def runs(
    protocol: ProtocolOption = "interpatient",
    limit: Annotated[int, typer.Option(help="At most so many, the latest.", min=1)] = 20,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """List a protocol's finished runs, the latest first; test scores only where the test side was opened."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from pipeline.tracking.listing import run_rows
    from pipeline.tracking.store import open_store

    rows = run_rows(open_store(workspace, create=False), protocol)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in rows[0]:
        table.add_column(head, no_wrap=True)
    for row in rows[1 : limit + 1]:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
    if len(rows) - 1 > limit:
        typer.echo(f"{limit} of {len(rows) - 1} runs; --limit shows more")


@app.command()
def compare(
    run: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN...",
            help="Ids of runs, or how they begin, or models:/heartbeat-kaggle@champion. The first is the baseline.",
        ),
    ],
    side: Annotated[
        Literal["validation", "test"], typer.Option(help="Whose beats. Each look at the test side spends some of it.")
    ] = "validation",
    html: Annotated[Path | None, typer.Option(help="Write it as one HTML file, too, with figures.")] = None,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Compare runs on the same beats: settings that differ, scores, and paired differences to the first run."""
    from rich.console import Console

    from pipeline.evaluation.comparison import comparison_tables
    from pipeline.evaluation.tables import rich_table
    from pipeline.files import refuse_folder
    from pipeline.tracking.compared import runs_on_side
    from pipeline.tracking.store import open_store

    if html is not None:
        refuse_folder(html)
    compared = runs_on_side(open_store(workspace, create=False), run, side)
    where = f"{compared[0].settings['protocol']}, {side}"
    for table in comparison_tables(compared, where):
        Console().print(rich_table(table))
    if side == "test":
        typer.echo("This was a look at the test side: choose between runs by the validation side.")
    if html is not None:
        from pipeline.evaluation.comparison_page import write_comparison

        write_comparison(html, compared, where)
        typer.echo(f"{html}: the comparison with figures")
