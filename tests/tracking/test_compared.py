"""Runs found by what a person writes, listed, and compared on the same beats."""

import re

import numpy as np
import pandas as pd
import pytest

from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.evaluation.comparison import comparison_tables, differences
from pipeline.evaluation.comparison_page import write_comparison
from pipeline.tracking.compared import PREDICTIONS_FILE, runs_on_side
from pipeline.tracking.listing import run_rows
from pipeline.tracking.lookup import find_run
from pipeline.tracking.runs import finish, log_evaluation, start_training_run

TAGS = {"validation_digest": "v" * 64, "architecture": "context", "git_commit": "c0ffee1234567"}


def _predictions(error_rate, beats=600):
    random = np.random.default_rng(3)
    y_true = random.choice(5, size=beats, p=[0.6, 0.15, 0.15, 0.05, 0.05])
    wrong = np.random.default_rng(4).random(beats) < error_rate
    frame = pd.DataFrame({"side": "validation", "record": np.repeat(["100", "203", "207"], beats // 3)})
    frame["sample"] = np.arange(beats)
    frame["aami"] = [CLASSES[label] for label in y_true]
    called = np.where(wrong, (y_true + 1) % 5, y_true)
    for label, name in enumerate(CLASSES):
        frame[f"p_{name}"] = np.where(called == label, 0.9, 0.025).astype(np.float32)
    return frame


@pytest.fixture
def trained(store, tmp_path):
    """Make a finished run that kept its calls; return its id."""

    def make(seed=1, error_rate=0.1, digest=TAGS["validation_digest"], predictions=True, metrics=True):
        params = {"model.architecture": "context", "train.seed": seed, "train.epochs": 2}
        run_id = start_training_run(store, "interpatient", params, {**TAGS, "validation_digest": digest}, [])
        report = tmp_path / f"report{seed}"
        report.mkdir(exist_ok=True)
        if predictions is not False:
            kept = _predictions(error_rate) if predictions is True else predictions
            kept.sample(frac=1, random_state=seed).to_parquet(report / "predictions.parquet")
        scores = {"validation": {"macro_f1": 0.5, "per_class": {"S": {"f1": 0.25, "precision": 0.5, "recall": 1 / 6}}}}
        log_evaluation(store, run_id, scores if metrics else {}, report)
        finish(store, run_id)
        return run_id

    return make


def test_a_run_is_found_by_its_id_and_by_how_it_begins(store, trained):
    run_id = trained()
    assert find_run(store, run_id).run_id == run_id
    assert find_run(store, run_id[:10]).run_id == run_id
    assert find_run(store, run_id).label == f"context seed 1 ({run_id[:8]})"


def test_a_run_is_found_by_its_version(store, trained):
    run_id = trained()
    store.client.create_registered_model("heartbeat-interpatient")
    store.client.create_model_version("heartbeat-interpatient", "file:///none", run_id=run_id)
    store.client.set_registered_model_alias("heartbeat-interpatient", "champion", "1")
    assert find_run(store, "models:/heartbeat-interpatient@champion").run_id == run_id
    assert run_rows(store, "interpatient")[1][-1] == "1 champion"
    with pytest.raises(UserError, match="heartbeat versions"):
        find_run(store, "models:/heartbeat-interpatient@nobody")


def test_a_beginning_that_several_share_is_refused(store, trained):
    ids = [trained(seed) for seed in range(17)]  # Of 17 hexadecimal ids two begin alike.
    firsts = [run_id[0] for run_id in ids]
    shared = next(first for first in firsts if firsts.count(first) > 1)
    with pytest.raises(UserError, match=r"\d runs begin so .* write more of the id"):
        find_run(store, shared)


@pytest.mark.parametrize("named", ["", "zz", "models:/"])
def test_a_run_that_there_is_not(store, trained, named):
    trained()
    with pytest.raises(UserError, match=r"`heartbeat runs` lists them|not a model's address"):
        find_run(store, named)


def test_runs_are_listed_with_their_scores(store, trained):
    run_id = trained(seed=4)
    head, row = run_rows(store, "interpatient")
    told = dict(zip(head, row, strict=True))
    assert (told["run"], told["seed"], told["commit"]) == (run_id[:8], "4", "c0ffee12")
    assert (told["validation\nmacro-F1"], told["validation\nS F1"], told["test\nmacro-F1"]) == ("0.5000", "0.2500", "")
    with pytest.raises(UserError, match="heartbeat-kaggle has no finished run"):
        run_rows(store, "kaggle")


def test_an_evaluated_run_has_a_name_and_a_note_for_the_ui(store, trained):
    run = store.client.get_run(trained(seed=2))
    assert run.info.run_name == "context seed 2"
    assert "| S | 0.5000 | 0.1667 | 0.2500 |" in run.data.tags["mlflow.note.content"]


def test_the_better_run_is_said_to_be_better(store, trained, tmp_path):
    worse, better = trained(1, error_rate=0.3), trained(2, error_rate=0.02)
    runs = runs_on_side(store, [worse, better], "validation")
    found = differences(runs)[runs[1].label]["macro_f1"]
    assert 0 < found.low < found.value
    settings, scores, _, paired = comparison_tables(runs, "interpatient, validation")
    assert [row[0] for row in settings.rows] == ["train.seed"]
    assert "600 beats of 3 records" in scores.title
    assert dict(row[:2] for row in paired.rows)["macro-F1"].endswith("*")
    write_comparison(tmp_path / "page.html", runs, "interpatient, validation")
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert runs[1].label in page


def test_a_run_that_kept_no_calls_is_compared_by_its_metrics(store, trained, tmp_path):
    runs = runs_on_side(store, [trained(1), trained(2, predictions=False)], "validation")
    tables = comparison_tables(runs, "interpatient, validation")
    assert len(tables) == 3
    assert {row[0]: row[2] for row in tables[1].rows}["macro-F1"] == "0.5000"
    assert f"for want of {PREDICTIONS_FILE}: {runs[1].label}" in tables[1].note
    write_comparison(tmp_path / "page.html", runs, "interpatient, validation")
    assert runs[1].label in (tmp_path / "page.html").read_text()


def test_runs_on_different_beats_are_refused_by_both_digests(store, trained):
    with pytest.raises(UserError, match=f"different validation beats.*{'v' * 16} and {'w' * 16}"):
        runs_on_side(store, [trained(1), trained(2, digest="w" * 64)], "validation")


def test_calls_that_are_about_other_beats_than_the_digest_says(store, trained):
    other = _predictions(0.1).assign(sample=lambda frame: frame["sample"] + 1)
    with pytest.raises(UserError, match="about other validation beats"):
        runs_on_side(store, [trained(1), trained(2, predictions=other)], "validation")


@pytest.mark.parametrize(
    ("predictions", "complaint"),
    [
        (_predictions(0.1).drop(columns="p_Q"), "lacks p_Q"),
        (_predictions(0.1).assign(aami="X"), "classes other than N, S, V, F, Q"),
    ],
)
def test_a_table_of_calls_that_is_none(store, trained, predictions, complaint):
    with pytest.raises(UserError, match=complaint):
        runs_on_side(store, [trained(1), trained(2, predictions=predictions)], "validation")


def test_a_side_that_stayed_closed_and_runs_without_metrics(store, trained):
    first, second = trained(1), trained(2, metrics=False)
    with pytest.raises(UserError, match="has no test metrics"):
        runs_on_side(store, [first, second], "test")
    with pytest.raises(UserError, match="has no validation metrics"):
        runs_on_side(store, [first, second], "validation")


@pytest.mark.parametrize("times", [1, 2])
def test_one_run_is_no_comparison(store, trained, times):
    with pytest.raises(UserError, match=r"takes 2 to 7|names a run twice"):
        runs_on_side(store, [trained()] * times, "validation")
