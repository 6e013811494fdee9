"""Labelling recordings: `heartbeat score` against `predict` of the same Keras network, each on one core."""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.days import write_day
from benchmarks.measure import Job, Measured, rotated, run_all, run_command
from benchmarks.plan import Plan, Result
from benchmarks.summary import Figure, compared, figure
from pipeline.errors import UserError

TITLE = "Scoring"
ABOUT = (
    "The whole command on one core, start of the program included: {records} annotated recordings, {hours:.1f} hours "
    "of ECG and {beats:,} beats, read, resampled, cut, labelled and written. The rival does the same with `predict` of "
    "the Keras model. *Network alone* is given its inputs and warmed up. Detection (XQRS) and streaming run on "
    "{slow_records} of the recordings; *24 hours* is one recording, repeated. On Ray each worker is a node of one "
    "core, all of them on this machine with the cluster's own processes; the efficiency is the speed of two "
    "workers over twice that of one."
)
_MODEL = Path("models/released/interpatient/model.onnx")
_KERAS_MODEL = Path("models/interpatient/model.keras")
_RECORDS = Path("data/raw")
_SLOW_RECORDS = 4

_OURS, _KERAS = "heartbeat score --annotator atr", "Keras predict, same recordings"
_DETECT, _STREAMING = "heartbeat score --detect", "heartbeat score --annotator atr --streaming"
_ONNX_ALONE, _KERAS_ALONE = "network alone, ONNX Runtime", "network alone, Keras predict"
_DAY = "heartbeat score --annotator atr, 24 hours"
_RAY = {nodes: f"heartbeat score --engine ray, {nodes} worker{'s' * (nodes > 1)}" for nodes in (1, 2)}


def run(plan: Plan) -> Result:
    """Label the downloaded recordings with the released model, and with the trained Keras model."""
    records = sorted(path.with_suffix("") for path in _RECORDS.glob("*.hea"))[: 2 if plan.quick else None]
    for path, there in ((_RECORDS, bool(records)), (_KERAS_MODEL, _KERAS_MODEL.exists())):
        if not there:
            raise UserError(f"{path}: not found; run `dvc repro` first")
    slow = records[:: -(-len(records) // _SLOW_RECORDS)]
    with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
        out, day = Path(folder) / "beats.parquet", write_day(records[0], Path(folder))
        ours = ("ours", "--model", _MODEL, "--out", out)
        jobs = [
            Job(_OURS, 12, lambda: _program(*ours, "--annotator", "atr", *records)),
            Job(_KERAS, 30, lambda: _program("keras", _KERAS_MODEL, *records, "--out", out)),
            Job(_ONNX_ALONE, 15, lambda: _program("network", _MODEL, *records)),
            Job(_KERAS_ALONE, 25, lambda: _program("network", _KERAS_MODEL, *records)),
            Job(_DETECT, 30, lambda: _program(*ours, "--detect", *slow)),
            Job(_STREAMING, 60, lambda: _program(*ours, "--annotator", "atr", "--streaming", *slow)),
            Job(_DAY, 15, lambda: _program(*ours, "--annotator", "atr", day)),
            *(Job(name, 30, partial(_on_ray, nodes, records)) for nodes, name in _RAY.items()),
        ]
        results: dict[str, list[Measured]] = run_all("scoring", rotated(jobs, min(plan.repeats, 3)))
    (beats, hours), slow_amount = _amount(records), _amount(slow)
    figures = []
    for mine, rival in ((_OURS, _KERAS), (_ONNX_ALONE, _KERAS_ALONE)):
        for own, other in zip(*(_speeds(name, results[name], beats, hours) for name in (mine, rival)), strict=True):
            figures += [own, compared(own, other)]
    for name in (_DETECT, _STREAMING):
        figures += _speeds(name, results[name], *slow_amount)
    figures.append(figure(_DAY, "peak memory", "MiB", [each.peak_rss_mib for each in results[_DAY]]))
    figures += _scaling(results, beats, hours)
    settings = {"records": len(records), "beats": beats, "hours": hours, "slow_records": len(slow)}
    return Result(settings, figures)


def _on_ray(nodes: int, records: list[Path]) -> Measured:
    return run_command([sys.executable, "-m", "benchmarks.clusters", str(nodes), _MODEL, *records])


def _scaling(results: dict[str, list[Measured]], beats: int, hours: float) -> list[Figure]:
    speeds = {nodes: _speeds(name, results[name], beats, hours)[1] for nodes, name in _RAY.items()}
    shares = [two / (2 * one) for one, two in zip(speeds[1]["values"], speeds[2]["values"], strict=True)]
    return [*speeds.values(), figure(_RAY[2], "efficiency", "", shares)]


def _program(*arguments: str | Path) -> Measured:
    return run_command([sys.executable, "-m", "benchmarks.scorers", *arguments])


def _speeds(name: str, runs: list[Measured], beats: int, hours: float) -> list[Figure]:
    seconds = [_seconds(name, run) for run in runs]
    return [
        figure(name, "labelled", "beats/s", [beats / each for each in seconds]),
        figure(name, "ECG", "h/s", [hours / each for each in seconds]),
    ]


def _seconds(name: str, run: Measured) -> float:
    if name in (_ONNX_ALONE, _KERAS_ALONE, *_RAY.values()):
        return float(json.loads(run.output.splitlines()[-1])["seconds"])
    return run.wall_s


def _amount(records: list[Path]) -> tuple[int, float]:
    """Annotated beats, and hours of ECG."""
    from pipeline.ecg.recordings import open_wfdb, read_beat_samples

    beats, hours = 0, 0.0
    for path in records:
        recording = open_wfdb(path)
        beats += len(read_beat_samples(path, "atr", recording))
        hours += recording.n_samples / recording.fs_hz / 3600
    return beats, hours
