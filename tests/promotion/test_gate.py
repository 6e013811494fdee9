"""The gate between a candidate and a champion, on a real store: which way it compares, which looks it counts."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.beats import write_beats
from pipeline.ecg.segmentation import segment_record
from pipeline.ecg.synthetic import write_records
from pipeline.promotion.promotion import ask_gate, looks_at_test_side
from pipeline.promotion.trial import judged, validation_recordings
from pipeline.scoring.network import load_network
from pipeline.stages.protocol_data import load_protocol
from pipeline.tracking.exported import log_onnx
from pipeline.tracking.provenance import DatasetInput
from pipeline.tracking.registry import versions
from pipeline.tracking.runs import finish, log_predictions, start_training_run
from pipeline.tracking.store import open_store

PROTOCOL = "interpatient"
MODEL = f"heartbeat-{PROTOCOL}"
CANDIDATE, PERFECT, WRONG = 1, 2, 3
NOT_WORSE = "not worse than the champion on validation"
VETO = "no veto from the test side"


def write_data(root, params):
    """Two generated recordings of two minutes, all of it the validation side."""
    low = dict.fromkeys(params["promotion"]["floors"], 0.1)
    params["promotion"] |= {"floors": low, "strip_ms": 10_000.0}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    for folder in ("data/splits", "data/validation", "raw"):
        (root / folder).mkdir(parents=True)
    write_records(root / "raw", ["106", "208"], 2.0, 1)
    tables = [segment_record(root / "raw", name) for name in ("106", "208")]
    write_beats(root / "data/beats.parquet", tables)
    named = pd.concat([table.select(["record", "sample"]).to_pandas() for table in tables])
    named.assign(side="validation").to_parquet(root / "data/splits/interpatient.parquet")
    for name in ("records", "beats"):
        (root / "data/validation" / f"{name}.json").write_text(json.dumps({"expectations": []}))


def called(beats, calls):
    """The beats with all probability on one class each."""
    return beats.assign(**{f"p_{name}": np.float32(calls == name) for name in CLASSES})


@pytest.fixture(scope="module")
def template(tmp_path_factory, pytestconfig):
    """A workspace whose store has three versions of the released network; two are said to have called otherwise."""
    root = tmp_path_factory.mktemp("template")
    write_data(root, yaml.safe_load((pytestconfig.rootpath / "params.yaml").read_text()))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)
        store, data = open_store(root), load_protocol(PROTOCOL)
        onnx = shutil.copy(pytestconfig.rootpath / "models/released/interpatient/model.onnx", root / "model.onnx")
        own = judged(load_network(onnx, 1), validation_recordings(data))
        others = {name: CLASSES[place - 1] for place, name in enumerate(CLASSES)}
        tags = {"git_commit": "c0ffee", "git_dirty": "false", "test_digest": "a" * 64}
        used = [DatasetInput("beats/train", "training", root / "data/beats.parquet", data.beats_md5)]
        store.client.create_registered_model(MODEL)
        for beats in (own, called(own, own.aami), called(own, own.aami.map(others))):
            run_id = start_training_run(store, PROTOCOL, {}, tags, used)
            log_onnx(store, run_id, onnx)
            beats.assign(side="validation").to_parquet(root / "calls.parquet")
            log_predictions(store, run_id, root / "calls.parquet")
            finish(store, run_id)
            store.client.create_model_version(MODEL, root.as_uri(), run_id)
    return root


@pytest.fixture
def store(template, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(template)
    shutil.copy(template / "mlflow.db", tmp_path)
    return open_store(template)


def run_of(store, version):
    return store.client.get_model_version(MODEL, str(version)).run_id


def against(store, champion, **options):
    """The gate's verdict on the candidate, and which of its checks failed."""
    store.client.set_registered_model_alias(MODEL, "champion", str(champion))
    verdict = ask_gate(store, PROTOCOL, CANDIDATE, **{"keep": True, **options})
    return verdict, [check.name for check in verdict.checks if not check.passed]


def command(*arguments):
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def test_a_candidate_better_than_the_champion_passes(store):
    verdict, failed = against(store, WRONG)
    assert failed == []
    assert verdict.passed
    assert NOT_WORSE in [check.name for check in verdict.checks]


def test_a_candidate_worse_than_the_champion_is_refused(store):
    verdict, failed = against(store, PERFECT)
    assert failed == [NOT_WORSE]
    assert not verdict.passed


@pytest.mark.parametrize(("candidate", "champion", "failed"), [(0.5, 0.9, [VETO]), (0.9, 0.5, [])])
def test_the_test_side_vetoes_and_the_look_is_counted_once(store, candidate, champion, failed):
    for version, score in ((CANDIDATE, candidate), (WRONG, champion)):
        store.client.log_metric(run_of(store, version), "test.S.f1", score)
    verdict, told = against(store, WRONG)
    assert told == failed
    assert verdict.looked
    assert looks_at_test_side(versions(store, PROTOCOL)) == 1
    assert "looks of the gate at the test side: 1\n" in command("history").output


def test_other_beats_on_the_test_side_are_no_look(store):
    for version, score in ((CANDIDATE, 0.5), (WRONG, 0.9)):
        store.client.log_metric(run_of(store, version), "test.S.f1", score)
    store.client.set_tag(run_of(store, WRONG), "test_digest", "b" * 64)
    verdict, failed = against(store, WRONG)
    assert failed == []
    assert not verdict.looked
    assert looks_at_test_side(versions(store, PROTOCOL)) == 0


def test_asking_only_neither_looks_nor_writes(store):
    for version, score in ((CANDIDATE, 0.5), (WRONG, 0.9)):
        store.client.log_metric(run_of(store, version), "test.S.f1", score)
    verdict, failed = against(store, WRONG, keep=False)
    assert failed == []
    assert VETO not in [check.name for check in verdict.checks]
    assert all(not version.tags for version in versions(store, PROTOCOL))


def test_a_champion_that_was_deleted_is_nothing_to_compare_with(store):
    against(store, WRONG)  # Enters it in the ledger.
    store.client.delete_model_version(MODEL, str(WRONG))
    verdict = ask_gate(store, PROTOCOL, CANDIDATE, keep=True)
    [told] = [check.said for check in verdict.checks if not check.passed]
    assert "version 3 was deleted; go back to one that is there with `heartbeat rollback`" in told
    assert verdict.champion == WRONG


def test_a_reason_is_kept_without_force_too(store):
    store.client.set_registered_model_alias(MODEL, "champion", str(WRONG))
    assert command("promote", "--version", "1", "--reason", "the ward asked for it").exit_code == 0
    assert "the ward asked for it" in command("history").output


def test_asking_only_is_exit_code_1_where_the_gate_fails_forced_or_not(store):
    store.client.set_registered_model_alias(MODEL, "champion", str(PERFECT))
    asked = command("promote", "--version", "1", "--dry-run", "--force", "--reason", "the ward asked for it")
    assert asked.exit_code == 1
    assert "dry run: nothing was written" in asked.output
