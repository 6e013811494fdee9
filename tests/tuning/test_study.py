"""A search that is killed goes on: no trial lost, none repeated; and what a search may vary."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy.exc import OperationalError

from pipeline.config import load_config
from pipeline.errors import UserError
from pipeline.tuning.space import suggested
from pipeline.tuning.study import RETRY_OF, finished, open_study, retry_dead_trials

SEARCH = """
    import sys, threading
    from pathlib import Path
    from pipeline.tuning.study import finished, open_study, retry_dead_trials

    path, stop_at = Path(sys.argv[1]), int(sys.argv[2])
    study = open_study(path, "s", 1)
    retry_dead_trials(study)

    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        if trial.number == stop_at:
            print("in the middle", flush=True)
            threading.Event().wait()
        return -x

    while len(finished(study)) < 6:
        study.optimize(objective, n_trials=1)
    print("done", flush=True)
"""


def _search(path, stop_at):
    command = [sys.executable, "-c", textwrap.dedent(SEARCH), str(path), str(stop_at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_search_loses_and_repeats_nothing(tmp_path):
    path = tmp_path / "study.db"
    for stop_at in (2, 4):  # Killed twice: once in a trial of its own, once in a later one.
        with _search(path, stop_at) as killed:
            assert killed.stdout.readline() == "in the middle\n"
            os.kill(killed.pid, signal.SIGKILL)
    with _search(path, -1) as last:
        assert last.stdout.read() == "done\n"
    trials = open_study(path, "s", 1).get_trials()
    ended = [trial.params["x"] for trial in trials if trial.state == TrialState.COMPLETE]
    failed = {trial.number: trial.params["x"] for trial in trials if trial.state == TrialState.FAIL}
    assert len(ended) == len(set(ended)) == 6
    assert sorted(failed) == [2, 4]
    assert set(failed.values()) <= set(ended)
    assert len(trials) == 8


def test_a_retry_is_put_in_line_once(tmp_path):
    study = open_study(tmp_path / "study.db", "s", 1)
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    study.enqueue_trial(trial.params, user_attrs={RETRY_OF: trial.number})  # Killed before it was marked.
    assert [dead.number for dead in retry_dead_trials(study)] == [trial.number]
    assert retry_dead_trials(study) == []
    assert len(study.get_trials(states=[TrialState.WAITING])) == 1
    assert finished(study) == []


def test_a_file_that_is_no_study(tmp_path):
    path = tmp_path / "study.db"
    path.write_text("not a database, but long enough to be looked at as one" * 40)
    with pytest.raises(UserError, match=r"study.db: not a study"):
        open_study(path, "s", 1)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database is locked", "locked by another process; wait"),
        ("database or disk is full", "the disk is full; free some space"),
        ("attempt to write a readonly database", "read-only; check the permissions"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_study_that_cannot_be_used_now_is_not_to_be_moved_away(tmp_path, monkeypatch, said, told, wrapped):
    def refuse(**_):
        error = OperationalError("INSERT", {}, sqlite3.OperationalError(said))
        if wrapped:
            raise optuna.exceptions.StorageInternalError("An exception is raised during the commit.") from error
        raise error

    monkeypatch.setattr(optuna, "create_study", refuse)
    with pytest.raises(UserError, match=rf"study.db: {told}") as refused:
        open_study(tmp_path / "study.db", "s", 1)
    assert "move the file away" not in str(refused.value)


def test_a_trial_changes_what_it_may_and_never_opens_the_test_side(pytestconfig):
    config = load_config(pytestconfig.rootpath / "params.yaml")
    content = config.model_dump()
    content["model"]["architecture"] = "context"
    config = type(config).model_validate(content)
    fixed = {"width": 0.5, "lstm_units": 96, "learning_rate": 0.004, "dropout": 0.2}
    chosen = suggested(config, optuna.trial.FixedTrial(fixed), epochs=3)
    assert chosen.evaluate.sides == ["validation"]
    assert (chosen.train.epochs, chosen.train.context.learning_rate) == (3, 0.004)
    assert (chosen.model.context.filters, chosen.model.context.lstm_units) == ([8, 16, 16], [96])
    assert chosen.model.context.dropout == 0.2
    assert chosen.model.reference == config.model.reference
    assert chosen.split == config.split
