"""Commands that measure what a trained model withstands, what it looks at and what it is made of."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import ProtocolOption, app

RecordsOption = Annotated[Path, typer.Option(help="The folder of the WFDB records.")]


@app.command()
def robustness(
    protocol: ProtocolOption = "interpatient",
    model: Annotated[Path | None, typer.Option(help="A model.onnx; the protocol's released one by default.")] = None,
    records: RecordsOption = Path("data/raw"),
) -> None:
    """Judge the validation beats on altered recordings: leads, rate, gain, detected beats, streaming."""
    from pipeline.evidence.robustness import measure_robustness

    typer.echo(measure_robustness(protocol, model or _released(protocol), records))


@app.command()
def noise(
    protocol: ProtocolOption = "interpatient",
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="A model.onnx or model.keras by name; may be given several times."),
    ] = None,
    noises: Annotated[
        list[str] | None,
        typer.Option("--noise", help="wander, muscle or electrode; may be given several times. All by default."),
    ] = None,
    records: RecordsOption = Path("data/raw"),
    noise_folder: Annotated[Path, typer.Option(help="Where the noise record lies or is fetched to.")] = Path(
        "data/noise"
    ),
) -> None:
    """Judge the validation beats under noise, 24 to -6 dB, with one model or several. Wander is NSTDB's, fetched."""
    import os

    from pipeline.config import load_config
    from pipeline.errors import UserError
    from pipeline.evidence.noise_stress import NOISES, measure_noise
    from pipeline.sources.nstdb import download_nstdb

    models = _named(model) if model else {"released": _released(protocol)}
    unknown = sorted(set(noises or []) - set(NOISES))
    if unknown:
        raise UserError(f"--noise {unknown[0]}: no such noise; choose from {', '.join(NOISES)}")
    chosen = [noise for noise in NOISES if not noises or noise in noises]
    if "wander" in chosen:
        facts = Path("data/reference/nstdb")
        download_nstdb(facts, noise_folder, load_config().download, os.environ.get("NSTDB_MIRROR"))
    typer.echo(measure_noise(protocol, models, records, chosen, noise_folder))


@app.command()
def attribute(
    protocol: ProtocolOption = "interpatient",
    model: Annotated[
        Path | None, typer.Option(help="A model.keras of the architecture context; models/PROTOCOL by default.")
    ] = None,
) -> None:
    """Show what decided the surest wrong calls of validation beats, by integrated gradients."""
    from pipeline.evidence.mistakes import attribute_mistakes

    typer.echo(attribute_mistakes(protocol, model or Path("models") / protocol / "model.keras"))


def _released(protocol: str) -> Path:
    return Path("models/released") / protocol / "model.onnx"


def _named(models: list[str]) -> dict[str, Path]:
    from pipeline.errors import UserError

    named: dict[str, Path] = {}
    for each in models:
        name, equals, path = each.partition("=")
        if not (name and equals and path):
            raise UserError(f"--model {each}: give a name and a file, such as --model plain=models/plain/model.keras")
        if name in named:
            raise UserError(f"--model {each}: {name} is named twice; give each model a name of its own")
        named[name] = Path(path)
    return named


@app.command()
def ablation(
    ideas: Annotated[str | None, typer.Option(help="Ideas separated by commas; all by default.")] = None,
    folds: Annotated[int, typer.Option(help="How many of the five folds are judged.", min=1, max=5)] = 5,
    epochs: Annotated[int | None, typer.Option(help="Epochs; the network's own number by default.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; that of params.yaml by default.", min=0)] = None,
) -> None:
    """Train the network with one idea taken out, changed or added at a time, cross-validated in DS1; resumable."""
    from pipeline.ablation.ideas import IDEAS
    from pipeline.errors import UserError

    names = list(dict.fromkeys(ideas.split(","))) if ideas else list(IDEAS)
    unknown = [name for name in names if name not in IDEAS]
    if unknown:
        raise UserError(f"--ideas: there is no idea {unknown[0]!r}; choose from {', '.join(IDEAS)}")
    from pipeline.ablation.run import run_ablation

    typer.echo(run_ablation(names, folds, epochs, seed))
