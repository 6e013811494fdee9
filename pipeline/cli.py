"""The command `heartbeat`: thin, every option documented; each command imports the libraries that it needs."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from pipeline.config import Architecture, Protocol

app = typer.Typer(
    help="ECG heartbeat classification, from recordings to a registered model. The pipeline itself is `dvc repro`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

ProtocolOption = Annotated[Protocol, typer.Option(help="Which protocol's model.")]
WorkspaceOption = Annotated[Path, typer.Option(help="The folder that holds dvc.yaml and the MLflow store.")]


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
    publish(numbers, [architecture] if architecture else list(get_args(Architecture)))


@app.command()
def release(protocol: ProtocolOption = "interpatient") -> None:
    """Export the best published run over consecutive beats to models/released, with its card."""
    from pipeline.release import release as released

    print(f"{released(protocol)}: model.onnx, card.md, sha256")


@app.command()
def ui(
    workspace: WorkspaceOption = Path("."),
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 5000,
) -> None:
    """Open the MLflow UI on the workspace's store, at http://127.0.0.1:PORT."""
    from pipeline.tracking.ui import serve_ui

    serve_ui(workspace, port)


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


@app.command()
def score(
    records: Annotated[list[Path], typer.Argument(metavar="RECORD...", help="WFDB records, without extension.")],
    model: Annotated[
        str, typer.Option(help="A model.onnx, or a registered model: models:/heartbeat-interpatient@champion.")
    ],
    out: Annotated[Path, typer.Option(help="The table to write; with --format wfdb a folder.")],
    annotator: Annotated[
        str | None, typer.Option(help="Take the beats' positions from RECORD.ANNOTATOR, for example atr.")
    ] = None,
    detect: Annotated[
        bool,
        typer.Option(
            "--detect", help="Find the beats (XQRS). Without this and --annotator: RECORD.atr if there is one, else so."
        ),
    ] = False,
    form: Annotated[
        Literal["parquet", "wfdb"],
        typer.Option("--format", help="parquet: one table; wfdb: OUT/RECORD.hbt, an annotation file."),
    ] = "parquet",
    streaming: Annotated[
        bool, typer.Option("--streaming", help="Judge each beat by the 128 before it and the 4 after it alone.")
    ] = False,
    threads: Annotated[int, typer.Option(help="Threads of the network.", min=1, max=64)] = 1,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Label every beat of WFDB recordings N, S, V, F or Q, with probabilities. It reads their first two leads."""
    import tempfile

    from pipeline.errors import UserError

    if annotator is not None and detect:
        raise UserError("--annotator and --detect: choose one; beats are either read from a file or found")
    from pipeline.scoring.batch import BeatSource, score_records
    from pipeline.scoring.score import View

    with tempfile.TemporaryDirectory() as folder:
        file = Path(model)
        if model.startswith("models:"):
            from pipeline.tracking.exported import download_onnx
            from pipeline.tracking.store import open_store

            file = download_onnx(open_store(workspace, create=False), model, Path(folder))
        source = BeatSource(annotator, detect)
        beats = score_records(file, records, out, form, source, View() if streaming else None, threads)
    typer.echo(f"{out}: {beats:,} beats of {len(records)} recording{'s' * (len(records) > 1)}")


def main() -> None:
    """Entry point: a user's error is one line on stderr and exit code 2."""
    from pipeline.guard import guarded

    guarded(app)
