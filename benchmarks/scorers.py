"""Programs that label recordings on one core: `python -m benchmarks.scorers ours|keras|network ...`."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.guard import guarded


def ours(arguments: list[str]) -> None:
    """`heartbeat score` with these arguments."""
    from pipeline.cli import app

    app(["score", *arguments], standalone_mode=False)


def keras(model: Path, records: list[Path], out: Path) -> None:
    """What `heartbeat score --annotator atr` does, by `predict` of the Keras model."""
    import pandas as pd

    network = _keras_model(model)
    tables = []
    for path in records:
        samples, beats, rhythm = _inputs(path)
        probability = network.predict([beats[None], rhythm[None]], verbose=0)[0]
        tables.append(pd.DataFrame(probability).assign(record=path.name, sample=samples))
    pd.concat(tables).rename(columns=str).to_parquet(out)


def network(file: Path, records: list[Path]) -> None:
    """Print the seconds that the network alone takes on these recordings; the first one is run twice, timed once."""
    inputs = [_inputs(path)[1:] for path in records]
    run = _keras_run(file) if file.suffix == ".keras" else _onnx_run(file)
    run(*inputs[0])
    started = time.perf_counter()
    for each in inputs:
        run(*each)
    print(json.dumps({"seconds": time.perf_counter() - started}))


Run = Callable[[np.ndarray, np.ndarray], object]


def _keras_run(file: Path) -> Run:
    model = _keras_model(file)
    return lambda beats, rhythm: model.predict([beats[None], rhythm[None]], verbose=0)


def _keras_model(file: Path) -> Any:
    from pipeline.errors import UserError
    from pipeline.model.training import load_model

    network = load_model(file)
    if [each.name for each in network.inputs] != ["beats", "rhythm"]:
        raise UserError(f"{file}: not a network over consecutive beats; train one (model.architecture: context)")
    return network


def _onnx_run(file: Path) -> Run:
    from pipeline.ecg.context import ContextInputs
    from pipeline.scoring.network import load_network

    loaded = load_network(file, 1)
    return lambda beats, rhythm: loaded.probabilities([ContextInputs(beats, rhythm)])


def _inputs(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples of a recording's annotated beats, and what the network reads of them."""
    from pipeline.ecg.context import context_inputs
    from pipeline.ecg.recordings import read_beat_samples, read_signal
    from pipeline.ecg.windows import beat_windows

    signal = read_signal(path)
    samples = read_beat_samples(path, "atr", signal)
    made = context_inputs(beat_windows(signal.millivolts, signal.fs_hz, samples), samples / signal.fs_hz)
    return samples, made.beats, made.rhythm


def main() -> None:
    """Entry point; everything stays on one core."""
    what, *rest = sys.argv[1:]
    if what == "ours":
        _pin()
        guarded(lambda: ours(rest))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("records", type=Path, nargs="*")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(rest)
    _pin()
    guarded(lambda: keras(args.model, args.records, args.out) if what == "keras" else network(args.model, args.records))


def _pin() -> None:
    """Keep this process on one core, before any library counts them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


if __name__ == "__main__":
    main()
