"""The DAG through `dvc repro`: what it leaves, what it reruns, how it is compared and shared."""

import json
import re
import sys

import pandas as pd
import pytest

from pipeline.ecg.aami import CLASSES
from pipeline.tracking.lookup import finished_runs
from pipeline.tracking.models import logged_model_uri
from pipeline.tracking.registry import versions
from pipeline.tracking.store import open_store

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PROTOCOLS = ("kaggle", "interpatient")
NOTHING_TO_RUN = "Data and pipelines are up to date."
STAGES = {"download", "validate_records", "segment", "validate_beats"} | {
    f"{stage}@{protocol}" for stage in ("split", "train", "evaluate", "register") for protocol in PROTOCOLS
}


def of_protocols(*stages):
    return {f"{stage}@{protocol}" for stage in stages for protocol in PROTOCOLS}


def changed_stages(workspace):
    """The stages that `dvc status` finds changed, by themselves or by their inputs."""
    return set(json.loads(workspace.dvc("status", "--json")))


def in_store(workspace, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return open_store(workspace.root)


def test_every_stage_ran_and_left_its_outputs(finished):
    lock = finished.path("dvc.lock").read_text(encoding="utf-8")
    assert set(re.findall(r"^  (\S+):$", lock, re.MULTILINE)) == STAGES
    for protocol in PROTOCOLS:
        for name in (
            f"data/splits/{protocol}.parquet",
            f"data/splits/{protocol}.json",
            f"models/{protocol}/model.keras",
            f"models/{protocol}/history.csv",
            f"reports/{protocol}/report.html",
            f"reports/{protocol}/ec57.json",
            f"reports/{protocol}/figures/confusion_test.png",
            f"data/predictions/{protocol}.parquet",
        ):
            assert finished.path(name).stat().st_size > 0, name
    for what in ("records", "beats"):
        assert finished.path(f"data/validation/{what}.json").stat().st_size > 0
        assert finished.path(f"reports/data_docs/{what}/index.html").stat().st_size > 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_metrics_have_every_key_on_each_side(finished, protocol):
    metrics = json.loads(finished.path(f"reports/{protocol}/metrics.json").read_text(encoding="utf-8"))
    assert set(metrics) == {"validation", "test"}
    for side, scores in metrics.items():
        assert set(scores) >= {"accuracy", "macro_f1", "weighted_f1", "per_class"}
        counts = json.loads(finished.path(f"data/splits/{protocol}.json").read_text(encoding="utf-8"))["beats"][side]
        assert set(scores["per_class"]) == set(CLASSES)
        for name, of_class in scores["per_class"].items():
            assert set(of_class) == {"precision", "recall", "f1", "support"}
            assert of_class["support"] == counts[name]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_run_holds_params_epochs_scores_and_data(finished, monkeypatch, protocol):
    runs = finished_runs(in_store(finished, monkeypatch), protocol)
    assert len(runs) == 1
    manifest = json.loads(finished.path(f"models/{protocol}/run.json").read_text(encoding="utf-8"))
    metrics = json.loads(finished.path(f"reports/{protocol}/metrics.json").read_text(encoding="utf-8"))
    assert runs[0].run_id == manifest["run_id"]
    assert runs[0].params["train.epochs"] == "1"
    assert runs[0].tags["test_digest"] == manifest["tags"]["test_digest"]
    assert runs[0].metrics["test.macro_f1"] == pytest.approx(metrics["test"]["macro_f1"])
    ec57 = json.loads(finished.path(f"reports/{protocol}/ec57.json").read_text(encoding="utf-8"))
    veb_fpr = ec57["test"]["whole"]["ectopic"]["gross"]["exempt"]["VEB"]["fpr"]["value"]
    assert runs[0].metrics["test.veb_fpr"] == pytest.approx(veb_fpr, abs=1e-6)
    assert runs[0].metrics["val_macro_f1"] == pytest.approx(metrics["validation"]["macro_f1"], abs=1e-6)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_registry_has_a_challenger(finished, monkeypatch, protocol):
    [version] = versions(in_store(finished, monkeypatch), protocol)
    registered = json.loads(finished.path(f"models/{protocol}.registered.json").read_text(encoding="utf-8"))
    assert version.aliases == ("challenger",)
    assert (version.version, version.run_id) == (registered["version"], registered["run_id"])


def test_predictions_are_of_the_split(finished):
    predictions = pd.read_parquet(finished.path("data/predictions/interpatient.parquet"))
    split = pd.read_parquet(finished.path("data/splits/interpatient.parquet"))
    for side in ("validation", "test"):
        keys = [frame[frame.side == side][["record", "sample"]].to_numpy().tolist() for frame in (predictions, split)]
        assert keys[0] == keys[1]


def test_a_second_run_has_nothing_to_do(finished):
    assert NOTHING_TO_RUN in finished.dvc("repro")
    assert finished.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"train.epochs": 2}, of_protocols("train")),
        ({"model.architecture": "reference"}, of_protocols("train")),
        ({"model.reference": {"filters": [4], "lstm_units": [4], "dense_units": 4, "dropout": 0.3}}, set()),
        ({"train.variation.interpatient.gain": 0.2}, {"train@interpatient"}),
        ({"evaluate.sides": ["validation"]}, of_protocols("evaluate")),
        ({"split.seed": 2}, of_protocols("split")),
        ({"synthetic.seed": 2}, {"download"}),
        ({"download.workers": 2}, {"download"}),
        ({"data.folder": "elsewhere"}, {"download"}),
    ],
)
def test_a_changed_param_reruns_only_what_reads_it(params_restored, changes, expected):
    params_restored.set_params(changes)
    assert changed_stages(params_restored) == expected


