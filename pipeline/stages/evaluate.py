"""Stage `evaluate`: the sides that params open, scored, as a report and in the run."""

from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from pipeline.config import Config
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.dataset import load_dataset
from pipeline.errors import UserError
from pipeline.evaluation.assessment import headline
from pipeline.evaluation.metrics import Metrics
from pipeline.evaluation.report import side_metrics, side_tables, write_report
from pipeline.evaluation.side import SideResult
from pipeline.evaluation.tables import rich_table
from pipeline.files import atomic_path
from pipeline.model.training import load_model
from pipeline.stages.entry import MODELS, REPORTS, run_protocol_stage, workspace
from pipeline.stages.examples import examples_of
from pipeline.stages.manifest import Manifest, read_manifest
from pipeline.stages.protocol_data import ProtocolData, load_protocol
from pipeline.stages.run_results import enter_results, read_history
from pipeline.tracking.runs import ensure_run, finish, log_evaluation, log_predictions
from pipeline.tracking.store import check_writable, open_store

PUBLISHED = Path("data/reference/published_kaggle.json")
PREDICTIONS = Path("data/predictions")


def main(config: Config, protocol: str) -> None:
    """Evaluate models/<protocol> into reports/<protocol> and print the tables."""
    metrics = evaluate_run(config, protocol, MODELS / protocol, REPORTS / protocol, PREDICTIONS / f"{protocol}.parquet")
    for table in side_tables(protocol, metrics, PUBLISHED).values():
        Console().print(rich_table(table))


def evaluate_run(
    config: Config, protocol: str, model_folder: Path, report_folder: Path, predictions: Path
) -> dict[str, Metrics]:
    """Score the opened sides with the trained model, write report and predictions, and finish the run in MLflow.

    Raises:
        UserError: a store that cannot be written, before any file is; a training that is not there, or one of another
            architecture than that of params; or bad input.
    """
    store = open_store(workspace())
    check_writable(store, protocol)
    manifest = read_manifest(model_folder / "run.json")
    _check_architecture(config, protocol, manifest, model_folder)
    history = read_history(model_folder / "history.csv")
    data = load_protocol(protocol)
    model = load_model(model_folder / "model.keras")
    sides: dict[str, SideResult] = {side: _score(config, model, data, side) for side in config.evaluate.sides}
    facts = load_dataset(Path(config.data.dataset)).reporting(protocol)
    write_report(report_folder, protocol, sides, history, facts, PUBLISHED)
    _write_predictions(predictions, sides)
    metrics, ectopic = side_metrics(sides), headline(sides)
    logged = {side: {**metrics[side], **ectopic[side]} for side in sides}
    run_id = ensure_run(store, manifest.run_id, protocol, manifest.params, manifest.tags, manifest.datasets())
    if run_id != manifest.run_id:
        enter_results(store, run_id, protocol, model, history, examples_of(config, data, "validation"))
    log_evaluation(store, run_id, logged, report_folder)
    log_predictions(store, run_id, predictions)
    finish(store, run_id)
    return metrics


def _check_architecture(config: Config, protocol: str, manifest: Manifest, model_folder: Path) -> None:
    trained, wanted = manifest.params.get("model.architecture"), config.model.architecture
    if trained != wanted:
        raise UserError(
            f"{model_folder}: holds the architecture {trained}, but params.yaml has model.architecture: {wanted}; "
            f"run `dvc repro train@{protocol}`, or set {trained}"
        )


def _score(config: Config, model: Any, data: ProtocolData, side: str) -> SideResult:
    chosen = data.on(side)
    beats = data.beats[chosen]
    return SideResult(
        records=beats.record.to_numpy(),
        samples=beats["sample"].to_numpy(),
        y_true=data.labels[chosen],
        y_prob=examples_of(config, data, side).predict(model),
        rows=data.rows[chosen],
    )


def _write_predictions(path: Path, sides: dict[str, SideResult]) -> None:
    frames = []
    for side, result in sides.items():
        frame = pd.DataFrame({"side": side, "record": result.records, "sample": result.samples})
        frame["aami"] = [CLASSES[i] for i in result.y_true]
        for position, name in enumerate(CLASSES):
            frame[f"p_{name}"] = result.y_prob[:, position]
        frames.append(frame)
    with atomic_path(path) as temporary:
        pd.concat(frames).to_parquet(temporary, index=False, compression="zstd")


if __name__ == "__main__":
    run_protocol_stage(main)
