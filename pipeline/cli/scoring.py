"""Commands that put a model to work."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli.app import WorkspaceOption, app

if TYPE_CHECKING:
    from pipeline.scoring.parts import Engine

_OTHER_TABLES = (".csv", ".feather", ".json", ".pq", ".tsv", ".xlsx")


@app.command()
def score(
    records: Annotated[
        list[Path],
        typer.Argument(
            metavar="RECORD...", help="WFDB records without extension, EDF files, folders of both, or patterns."
        ),
    ],
    model: Annotated[
        str, typer.Option(help="A model.onnx, or a registered model: models:/heartbeat-interpatient@champion.")
    ],
    out: Annotated[
        Path,
        typer.Option(help="NAME.parquet: one table, all or nothing. Another name: a folder of parts, resumable."),
    ],
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
        typer.Option("--format", help="parquet: tables; wfdb: OUT/RECORD.hbt, an annotation file, all or nothing."),
    ] = "parquet",
    streaming: Annotated[
        bool, typer.Option("--streaming", help="Judge each beat by the 128 before it and the 4 after it alone.")
    ] = False,
    threads: Annotated[int, typer.Option(help="Threads of the network, in each worker.", min=1, max=64)] = 1,
    workers: Annotated[
        int | None, typer.Option(help="Into a folder: processes, by default one a core.", min=1, max=1024)
    ] = None,
    engine: Annotated[
        Literal["processes", "ray"], typer.Option(help="Into a folder: score on this machine, or on a Ray cluster.")
    ] = "processes",
    ray_address: Annotated[
        str | None, typer.Option(help="The Ray cluster, HOST:PORT; by default (auto) the one this machine is part of.")
    ] = None,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Label every beat of recordings N, S, V, F or Q, with probabilities. It reads their first two leads."""
    import tempfile

    from pipeline.errors import UserError

    if annotator is not None and detect:
        raise UserError("--annotator and --detect: choose one; beats are either read from a file or found")
    if engine == "ray" and workers is not None:
        raise UserError("--workers: is for --engine processes; a Ray cluster gives the cores that it has")
    if engine != "ray" and ray_address is not None:
        raise UserError("--ray-address: is for --engine ray; add it")
    from pipeline.scoring.labelling import BeatSource
    from pipeline.scoring.score import View
    from pipeline.scoring.selection import selected

    selection = selected(records)
    source, view = BeatSource(annotator, detect), View() if streaming else None
    into_parts = form == "parquet" and (out.is_dir() or out.suffix != ".parquet")
    if into_parts and out.suffix in _OTHER_TABLES and not out.exists():
        raise UserError(f"{out}: tables are written as Parquet; name {out.with_suffix('.parquet')}, or a folder")
    if not into_parts and (workers is not None or engine == "ray"):
        raise UserError(f"{out}: --workers and --engine ray write a folder of parts; name a folder with --out")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(model)
        if model.startswith("models:"):
            from pipeline.tracking.exported import download_onnx
            from pipeline.tracking.store import open_store

            file = download_onnx(open_store(workspace, create=False), model, Path(folder))
        if into_parts:
            from pipeline.scoring.folder import score_folder
            from pipeline.scoring.network import read_model
            from pipeline.scoring.parts import Work

            work = Work(read_model(file), file, source, view, threads, out.absolute())
            parts = score_folder(work, selection, _engine(workers, ray_address or "auto" if engine == "ray" else None))
            typer.echo(f"{out}: {parts} recording{'s' * (parts != 1)}, a part each")
            return
        from pipeline.scoring.batch import score_records

        recordings = selection.recordings
        beats = score_records(file, recordings, out, form, source, view, threads)
    typer.echo(f"{out}: {beats:,} beats of {len(recordings)} recording{'s' * (len(recordings) > 1)}")


def _engine(workers: int | None, ray_address: str | None) -> "Engine":
    if ray_address is not None:
        from pipeline.scoring.cluster import RayCluster

        return RayCluster(ray_address)
    from pipeline.scoring.processes import Processes, available_cores

    return Processes(workers or available_cores())
