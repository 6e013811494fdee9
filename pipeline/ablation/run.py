"""`heartbeat ablation`: each idea trained on four folds and judged on the fifth."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from pipeline.ablation.folds import Beats, examples_of_fold, read_folds, read_training_beats, recordings_of
from pipeline.ablation.ideas import IDEAS, PROTOCOL, Idea, config_of
from pipeline.ablation.page import merged, write_table
from pipeline.config import Config, load_config
from pipeline.ecg.dataset import load_dataset
from pipeline.evaluation.metrics import classification_metrics
from pipeline.files import atomic_path, write_json, write_text
from pipeline.lock import one_process
from pipeline.model.examples import Recording
from pipeline.model.training import train
from pipeline.stages.entry import BEATS, workspace
from pipeline.stages.run_identity import run_params, training_code
from pipeline.stages.training_side import synthetic_patients
from pipeline.tracking.provenance import git_tags
from pipeline.tracking.runs import finish, log_evaluation, start_training_run
from pipeline.tracking.store import check_writable, open_store

EXPERIMENT: Final = "ablation"
_PREDICTIONS: Final = "predictions.parquet"
_TRAINED_AT: Final = "commit.json"


@dataclass(frozen=True)
class Plan:
    """What every row of one call shares.

    Attributes:
        config: params.yaml.
        folds: The fold of each training record.
        real: The recording of each training record.
        generated: Recordings of generated patients, which are learned from alone.
        data_sha256: Of these beats.
        judged: The folds that are judged, from 1 on.
        epochs: Of the rows that do not change them; None for the network's own number.
    """

    config: Config
    folds: Mapping[str, int]
    real: Mapping[str, Recording]
    generated: Sequence[Recording]
    data_sha256: str
    judged: Sequence[int]
    epochs: int | None


def run_ablation(names: Sequence[str], n_folds: int, epochs: int | None, seed: int | None = None) -> Path:
    """Train what is not finished, one fold after the other; enter each idea's run; write the table.

    Raises:
        UserError: params, folds or beats cannot be read, or the MLflow store cannot be written.
    """
    config = load_config()
    if seed is not None:
        config = config.model_copy(update={"train": config.train.model_copy(update={"seed": seed})})
    folds = read_folds(load_dataset(Path(config.data.dataset)))
    beats = read_training_beats(BEATS, sorted(folds))
    check_writable(open_store(workspace()), EXPERIMENT)
    real = dict(zip(beats, recordings_of(beats.values()), strict=True))
    generated = synthetic_patients(config.train.variation.of(PROTOCOL).synthetic_patients, config.train.seed)
    plan = Plan(config, folds, real, generated, _digest(beats), range(1, n_folds + 1), epochs)
    written = Path()
    with one_process(workspace() / ".heartbeat" / "locks" / "ablation", "ablation: is being run"):
        for place, name in enumerate(names):
            print(f"idea {place + 1}/{len(names)}: {name}")
            written = write_table(merged([_row(plan, name, IDEAS[name])]))
    return written


def _row(plan: Plan, name: str, idea: Idea) -> dict[str, Any]:
    config = config_of(plan.config, idea, plan.epochs)
    home = workspace() / ".heartbeat" / "ablation" / f"{name}-{_key(plan, config, idea)[:16]}"
    judged = {fold: _fold(plan, config, idea, fold, home / f"fold-{fold}", name) for fold in plan.judged}
    tags = _trained_at([home / f"fold-{fold}" for fold in plan.judged])
    row = {
        "idea": name,
        "words": idea.words,
        "folds": list(judged),
        "epochs": config.train.epochs_of("context"),
        "seed": config.train.seed,
        **_scores(pd.concat(judged.values())),
        "by_fold": [_scores(each)["macro_f1_nsv"] for each in judged.values()],
        "commit": tags.get("git_commit", ""),
        "dirty": tags.get("git_dirty") == "true",
    }
    done = home / f"run-{len(judged)}.txt"
    if not done.exists():
        write_text(done, _entered(config, row, tags, home))
    return {**row, "run_id": done.read_text()}


def _fold(plan: Plan, config: Config, idea: Idea, fold: int, folder: Path, name: str) -> pd.DataFrame:
    """The calls on the fold's records by a network that knows nothing of them; kept, so that it is trained once."""
    kept = folder / _PREDICTIONS
    if kept.exists():
        return pd.read_parquet(kept)
    own = [recording for record, recording in plan.real.items() if plan.folds[record] == fold]
    others = [recording for record, recording in plan.real.items() if plan.folds[record] != fold]
    others += plan.generated[: config.train.variation.of(PROTOCOL).synthetic_patients]
    learned, examples = (examples_of_fold(config, idea, each) for each in (others, own))
    trained_at = git_tags(workspace())
    title = f"{name}, fold {fold} ({plan.judged.index(fold) + 1}/{len(plan.judged)})"
    checkpoint = folder / "training" / "checkpoint.npz"
    trained = train(config.model.of(PROTOCOL), config.train, learned, examples, checkpoint, title=title)
    called = examples.predict(trained.model).argmax(axis=1)
    found = pd.DataFrame({"annotated": examples.labels, "called": called.astype(np.int64)})
    write_json(folder / _TRAINED_AT, trained_at)
    with atomic_path(kept) as temporary:
        found.to_parquet(temporary, index=False)
    shutil.rmtree(checkpoint.parent, ignore_errors=True)
    return found


