"""A released model: the best run by validation, its file, its checksum, and a card that says what it is."""

import hashlib
import json

import keras
import pytest

from pipeline.config import load_config
from pipeline.errors import UserError
from pipeline.model.architectures import build_context
from pipeline.model.training import save_model
from pipeline.release import release
from pipeline.stages.manifest import Manifest

PARAMS = {"data.source": "mitdb", "model.members": 3, "model.likeness": False}
TAGS = {"git_commit": "c0ffee" * 6, "git_dirty": "false"}


@pytest.fixture
def published(tmp_path, monkeypatch, pytestconfig):
    """Two published runs; the second is better on validation and worse on test."""
    monkeypatch.chdir(tmp_path)
    shape = load_config(pytestconfig.rootpath / "params.yaml").model.context.of("interpatient")
    scores = json.loads((pytestconfig.rootpath / "reports" / "interpatient" / "ec57.json").read_text())
    for seed, validation in ((1, 0.5), (2, 0.6)):
        folder = tmp_path / ".heartbeat" / "results" / f"interpatient-context-{seed}"
        keras.utils.set_random_seed(seed)
        save_model(build_context(shape), folder / "model.keras")
        Manifest(f"run{seed}", PARAMS | {"train.seed": seed}, TAGS, {}, "0").write(folder / "run.json")
        (folder / "report").mkdir()
        metrics = {"validation": {"macro_f1": validation}, "test": {"macro_f1": 1 - validation}}
        (folder / "report" / "metrics.json").write_text(json.dumps(metrics))
        (folder / "report" / "ec57.json").write_text(json.dumps(scores))
    row = {
        "data": "MIT-BIH Arrhythmia Database 1.0.0",
        "protocol": "interpatient",
        "input": "context",
        "architecture": "context",
    }
    row |= {"test_digest": "0", "commits": [TAGS["git_commit"]], "run_ids": ["run1", "run2"]}
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "results.json").write_text(json.dumps([row]))
    return tmp_path, scores


def test_the_best_run_by_validation_is_released_with_its_card(published):
    root, scores = published
    target = root / release("interpatient")
    assert sorted(path.name for path in target.iterdir()) == ["card.md", "model.onnx", "sha256"]
    digest = hashlib.sha256((target / "model.onnx").read_bytes()).hexdigest()
    assert (target / "sha256").read_text() == f"{digest}  model.onnx\n"
    assert (target / "model.onnx").stat().st_size < 2_000_000
    told = (target / "card.md").read_text()
    assert "seed 2, commit" in told
    low = scores["test"]["whole"]["overall"]["S_f1"]["low"]
    assert f"{low:.4f} to" in told
    for word in (
        "The mean of 3 CNN-BiLSTM networks over consecutive beats, not told the likeness of beats\n",
        "without 232",
        "DS2",
        "not a medical device",
        "ODC-By",
    ):
        assert word in told


def test_a_run_of_one_network_is_told_as_one(published):
    root, _ = published
    for path in root.glob(".heartbeat/results/*/run.json"):
        told = json.loads(path.read_text())
        told["params"] = {name: value for name, value in told["params"].items() if not name.startswith("model.")}
        path.write_text(json.dumps(told))
    assert "\nA CNN-BiLSTM over consecutive beats\n" in (root / release("interpatient") / "card.md").read_text()


def test_a_run_that_is_not_published_is_not_released(published):
    root, _ = published
    path = root / "reports" / "results.json"
    path.write_text(path.read_text().replace(', "run2"', ""))
    assert "seed 1, commit" in (root / release("interpatient") / "card.md").read_text()


def test_the_best_cannot_be_told_without_all_published_runs(published):
    root, _ = published
    path = root / "reports" / "results.json"
    path.write_text(path.read_text().replace("run2", "run3"))
    with pytest.raises(
        UserError, match=r"results\.json: the model of the published run run3 is not here.*make results"
    ):
        release("interpatient")
    assert not (root / "models").exists()


def test_a_run_whose_test_side_is_closed_has_no_card(published):
    root, _ = published
    metrics = root / ".heartbeat" / "results" / "interpatient-context-2" / "report" / "metrics.json"
    metrics.write_text(json.dumps({"validation": {"macro_f1": 0.6}}))
    with pytest.raises(UserError, match="published run run2 is not here"):
        release("interpatient")


def test_damaged_results_are_told(published):
    root, _ = published
    (root / "reports" / "results.json").write_text("[{")
    with pytest.raises(UserError, match=r"results\.json: damaged"):
        release("interpatient")


def test_the_run_of_the_pipeline_itself_may_be_the_best(published):
    root, _ = published
    best = root / ".heartbeat" / "results" / "interpatient-context-2"
    (best / "report").rename(root / "reports" / "interpatient")
    (root / "models").mkdir(exist_ok=True)
    best.rename(root / "models" / "interpatient")
    assert "seed 2, commit" in (root / release("interpatient") / "card.md").read_text()


def test_a_run_on_other_data_is_not_released(published):
    root, _ = published
    for path in root.glob(".heartbeat/results/*/run.json"):
        path.write_text(path.read_text().replace('"mitdb"', '"wfdb"'))
    with pytest.raises(UserError, match="no published run on MIT-BIH"):
        release("interpatient")


def test_without_a_published_run_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"results\.json: no published run on MIT-BIH .*; make results trains it"):
        release("kaggle")


@pytest.mark.parametrize("protocol", ["kaggle", "interpatient"])
def test_the_committed_models_are_those_of_their_checksums_and_rows(pytestconfig, protocol):
    folder = pytestconfig.rootpath / "models" / "released" / protocol
    content = (folder / "model.onnx").read_bytes()
    assert len(content) <= 2_000_000
    assert (folder / "sha256").read_text() == f"{hashlib.sha256(content).hexdigest()}  model.onnx\n"
    rows = json.loads((pytestconfig.rootpath / "reports" / "results.json").read_text())
    [row] = [row for row in rows if (row["protocol"], row["architecture"]) == (protocol, "context")]
    told = (folder / "card.md").read_text()
    assert any(commit[:10] in told for commit in row["commits"])
    [accuracy] = [line.split("|")[2] for line in told.splitlines() if line.startswith("| accuracy")][:1]
    assert row["accuracy"]["low"] - 5e-5 <= float(accuracy) <= row["accuracy"]["high"] + 5e-5
