"""Which run becomes a version, and what the version says."""

import pytest

from pipeline.errors import UserError
from pipeline.tracking.registry import Registration, register_best, versions
from pipeline.tracking.runs import finish, start_training_run

PROTOCOL = "interpatient"
NAME = "heartbeat-interpatient"
SIDES = {"validation_digest": "v1", "test_digest": "t1"}


@pytest.fixture
def trained(store, data):
    """Make a finished run with metrics and a (bare) logged model; return its id."""

    def make(macro_f1, sides=SIDES, protocol=PROTOCOL, model=True, done=True):
        tags = {**sides, "git_commit": "c0ffee", "architecture": "reference"}
        run_id = start_training_run(store, protocol, {}, tags, data)
        metrics = {"validation.macro_f1": macro_f1, "test.macro_f1": 0.5, "test.accuracy": 0.875}
        metrics |= {"test.S.precision": 0.25, "test.S.recall": 0.5, "test.S.f1": 1 / 3}
        metrics |= {"test.S.support": 1836}
        for name, value in metrics.items():
            store.client.log_metric(run_id, name, value)
        if model:
            log_bare_model(store, run_id)
        if done:
            finish(store, run_id)
        return run_id

    return make


def log_bare_model(store, run_id):
    from mlflow.entities import LoggedModelOutput

    experiment = store.client.get_run(run_id).info.experiment_id
    model = store.client.create_logged_model(experiment, name="model", source_run_id=run_id)
    store.client.finalize_logged_model(model.model_id, "READY")
    store.client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])


def challenger(store):
    return int(store.client.get_model_version_by_alias(NAME, "challenger").version)


def test_best_run_on_validation_becomes_the_challenger(store, trained):
    trained(0.6)
    best = trained(0.8)
    trained(0.7)
    assert register_best(store, PROTOCOL, SIDES) == Registration(NAME, 1, best, True, 0.8)
    assert challenger(store) == 1


def test_same_run_is_registered_once(store, trained):
    trained(0.8)
    first = register_best(store, PROTOCOL, SIDES)
    again = register_best(store, PROTOCOL, SIDES)
    assert (again.version, again.run_id, again.created) == (1, first.run_id, False)
    assert len(versions(store, PROTOCOL)) == 1


def test_better_run_takes_over(store, trained):
    trained(0.7)
    register_best(store, PROTOCOL, SIDES)
    better = trained(0.75)
    assert register_best(store, PROTOCOL, SIDES) == Registration(NAME, 2, better, True, 0.75)
    assert [record.aliases for record in versions(store, PROTOCOL)] == [(), ("challenger",)]


def test_older_of_two_alike_stays(store, trained):
    older = trained(0.7)
    register_best(store, PROTOCOL, SIDES)
    trained(0.7)
    assert register_best(store, PROTOCOL, SIDES).run_id == older


def test_runs_that_do_not_compare_are_ignored(store, trained):
    trained(0.99, sides=SIDES | {"test_digest": "t2"})
    trained(0.985, sides=SIDES | {"validation_digest": "v2"})
    trained(0.98, protocol="kaggle")
    trained(0.97, done=False)
    trained(0.96, model=False)
    trained(float("nan"))
    chosen = trained(0.5)
    assert register_best(store, PROTOCOL, SIDES).run_id == chosen


def test_nothing_to_register(store, trained):
    trained(0.9, sides=SIDES | {"test_digest": "t2"})
    with pytest.raises(
        UserError, match=r"no finished run .*`dvc repro -s -f evaluate@interpatient register@interpatient`"
    ):
        register_best(store, PROTOCOL, SIDES)


def test_version_tells_its_story(store, trained):
    run_id = trained(0.8)
    register_best(store, PROTOCOL, SIDES)
    version = store.client.get_model_version(NAME, "1")
    assert version.run_id == run_id
    assert version.tags == {
        "run_id": run_id,
        "protocol": PROTOCOL,
        "git_commit": "c0ffee",
        **SIDES,
        "architecture": "reference",
        "data_digest_training": "a" * 32,
        "data_digest_test": "b" * 32,
        "validation_macro_f1": "0.800000",
        "test_macro_f1": "0.500000",
        "test_accuracy": "0.875000",
    }
    assert "| S | 0.2500 | 0.5000 | 0.3333 | 1836 |" in version.description
    assert f"run `{run_id}`, commit `c0ffee`" in version.description


def test_unknown_model_is_refused(store):
    with pytest.raises(
        UserError, match=r"no registered model heartbeat-kaggle; .*`dvc repro -s -f evaluate@kaggle register@kaggle`"
    ):
        versions(store, "kaggle")
