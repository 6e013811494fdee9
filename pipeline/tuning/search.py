"""`heartbeat tune`: one trial after the other, resumable after a kill."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import optuna
from rich.console import Console
from rich.table import Table

from pipeline.config import Config, load_config
from pipeline.errors import UserError
from pipeline.lock import one_process
from pipeline.model.examples import Examples
from pipeline.model.training import train
from pipeline.stages.entry import workspace
from pipeline.stages.examples import examples_of
from pipeline.stages.protocol_data import ProtocolData, load_protocol
from pipeline.stages.run_identity import describe_run, run_key, run_params
from pipeline.stages.training_side import training_side
from pipeline.tracking.runs import fail, finish, log_epoch, mark_pruned, run_exists, start_training_run
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
        if len(finished(study)) < trials:
            parent = _parent_run(study, store, experiment, config, data, protocol)
            sides = training_side(config, protocol, data), examples_of(config, data, "validation")
            search = _Search(config, protocol, store, parent, epochs, *sides, home / "tuning" / f"{key}.npz")
            _attempt_until(study, search, trials)
            finish(store, parent)
    _show(study, protocol, config)


def _attempt_until(study: optuna.Study, search: "_Search", trials: int) -> None:
    while len(finished(study)) < trials:
        print(f"trial {len(finished(study)) + 1} of {trials}", flush=True)
        study.optimize(search.attempt, n_trials=1)
    search.checkpoint.unlink(missing_ok=True)


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


@dataclass(frozen=True)
class _Search:
    """What all trials of a search share; nothing of the test side."""

    config: Config
    protocol: str
    store: Store
    parent: str
    epochs: int
    training: Examples
    validation: Examples
    checkpoint: Path

    def attempt(self, trial: optuna.Trial) -> float:
        """Train one trial in a run of its own; validation macro-F1 at the epoch whose weights are kept.

        Raises:
            optuna.TrialPruned: it is not worth going on.
            UserError: the store fails.
        """
        config = suggested(self.config, trial, self.epochs)
        tags = {_PARENT_TAG: self.parent, "trial": str(trial.number), "architecture": config.model.architecture}
        params = run_params(config, self.protocol)
        run_id = start_training_run(self.store, f"{self.protocol}-tuning", params, tags, [])
        trial.set_user_attr(_RUN, run_id)
        try:
            return self._ended(config, trial, run_id)
        except optuna.TrialPruned:
            raise
        except BaseException:
            fail(self.store, run_id)
            raise

    def _ended(self, config: Config, trial: optuna.Trial, run_id: str) -> float:
        try:
            score = self._train(config, trial, run_id)
        except optuna.TrialPruned:
            mark_pruned(self.store, run_id)
            raise
        finish(self.store, run_id)
        return score

    def _train(self, config: Config, trial: optuna.Trial, run_id: str) -> float:
        def judge(epoch: int, row: dict[str, float]) -> None:
            log_epoch(self.store, run_id, epoch + 1, row)
            trial.report(row[_SCORE], epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        self.checkpoint.unlink(missing_ok=True)  # Of a trial that was stopped, with other settings.
        title = f"trial {trial.number}"
        network = config.model.of(self.protocol)
        done = train(network, config.train, self.training, self.validation, self.checkpoint, title, judge)
        return float(done.history[_SCORE].iloc[done.kept_epoch])


def _show(study: optuna.Study, protocol: str, config: Config) -> None:
    """The trials, the best first, and how to train with the best settings."""
    architecture = config.model.architecture
    table = Table("trial", "validation macro-F1", "settings", title=f"{protocol}, {architecture}: trials")
    ended = sorted(finished(study), key=lambda trial: -(trial.value if trial.value is not None else -math.inf))
    for trial in ended:
        score = "pruned" if trial.state == optuna.trial.TrialState.PRUNED else f"{trial.value:.4f}"
        table.add_row(str(trial.number), score, json.dumps(trial.params))
    Console().print(table)
