"""A trial in a run of its own, on a real store: how it ends when it is pruned."""

import optuna
import pytest
from mlflow.exceptions import MlflowException

from pipeline.config import load_config
from pipeline.errors import UserError
from pipeline.tracking.store import open_store
from pipeline.tuning import search


@pytest.fixture
def pruned(tmp_path, monkeypatch, pytestconfig):
    """A search whose trials are pruned at once."""

    def prune(*_):
        raise optuna.TrialPruned

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(search._Search, "_train", prune)
    config = load_config(pytestconfig.rootpath / "params.yaml")
    return search._Search(config, "interpatient", open_store(tmp_path), "parent", 1, None, None, tmp_path / "kept.npz")


def attempted(pruned):
    """The run of a trial that is pruned, and what the trial raised."""
    trial = optuna.create_study().ask()
    with pytest.raises((optuna.TrialPruned, UserError)) as ended:
        pruned.attempt(trial)
    return pruned.store.client.get_run(trial.user_attrs["run_id"]), ended.value


def test_a_pruned_trial_is_marked_and_its_run_ended(pruned):
    run, raised = attempted(pruned)
    assert isinstance(raised, optuna.TrialPruned)
    assert (run.info.status, run.data.tags["pruned"]) == ("FINISHED", "true")


def test_a_store_that_fails_as_a_trial_is_pruned_is_one_line(pruned, monkeypatch):
    def refuse(*_):
        raise MlflowException("Connection refused")

    monkeypatch.setattr(pruned.store.client, "set_tag", refuse)
    run, raised = attempted(pruned)
    assert "connection refused; start the server" in str(raised)
    assert run.info.status == "FAILED"
