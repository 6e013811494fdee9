"""Verdicts turned into champions, on a real store: forced, refused, rolled back, and told."""

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import UserError
from pipeline.promotion.checks import Check
from pipeline.promotion.gate import Verdict
from pipeline.promotion.promotion import ask_gate, make_champion, roll_back
from pipeline.promotion.table import print_verdict
from pipeline.tracking import ledger
from pipeline.tracking.exported import log_onnx
from pipeline.tracking.runs import start_training_run
from pipeline.tracking.store import experiment_of, open_store

PROTOCOL = "interpatient"
MODEL = f"heartbeat-{PROTOCOL}"


@pytest.fixture(scope="module")
def set_up_store(tmp_path_factory, pytestconfig):
    """A workspace whose model has three versions, each with the released network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        root = tmp_path_factory.mktemp("template")
        store = open_store(root)
        experiment_of(store, PROTOCOL)
        store.client.create_registered_model(MODEL)
        for _ in range(3):
            run_id = start_training_run(store, PROTOCOL, {}, {}, [])
            log_onnx(store, run_id, pytestconfig.rootpath / "models/released/interpatient/model.onnx")
            store.client.create_model_version(MODEL, (root / "files").as_uri(), run_id)
        (root / "files").mkdir()
        (root / "files" / "MLmodel").touch()
        return root / "mlflow.db"


@pytest.fixture
def store(set_up_store, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlflow.db").write_bytes(set_up_store.read_bytes())
    return open_store(tmp_path)


def verdict(version, champion, passed=True):
    return Verdict(version, champion, (Check("a check", passed, "numbers"),), looked=False)


def champion(store):
    version = store.client.get_registered_model(MODEL).aliases.get("champion")
    return None if version is None else int(version)


def all_entries(store):
    return ledger.entries(store, MODEL)


def command(store, *arguments):
    folder = store.uri.removeprefix("sqlite:///").removesuffix("/mlflow.db")
    return CliRunner().invoke(app, [*arguments, "--workspace", folder], env={"COLUMNS": "200"})


def test_a_version_that_passed_becomes_champion(store):
    moved = make_champion(store, PROTOCOL, verdict(1, None))
    assert (moved.before, moved.after, champion(store)) == (None, 1, 1)
    [entry] = all_entries(store)
    assert (entry.action, entry.verdict, entry.reason) == ("promote", "passed", "")


def test_a_version_that_failed_does_not(store):
    make_champion(store, PROTOCOL, verdict(1, None))
    with pytest.raises(UserError, match="version 2: did not pass the gate; the champion stays"):
        make_champion(store, PROTOCOL, verdict(2, 1, passed=False))
    assert champion(store) == 1
    assert len(all_entries(store)) == 1


def test_force_keeps_its_reason(store):
    make_champion(store, PROTOCOL, verdict(2, None, passed=False), "the ward asked for it", force=True)
    [entry] = all_entries(store)
    assert (entry.verdict, entry.reason) == ("forced", "the ward asked for it")
    assert champion(store) == 2


def test_a_verdict_against_a_former_champion_is_refused(store):
    make_champion(store, PROTOCOL, verdict(1, None))
    slow = verdict(3, 1)
    make_champion(store, PROTOCOL, verdict(2, 1))
    with pytest.raises(UserError, match="the champion changed from version 1 to version 2 meanwhile"):
        make_champion(store, PROTOCOL, slow)
    assert champion(store) == 2
    assert [entry.counts for entry in all_entries(store)] == [True, True, False]


def test_rolling_back_goes_champion_by_champion(store):
    for version, before in ((1, None), (2, 1), (3, 2)):
        make_champion(store, PROTOCOL, verdict(version, before))
    for after in (2, 1):
        roll_back(store, PROTOCOL, None, "worse on the ward")
        assert champion(store) == after
    with pytest.raises(UserError, match="version 1 is the first champion; there is none to roll back to"):
        roll_back(store, PROTOCOL, None, "")
    assert all_entries(store)[-1].reason == "worse on the ward"
    assert champion(store) == 1


def test_rolling_back_to_a_named_champion(store):
    for version, before in ((1, None), (2, 1)):
        make_champion(store, PROTOCOL, verdict(version, before))
    with pytest.raises(UserError, match=r"version 3 is no former champion \(there are: 1\)"):
        roll_back(store, PROTOCOL, 3, "")
    roll_back(store, PROTOCOL, 1, "")
    assert champion(store) == 1


def test_a_champion_from_before_the_ledger_is_rolled_back_to(store):
    store.client.set_registered_model_alias(MODEL, "champion", "1")
    assert ledger.settle(store, MODEL) == 1
    make_champion(store, PROTOCOL, verdict(2, 1))
    assert roll_back(store, PROTOCOL, None, "").after == 1


def test_no_champion_to_roll_back(store):
    with pytest.raises(UserError, match="has no champion to roll back; make one with `heartbeat promote`"):
        roll_back(store, PROTOCOL, None, "")
    assert all_entries(store) == []


@pytest.mark.parametrize(
    ("version", "told"), [(None, "has no challenger; name a version"), (9, "no version 9; versions there are: 1, 2, 3")]
)
def test_nothing_to_ask_the_gate_about(store, version, told):
    with pytest.raises(UserError, match=told):
        ask_gate(store, PROTOCOL, version, keep=True)
    assert all_entries(store) == []


def test_force_without_a_reason_is_refused(store):
    asked = command(store, "promote", "--version", "1", "--force")
    assert isinstance(asked.exception, UserError)
    assert "--reason" in str(asked.exception)
    assert champion(store) is None


def test_a_reason_is_kept_and_shown_as_it_was_written(store):
    reason = "see [#123], [urgent] :fire: [/red]"
    make_champion(store, PROTOCOL, verdict(1, None), reason)
    assert reason in command(store, "history").output


def test_the_verdict_of_an_oddly_named_record_is_shown(capsys):
    print_verdict(Verdict(1, None, (Check("a check", False, "[/red] [odd]"),), looked=False))
    assert "[/red] [odd]" in capsys.readouterr().out


def test_a_version_is_shown_with_odd_tags(store):
    store.client.set_model_version_tag(MODEL, "1", "gate", "[/red]")
    assert "[/red]" in command(store, "versions").output


def test_a_run_is_shown_with_odd_settings(store):
    run_id = start_training_run(store, PROTOCOL, {"model.architecture": "[/red]"}, {}, [])
    store.client.set_terminated(run_id)
    assert "[/red]" in command(store, "runs").output


def test_history_tells_of_the_one_that_came_second(store):
    make_champion(store, PROTOCOL, verdict(1, None))
    ledger.append(store, MODEL, "promote", None, 2, "passed", "")
    shown = command(store, "history")
    assert shown.exit_code == 0
    assert "refused: the champion had changed" in shown.output


def test_a_version_that_is_gone_cannot_come_back(store):
    for version, before in ((1, None), (2, 1)):
        make_champion(store, PROTOCOL, verdict(version, before))
    store.client.delete_model_version(MODEL, "1")
    with pytest.raises(UserError):
        roll_back(store, PROTOCOL, None, "")
    assert champion(store) == 2
    assert len(all_entries(store)) == 2


def test_a_champion_that_was_deleted_can_be_left(store):
    for version, before in ((1, None), (2, 1)):
        make_champion(store, PROTOCOL, verdict(version, before))
    store.client.delete_model_version(MODEL, "2")
    moved = roll_back(store, PROTOCOL, None, "version 2 was deleted")
    assert (moved.before, moved.after, champion(store)) == (2, 1, 1)


def test_a_version_whose_files_are_gone_cannot_come_back(store, tmp_path):
    (tmp_path / "files").mkdir()
    store.client.create_model_version(MODEL, (tmp_path / "files").as_uri())
    for version, before in ((4, None), (2, 4)):
        make_champion(store, PROTOCOL, verdict(version, before))
    with pytest.raises(UserError, match="version 4: the files of its model are gone"):
        roll_back(store, PROTOCOL, None, "")
    assert champion(store) == 2
    assert len(all_entries(store)) == 2


@pytest.mark.parametrize(("content", "told"), [(None, "has no onnx/model.onnx"), ("dear diary", "not an ONNX model")])
def test_a_version_that_cannot_be_served_cannot_come_back(store, set_up_store, tmp_path, content, told):
    run_id = start_training_run(store, PROTOCOL, {}, {}, [])
    if content:
        (tmp_path / "model.onnx").write_text(content)
        log_onnx(store, run_id, tmp_path / "model.onnx")
    store.client.create_model_version(MODEL, (set_up_store.parent / "files").as_uri(), run_id)
    for version, before in ((4, None), (2, 4)):
        make_champion(store, PROTOCOL, verdict(version, before))
    with pytest.raises(UserError, match=f"version 4: cannot be served; the champion stays: .*{told}"):
        roll_back(store, PROTOCOL, None, "")
    assert champion(store) == 2
    assert len(all_entries(store)) == 2
