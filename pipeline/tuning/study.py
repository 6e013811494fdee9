"""The Optuna study of a search: kept in an SQLite file, so that a search that was killed goes on."""

from pathlib import Path
from typing import Final

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import UserError

RETRY_OF: Final = "retry_of"
"""The attribute of a trial that takes the place of one whose process died."""

# What to look for in the message of SQLite; the cause; the remedy. None of them is a reason to move a study away.
_KNOWN: Final = (
    ("database is locked", "locked by another process", "wait for it to end and run the command again"),
    ("disk is full", "the disk is full", "free some space and run the command again"),
    ("disk i/o error", "the disk fails", "check the disk and run the command again"),
    ("readonly database", "read-only", "check the permissions of the file and its folder"),
    ("unable to open database file", "cannot be opened", "check the permissions of the file and its folder"),
)
_STARTUP_TRIALS: Final = 4
_WARMUP_EPOCHS: Final = 2


def open_study(path: Path, name: str, seed: int) -> optuna.Study:
    """The study `name` in the SQLite file `path`, made if missing; trials are pruned below the median of earlier ones.

    The sampler is seeded by the number of trials, too: one that goes on does not draw the same trials again.

    Raises UserError when the file cannot be used.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{path}",
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=_WARMUP_EPOCHS),
        )
        begun = len(study.get_trials(deepcopy=False))
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, RuntimeError) as error:
        raise _refusal(path, error) from error
    study.sampler = optuna.samplers.TPESampler(seed=seed + begun, n_startup_trials=_STARTUP_TRIALS)
    return study


def _refusal(path: Path, error: Exception) -> UserError:
    said = f"{error} {error.__cause__}".lower()
    for needle, cause, remedy in _KNOWN:
        if needle in said:
            return UserError(f"{path}: {cause}; {remedy}")
    return UserError(f"{path}: not a study of `heartbeat tune`; move the file away")


def retry_dead_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Mark trials whose process died as failed, put each and those that failed in line again, and return the dead.

    Only one process may work on the study. A kill between the two steps loses and repeats nothing: the new trial is
    put in line first, and one that is in line already is not put there twice.
    """
    trials = study.get_trials()
    followed = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    for trial in trials:
        stopped = trial.state in (TrialState.RUNNING, TrialState.FAIL)
        if stopped and trial.number not in followed and trial.params:
            study.enqueue_trial(trial.params, user_attrs={RETRY_OF: trial.number})
    dead = [trial for trial in trials if trial.state == TrialState.RUNNING]
    for trial in dead:
        study.tell(trial.number, state=TrialState.FAIL)
    return dead


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that came to an end: completed or pruned."""
    return study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
