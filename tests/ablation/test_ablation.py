"""Folds hold training records alone, ideas hide what they say, and the table follows from its figures."""

import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ablation import run
from pipeline.ablation.folds import FOLDS_FILE, examples_of_fold, read_folds, read_training_beats, recordings_of
from pipeline.ablation.ideas import IDEAS, config_of
from pipeline.ablation.page import markdown
from pipeline.config import load_config
from pipeline.ecg.context import RHYTHM_FEATURES
from pipeline.ecg.dataset import load_dataset
from pipeline.errors import UserError


@pytest.fixture
def mitdb(pytestconfig):
    return load_dataset(pytestconfig.rootpath / "data/reference/mitdb")


@pytest.fixture
def folds_file(pytestconfig):
    return pytestconfig.rootpath / FOLDS_FILE


@pytest.fixture
def config(pytestconfig):
    return load_config(pytestconfig.rootpath / "params.yaml")


@pytest.fixture
def beat_table(mitdb, tmp_path):
    """Forty beats of every record of MIT-BIH, as noise."""
    rng = np.random.default_rng(0)
    path = tmp_path / "beats.parquet"
    records = np.repeat(mitdb.records.record.to_numpy(), 40)
    windows = rng.normal(size=(len(records), 252)).astype(np.float32)
    table = pa.table(
        {
            "record": pa.array(records.tolist(), pa.string()),
            "aami": pa.array(rng.choice(["N", "S", "V"], len(records)).tolist(), pa.string()),
            "rr_prev_s": pa.array(rng.normal(0.8, 0.05, len(records)).astype(np.float32)),
            "window": pa.FixedSizeListArray.from_arrays(pa.array(windows.reshape(-1)), 252),
        }
    )
    pq.write_table(table, path)
    return path


def test_the_folds_are_the_training_records_and_no_other(mitdb, folds_file):
    folds = read_folds(mitdb, folds_file)
    sides = mitdb.records.set_index("record").side
    assert set(folds) == set(sides.index[sides.isin(["train", "validation"])])
    assert len(folds) == 22
    assert "201" in folds
    assert not {"202", "100", "232"} & set(folds)


def test_only_training_records_are_read(mitdb, folds_file, beat_table):
    records = sorted(read_folds(mitdb, folds_file))
    whole = read_training_beats(beat_table, records)
    assert sorted(whole) == records
    table = pq.read_table(beat_table)
    own = pd.Series(table.column("record").to_pylist()).isin(records).to_numpy()
    pq.write_table(table.filter(pa.array(own)), beat_table)
    alone = read_training_beats(beat_table, records)
    for record in records:
        np.testing.assert_array_equal(alone[record].windows, whole[record].windows)
        np.testing.assert_array_equal(alone[record].labels, whole[record].labels)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text + "100,1\n", "record 100 is not a training record"),
        (lambda text: text.replace("101,4\n", ""), "record 101 has no fold"),
        (lambda text: text.replace(",5\n", ",1\n"), "needs the folds 1 to 5"),
        (lambda text: text.replace("record,fold", "a,b"), "needed: columns record,fold"),
    ],
)
def test_other_folds_are_refused(mitdb, folds_file, tmp_path, change, complaint):
    other = tmp_path / "folds.csv"
    other.write_text(change(folds_file.read_text()))
    with pytest.raises(UserError, match=complaint):
        read_folds(mitdb, other)


@pytest.mark.parametrize("name", IDEAS)
def test_an_idea_hides_its_inputs_in_training_and_judging(name, mitdb, config, beat_table):
    idea = IDEAS[name]
    beats = read_training_beats(beat_table, ["106", "208"])
    settings = config_of(config, idea, 2)
    examples = examples_of_fold(settings, idea, recordings_of(beats.values()))
    features = [RHYTHM_FEATURES.index(each) for each in idea.features]
    for inputs in [each.inputs for each in examples.recordings]:
        assert not inputs.beats[..., list(idea.channels)].any()
        assert not inputs.rhythm[:, features].any()
        np.testing.assert_array_equal(inputs.beats[..., 3], inputs.beats[..., 3] * (not idea.one_lead))
        assert inputs.beats[..., 1].any() != idea.one_lead
    shown, rhythm = examples.epoch(np.random.default_rng(1)).inputs
    assert not shown[..., list(idea.channels)].any()
    assert not rhythm[..., features].any()
    assert shown.shape[1] == settings.train.context.stretch_beats
    assert settings.train.epochs_of("context") == 2 * idea.epochs_factor


def commit(folder, name):
    who = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "--message", name], cwd=folder, check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_kept_fold_keeps_the_commit_that_it_was_trained_at(config, tmp_path, monkeypatch):
    class Judged(SimpleNamespace):
        def predict(self, _):
            return np.eye(5)[self.labels]

    entered = []
    monkeypatch.setattr(run, "workspace", lambda: tmp_path)
    monkeypatch.setattr(run, "examples_of_fold", lambda *_: Judged(labels=np.arange(5)))
    monkeypatch.setattr(run, "train", lambda *_, **__: SimpleNamespace(model=None))
    monkeypatch.setattr(run, "_entered", lambda config, row, tags, home: entered.append(tags) or "run")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    first = commit(tmp_path, "one").strip()

    def row(folds):
        plan = run.Plan(config, {"101": 1}, {}, [], "x", folds, 8)
        found = run._row(plan, "baseline", IDEAS["baseline"])
        return found["commit"], found["dirty"]

    assert row([1]) == (first, False)
    second = commit(tmp_path, "two").strip()
    assert row([1]) == (first, False)
    assert row([1, 2]) == (second, False)
    assert [tags["git_commit"] for tags in entered] == [first, second]
    for kept in tmp_path.rglob("commit.json"):
        kept.unlink()
    assert row([1]) == ("", False)  # Nobody knows.


def test_the_table_holds_rows_against_their_own_baseline():
    def row(idea, score, epochs=8, folds=(1, 2)):
        scores = dict.fromkeys(("accuracy", "macro_f1", "S_f1", "V_f1"), 0.5)
        return {
            "idea": idea,
            "words": "w",
            "folds": list(folds),
            "epochs": epochs,
            "seed": 1,
            "commit": "abc",
            "macro_f1_nsv": score,
            "by_fold": [score - 0.1, score + 0.1],
            **scores,
        }

    text = markdown(
        [
            row("baseline", 0.8),
            row("no_rhythm", 0.75),
            row("twice_the_epochs", 0.81, epochs=16),
            row("one_lead", 0.7, folds=(1,)),
        ]
    )
    assert "| no_rhythm: w | 0.7500 | -0.0500 | 0.6500 to 0.8500 |" in text
    assert text.count("| 1 | `abc` |") == 4
    assert "| twice_the_epochs: w | 0.8100 | +0.0100 |" in text
    assert "| one_lead: w | 0.7000 |  |" in text
