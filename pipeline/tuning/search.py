"""`heartbeat tune`: one trial after the other, resumable after a kill."""

import hashlib
import json
import math
from pathlib import Path

import optuna
from rich.console import Console
from rich.table import Table

from pipeline.config import Config, load_config
from pipeline.errors import UserError
from pipeline.lock import one_process
from pipeline.model.training import train
from pipeline.stages.entry import workspace
from pipeline.stages.examples import examples_of
from pipeline.stages.protocol_data import ProtocolData, load_protocol
from pipeline.stages.run_identity import describe_run, run_key, run_params
from pipeline.stages.training_side import training_side
from pipeline.tracking.runs import fail, finish, log_epoch, run_exists, start_training_run
from pipeline.tracking.store import Store, check_writable, open_store
from pipeline.tuning.space import suggested
from pipeline.tuning.study import finished, open_study, retry_dead_trials

_PARENT_TAG = "mlflow.parentRunId"
_RUN = "run_id"
_SCORE = "val_macro_f1"


def tune(protocol: str, trials: int, epochs: int) -> None:
    """Search until `trials` trials are finished, earlier calls of the same settings included.

    Each is a child run in the experiment `heartbeat-<protocol>-tuning`, judged by its best validation macro-F1.

    Raises:
        UserError: bad input, another search of these settings is under way, or the store cannot be written.
    """
    config = load_config()
    if protocol not in config.protocols:
        raise UserError(f"params.yaml: protocols has no {protocol!r}; it lists {', '.join(config.protocols)}")
    data, store, experiment = load_protocol(protocol), open_store(workspace()), f"{protocol}-tuning"
    check_writable(store, experiment)
    key = hashlib.sha256(f"{run_key(config, protocol, data)} {epochs}".encode()).hexdigest()[:16]
    home = workspace() / ".heartbeat"
    with one_process(home / "locks" / f"tuning-{key}", f"{protocol}: a search of these settings is being made"):
        study = open_study(home / "tuning" / f"{protocol}.db", key, config.train.seed)
        for dead in retry_dead_trials(study):
            print(f"trial {dead.number} was stopped; its settings are tried again")
            if _RUN in dead.user_attrs:
                fail(store, dead.user_attrs[_RUN])
        parent = _parent_run(study, store, experiment, config, data, protocol)
        while len(finished(study)) < trials:
            print(f"trial {len(finished(study)) + 1} of {trials}", flush=True)
            study.optimize(
                lambda trial: _try(trial, config, protocol, data, store, parent, epochs, home / "tuning" / key),
                n_trials=1,
            )
        finish(store, parent)
    _show(study, protocol, config)


def _parent_run(
    study: optuna.Study, store: Store, experiment: str, config: Config, data: ProtocolData, protocol: str
) -> str:
    known = study.user_attrs.get(_RUN)
    if known and run_exists(store, known):
        return str(known)
    manifest = describe_run(config, protocol, data)
    run_id = start_training_run(store, experiment, manifest.params, {**manifest.tags, "search": study.study_name}, [])
    study.set_user_attr(_RUN, run_id)
    return run_id


def _try(
    trial: optuna.Trial,
    config: Config,
    protocol: str,
    data: ProtocolData,
    store: Store,
    parent: str,
    epochs: int,
    scratch: Path,
) -> float:
    """Train one trial; its validation macro-F1 at the best epoch."""
    chosen = suggested(config, trial, epochs)
    tags = {_PARENT_TAG: parent, "trial": str(trial.number), "architecture": chosen.model.architecture}
    run_id = start_training_run(store, f"{protocol}-tuning", run_params(chosen, protocol), tags, [])
    trial.set_user_attr(_RUN, run_id)
    checkpoint = scratch / f"{trial.number}.npz"

    def judge(epoch: int, row: dict[str, float]) -> None:
        log_epoch(store, run_id, epoch + 1, row)
        trial.report(row[_SCORE], epoch)
        if trial.should_prune():
            store.client.set_tag(run_id, "pruned", "true")
            raise optuna.TrialPruned

    try:
        training, validation = training_side(chosen, protocol, data), examples_of(chosen, data, "validation")
        done = train(chosen.model, chosen.train, training, validation, checkpoint, f"trial {trial.number}", judge)
    except optuna.TrialPruned:
        finish(store, run_id)
        raise
    except BaseException:
        fail(store, run_id)
        raise
    finally:
        checkpoint.unlink(missing_ok=True)
    finish(store, run_id)
    return float(done.history[_SCORE].max())


def _show(study: optuna.Study, protocol: str, config: Config) -> None:
    """The trials, the best first, and how to train with the best settings."""
    architecture = config.model.architecture
    table = Table("trial", "validation macro-F1", "settings", title=f"{protocol}, {architecture}: trials")
    ended = sorted(finished(study), key=lambda trial: -(trial.value if trial.value is not None else -math.inf))
    for trial in ended:
        score = "pruned" if trial.state == optuna.trial.TrialState.PRUNED else f"{trial.value:.4f}"
        table.add_row(str(trial.number), score, json.dumps(trial.params))
    Console().print(table)