def test_ones_own_recordings_are_watched(finished):
    mine = finished.path("data/own/rec01.dat")
    mine.write_bytes(b"changed")
    try:
        assert changed_stages(finished) == {"download"}
    finally:
        mine.unlink()


def downstream(workspace, stage):
    """The stages that `dvc repro --downstream` would reach from one."""
    graph = workspace.dvc("repro", "--dry", "--force", "--downstream", stage)
    return set(re.findall(r"^Running stage '(\S+)':", graph, re.MULTILINE))


def test_a_protocols_training_leads_to_its_own_report_and_no_other(finished):
    assert downstream(finished, "train@kaggle") == {"train@kaggle", "evaluate@kaggle", "register@kaggle"}


def test_metrics_of_both_protocols_are_shown(finished):
    shown = json.loads(finished.dvc("metrics", "show", "--json"))
    files = next(iter(shown.values()))["data"]
    for protocol in PROTOCOLS:
        assert files[f"reports/{protocol}/metrics.json"]["data"]["test"]["macro_f1"] >= 0


def test_at_least_four_plots_a_protocol(finished, tmp_path):
    finished.dvc("plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text(encoding="utf-8")
    for protocol in PROTOCOLS:
        titles = set(re.findall(rf'"{protocol}: [^"]+"', page))
        assert len(titles) >= 4, titles


def test_a_clone_that_pulls_has_nothing_to_run(clone):
    assert changed_stages(clone) == set()
    assert NOTHING_TO_RUN in clone.dvc("repro")
    assert clone.path("models/kaggle/model.keras").stat().st_size > 0


@pytest.mark.parametrize(
    ("stage", "broken", "outs"),
    [
        ("validate_records", "data/raw/s02.dat", ["data/validation/records.json"]),
        ("segment", "data/raw/s02.dat", ["data/beats.parquet"]),
        ("evaluate@kaggle", "models/kaggle/model.keras", ["reports/kaggle", "data/predictions/kaggle.parquet"]),
    ],
)
def test_a_stage_that_fails_leaves_its_earlier_outputs(clone, stage, broken, outs):
    def kept():
        paths = [path for out in outs for path in (clone.path(out), *sorted(clone.path(out).rglob("*")))]
        return {path: path.read_bytes() for path in paths if path.is_file()}

    before, whole = kept(), clone.path(broken).read_bytes()
    assert len(before) >= len(outs)
    clone.path(broken).write_bytes(whole[:100])
    ended = clone.run(sys.executable, "-m", "dvc", "repro", "--single-item", "--force", stage, check=False)
    clone.path(broken).write_bytes(whole)
    assert ended.returncode != 0
    assert "error: " in ended.stderr
    assert kept() == before
    assert changed_stages(clone) == set()


def test_a_clone_enters_its_model_without_training_and_promotes_it(clone, monkeypatch):
    heartbeat = (sys.executable, "-c", "from pipeline.cli import main; main()")
    refused = clone.run(*heartbeat, "promote", "--protocol", "kaggle", "--version", "1", check=False)
    [remedy] = re.findall(r"`dvc (repro -s[^`]*)`", refused.stderr)
    clone.dvc(*remedy.split())

    store = in_store(clone, monkeypatch)
    [run] = finished_runs(store, "kaggle")
    manifest = json.loads(clone.path("models/kaggle/run.json").read_text(encoding="utf-8"))
    assert run.tags["restored_from"] == manifest["run_id"] != run.run_id
    assert logged_model_uri(store, run.run_id)
    history = pd.read_csv(clone.path("models/kaggle/history.csv"))
    logged = store.client.get_metric_history(run.run_id, "val_macro_f1")
    assert [(point.step, point.value) for point in logged] == list(
        zip(history.epoch, history.val_macro_f1, strict=True)
    )

    failed = clone.run(*heartbeat, "promote", "--protocol", "kaggle", check=False)
    assert failed.returncode == 1
    assert "the gate: failed" in failed.stdout
    assert versions(store, "kaggle")[0].aliases == ("challenger",)
    clone.run(*heartbeat, "promote", "--protocol", "kaggle", "--force", "--reason", "a small model for a test")
    [version] = versions(store, "kaggle")
    assert version.aliases == ("challenger", "champion")
    assert version.tags["gate"] == "failed"
    assert "a small model for a test" in clone.run(*heartbeat, "history", "--protocol", "kaggle").stdout


def test_an_experiment_is_a_row_of_its_own(clone):
    clone.dvc("exp", "run", "--name", "longer", "-S", "train.epochs=2", "evaluate@interpatient")
    rows = json.loads(clone.dvc("exp", "show", "--json"))
    experiments = [each for baseline in rows for each in baseline.get("experiments") or []]
    [experiment] = [each for each in experiments if each["name"] == "longer"]
    data = experiment["revs"][0]["data"]
    assert data["params"]["params.yaml"]["data"]["train"]["epochs"] == 2
    assert "macro_f1" in data["metrics"]["reports/interpatient/metrics.json"]["data"]["validation"]
    compared = clone.dvc("metrics", "diff", "HEAD", "--all", "--json")
    assert "reports/interpatient/metrics.json" in json.loads(compared)
