"""Commands that put a model to work."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.app import WorkspaceOption, app


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
