"""Promotions in order: who of two wins, what a kill leaves, and what becomes of an alias that was moved by hand."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.tracking import ledger
from pipeline.tracking.store import open_store

MODEL = "heartbeat-interpatient"
PROMOTERS = Path(__file__).with_name("promoters.py")


@pytest.fixture
def three_versions(store, run_id):
    store.client.create_registered_model(MODEL)
    for _ in range(3):
        store.client.create_model_version(MODEL, "file:///model", run_id)
    return store


def promote(store, before, after, action="promote"):
    entry = ledger.append(store, MODEL, action, before, after, "passed", "a reason")
    ledger.settle(store, MODEL)
    return entry


def champion(store):
    return int(store.client.get_model_version_by_alias(MODEL, "champion").version)


def start(root, version, *kill_at):
    command = [sys.executable, str(PROMOTERS), str(root), MODEL, str(version), *kill_at]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def go(*processes):
    """Let them all promote at once; what each says last."""
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=120)[0].strip() for process in processes]


def test_nothing_was_ever_promoted(three_versions):
    assert ledger.settle(three_versions, MODEL) is None
    assert ledger.entries(three_versions, MODEL) == []


def test_entries_tell_who_when_from_to(three_versions):
    assert promote(three_versions, None, 1).counts
    assert promote(three_versions, 1, 2).counts
    first, second = ledger.entries(three_versions, MODEL)
    assert (first.number, first.before, first.after) == (1, None, 1)
    assert (second.number, second.before, second.after) == (2, 1, 2)
    assert second.by
    assert second.at.endswith("+00:00")
    assert (second.action, second.verdict, second.reason) == ("promote", "passed", "a reason")
    assert champion(three_versions) == 2


def test_of_two_from_one_champion_the_second_does_not_count(three_versions):
    promote(three_versions, None, 1)
    assert promote(three_versions, 1, 2).counts
    assert not promote(three_versions, 1, 3).counts
    assert ledger.champion_of(ledger.entries(three_versions, MODEL)) == 2
    assert champion(three_versions) == 2


def test_a_champion_from_before_the_ledger_is_adopted(three_versions):
    three_versions.client.set_registered_model_alias(MODEL, "champion", "2")
    assert ledger.settle(three_versions, MODEL) == 2
    [entry] = ledger.entries(three_versions, MODEL)
    assert (entry.action, entry.before, entry.after) == ("adopt", None, 2)


@pytest.mark.parametrize("moved", ["moved", "removed"])
def test_an_alias_that_was_moved_by_hand_is_moved_back(three_versions, moved):
    promote(three_versions, None, 1)
    promote(three_versions, 1, 2)
    if moved == "moved":
        three_versions.client.set_registered_model_alias(MODEL, "champion", "3")
    else:
        three_versions.client.delete_registered_model_alias(MODEL, "champion")
    assert ledger.settle(three_versions, MODEL) == 2
    assert champion(three_versions) == 2
    assert len(ledger.entries(three_versions, MODEL)) == 2


def test_former_champions_forget_what_was_rolled_back(three_versions):
    for before, after in ((None, 1), (1, 2), (2, 3)):
        promote(three_versions, before, after)
    assert ledger.former_champions(ledger.entries(three_versions, MODEL)) == [1, 2]
    promote(three_versions, 3, 2, "rollback")
    assert ledger.former_champions(ledger.entries(three_versions, MODEL)) == [1]


def test_a_version_that_is_not_there_leaves_no_entry(three_versions):
    promote(three_versions, None, 1)
    with pytest.raises(UserError):
        ledger.append(three_versions, MODEL, "promote", 1, 9, "passed", "")
    assert len(ledger.entries(three_versions, MODEL)) == 1


def test_a_ledger_that_lost_an_entry_decides_nothing(three_versions):
    promote(three_versions, None, 1)
    promote(three_versions, 1, 2)
    three_versions.client.delete_model_version(ledger.ledger_name(MODEL), "1")
    with pytest.raises(UserError, match="heartbeat-interpatient-promotions has lost entries"):
        ledger.settle(three_versions, MODEL)
    assert champion(three_versions) == 2


@pytest.mark.parametrize(("at", "after"), [("before-entry", 1), ("after-entry", 2), ("after-alias", 2)])
def test_a_kill_leaves_the_old_champion_or_the_new_one(three_versions, workspace, at, after):
    promote(three_versions, None, 1)
    killed = start(workspace, 2, at)
    go(killed)
    assert killed.returncode == -signal.SIGKILL
    assert champion(three_versions) in (1, 2)
    assert ledger.settle(three_versions, MODEL) == after
    assert champion(three_versions) == after
    assert promote(three_versions, after, 3).counts


def test_of_two_processes_exactly_one_wins(three_versions, workspace):
    promote(three_versions, None, 1)
    two, three = start(workspace, 2), start(workspace, 3)
    said = go(two, three)
    assert sorted(said) == ["lost", "won"]
    winner = 2 if said[0] == "won" else 3
    assert champion(three_versions) == winner == ledger.settle(three_versions, MODEL)
    assert [entry.counts for entry in ledger.entries(three_versions, MODEL)] == [True, True, False]


def test_a_store_that_is_read_only_is_one_line_and_stays_as_it_was(three_versions, workspace, permissions_hold):
    promote(three_versions, None, 1)
    (workspace / "mlflow.db").chmod(0o444)
    workspace.chmod(0o555)
    read_only = open_store(workspace, create=False)
    with pytest.raises(UserError, match=r"mlflow\.db: MLflow store: read-only") as refused:
        ledger.append(read_only, MODEL, "promote", 1, 2, "passed", "")
    workspace.chmod(0o755)
    (workspace / "mlflow.db").chmod(0o644)
    assert "\n" not in str(refused.value)
    assert champion(three_versions) == 1
    assert len(ledger.entries(three_versions, MODEL)) == 1


def test_a_champion_that_was_deleted_is_followed_by_the_next(three_versions):
    promote(three_versions, None, 1)
    promote(three_versions, 1, 2)
    three_versions.client.delete_model_version(MODEL, "2")
    assert ledger.settle(three_versions, MODEL) == 2
    assert promote(three_versions, 2, 3).counts
    assert champion(three_versions) == 3
