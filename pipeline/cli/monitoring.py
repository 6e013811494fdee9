"""Commands that watch what a model is fed and what it says."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import app

ALARM_EXIT_CODE = 3

Recordings = Annotated[
    list[Path],
    typer.Argument(metavar="RECORD...", help="The records that were scored, named as for `heartbeat score`."),
]
Scored = Annotated[list[Path], typer.Option(help="What `heartbeat score` wrote, a table or a folder; may be repeated.")]


@app.command()
def profile(
    records: Recordings,
    scored: Scored,
    out: Annotated[Path, typer.Option(help="The JSON file to write.")],
) -> None:
    """Make the reference that `heartbeat monitor` compares with, from scored recordings of the training side."""
    from pipeline.files import refuse_folder
    from pipeline.monitoring.profile import make_profile, write_profile
    from pipeline.monitoring.recordings import scored_facts

    refuse_folder(out)
    found = scored_facts(scored, records)
    write_profile(make_profile(found.facts), out)
    typer.echo(f"{out}: {len(found.facts):,} beats of {found.recordings} recordings")


@app.command()
def monitor(
    records: Recordings,
    scored: Scored,
    reference: Annotated[
        str,
        typer.Option(help="A file of `heartbeat profile`, or interpatient: models/released/interpatient/profile.json."),
    ] = "interpatient",
    out: Annotated[Path | None, typer.Option(help="Write the table as Parquet, too.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as one HTML page, too.")] = None,
) -> None:
    """Compare scored recordings with the reference; exit code 3 when a fact has drifted beyond its limit."""
    from typing import get_args

    from rich.console import Console

    from pipeline.config import Protocol
    from pipeline.evaluation.tables import rich_table
    from pipeline.files import atomic_path, refuse_folder, write_text
    from pipeline.monitoring.profile import drift, read_profile
    from pipeline.monitoring.recordings import scored_facts
    from pipeline.monitoring.report import drift_page, drift_table

    for file in filter(None, (out, html)):
        refuse_folder(file)
    known = reference in get_args(Protocol)
    compared_with = read_profile(Path("models/released") / reference / "profile.json" if known else Path(reference))
    watched = scored_facts(scored, records)
    found = drift(compared_with, watched.facts)
    table = drift_table(found, watched)
    Console().print(rich_table(table))
    if out is not None:
        with atomic_path(out) as temporary:
            found.to_parquet(temporary, index=False)
    if html is not None:
        write_text(html, drift_page(table))
    alarms = list(found["fact"][found["alarm"]])
    if alarms:
        typer.echo(f"ALARM: {', '.join(alarms)}", err=True)
        raise typer.Exit(ALARM_EXIT_CODE)