def _scores(found: pd.DataFrame) -> dict[str, float]:
    metrics = classification_metrics(found.annotated.to_numpy(), found.called.to_numpy())
    f1 = {name: each["f1"] for name, each in metrics["per_class"].items()}
    return {
        "accuracy": metrics["accuracy"],
        "macro_f1": metrics["macro_f1"],
        "macro_f1_nsv": float(np.mean([f1[name] for name in "NSV"])),
        "S_f1": f1["S"],
        "V_f1": f1["V"],
    }


def _trained_at(folders: Sequence[Path]) -> dict[str, str]:
    """The Git tags of the last fold's training, dirty if any fold's were; {} where they are not known."""
    kept = [json.loads(path.read_text()) for path in (each / _TRAINED_AT for each in folders) if path.exists()]
    if len(kept) < len(folders) or not kept[-1]:
        return {}
    dirty = any(each.get("git_dirty") == "true" for each in kept)
    return {**kept[-1], "git_dirty": str(dirty).lower()}


def _entered(config: Config, row: Mapping[str, Any], trained_at: Mapping[str, str], home: Path) -> str:
    """The id of a finished run in MLflow with the row's figures and calls."""
    store = open_store(workspace())
    tags = {**trained_at, "idea": str(row["idea"]), "folds": json.dumps(row["folds"])}
    run_id = start_training_run(store, EXPERIMENT, run_params(config, PROTOCOL), tags, [])
    figures = {key: value for key, value in row.items() if isinstance(value, float)}
    by_fold = {f"fold_{fold}": value for fold, value in zip(row["folds"], row["by_fold"], strict=True)}
    log_evaluation(store, run_id, {"held_out": {**figures, "macro_f1_nsv_of": by_fold}}, home)
    finish(store, run_id)
    return run_id


def _key(plan: Plan, config: Config, idea: Idea) -> str:
    told = {
        "settings": run_params(config, PROTOCOL),
        "idea": asdict(idea),
        "folds": dict(plan.folds),
        "beats": plan.data_sha256,
        "masking": hashlib.sha256(Path(__file__).with_name("folds.py").read_bytes()).hexdigest(),
        **training_code(),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _digest(beats: Mapping[str, Beats]) -> str:
    digest = hashlib.sha256()
    for record in sorted(beats):
        each = beats[record]
        for part in (record.encode(), each.windows.tobytes(), each.times_s.tobytes(), each.labels.tobytes()):
            digest.update(part)
    return digest.hexdigest()
