"""Bad input stops a stage with one line that names file, place and remedy; exit code 2; earlier outputs stay."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.beats import read_beats, read_lists
from pipeline.stages import download, entry, segment, split, validate_beats, validate_records

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

RECORDS = ["s01", "s02", "s03", "s04", "s05", "s06"]


class Stages:
    """The stages in this process, in a folder of their own."""

    def __init__(self, root, finished, monkeypatch, capsys):
        self.root, self.monkeypatch, self.capsys = root, monkeypatch, capsys
        shutil.copytree(finished.path("data/reference"), root / "data" / "reference")
        shutil.copy(finished.path("params.yaml"), root)
        monkeypatch.chdir(root)
        monkeypatch.delenv("DVC_ROOT", raising=False)
        monkeypatch.setenv("NO_PROXY", "*")

    def set_params(self, **sections):
        params = yaml.safe_load((self.root / "params.yaml").read_text())
        for section, values in sections.items():
            if isinstance(values, dict):
                params[section] |= values
            else:
                params[section] = values
        (self.root / "params.yaml").write_text(yaml.safe_dump(params))

    def use_dataset(self, **facts):
        folder = self.root / "facts"
        folder.mkdir()
        (folder / "dataset.yaml").write_text(
            yaml.safe_dump({"name": "mine", "sampling_rate_hz": 360, "n_leads": 2, **facts})
        )
        sides = ["train", "train", "validation", "validation", "test", "test"]
        lines = [f"{record},{record},{side}" for record, side in zip(RECORDS, sides, strict=True)]
        (folder / "records.csv").write_text("\n".join(["record,patient,side", *lines, ""]))
        self.set_params(data={"dataset": "facts"})
        return folder

    def run(self, stage, *arguments):
        self.monkeypatch.setattr(sys, "argv", ["stage", *arguments])
        (entry.run_protocol_stage if arguments else entry.run_stage)(stage.main)

    def refuse(self, stage, *arguments):
        """Run a stage that must stop, and return its one line."""
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            self.run(stage, *arguments)
        assert ended.value.code == 2
        [line] = [line for line in self.capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        return line


@pytest.fixture
def stages(finished, tmp_path, monkeypatch, capsys):
    return Stages(tmp_path, finished, monkeypatch, capsys)


@pytest.fixture
def own_records(stages, finished):
    """The source `wfdb` on six records of the finished run."""
    folder = stages.root / "mine"
    folder.mkdir()
    for record in RECORDS:
        for path in finished.path("data/raw").glob(f"{record}.*"):
            shutil.copy(path, folder)
    stages.use_dataset(protocols={"kaggle": {"test_fraction": 0.2}})
    stages.set_params(data={"source": "wfdb", "folder": "mine"})
    return stages


def test_own_records_become_splits(own_records):
    for stage in (download, validate_records, segment, validate_beats):
        own_records.run(stage)
    for protocol in ("kaggle", "interpatient"):
        own_records.run(split, protocol)
    assert sorted({path.stem for path in entry.RAW.iterdir()}) == RECORDS
    beats = read_beats(entry.BEATS, ["record", "aami"])
    assert beats.record.unique().tolist() == RECORDS


def test_csv_rows_become_splits_and_a_wrong_column_is_named(stages, finished):
    rows = read_lists(finished.path("data/beats.parquet"), "kaggle_row")
    labels = read_beats(finished.path("data/beats.parquet"), ["aami"]).aami.map(CLASSES.index).to_numpy()
    folder = stages.root / "csv"
    folder.mkdir()
    for name, chosen in (("mitbih_train.csv", slice(0, None, 2)), ("mitbih_test.csv", slice(1, None, 2))):
        np.savetxt(folder / name, np.column_stack([rows[chosen], labels[chosen]]), delimiter=",", fmt="%.9g")
    stages.set_params(
        data={"source": "kaggle_csv", "folder": "csv", "dataset": "data/reference/kaggle_csv"},
        protocols=["kaggle"],
        model={"architecture": "reference"},
    )
    for stage in (download, validate_records, segment, validate_beats):
        stages.run(stage)
    stages.run(split, "kaggle")
    stored = read_lists(entry.BEATS, "kaggle_row")
    np.testing.assert_array_equal(stored, np.concatenate([rows[::2], rows[1::2]]))

    before = (entry.RAW / "mitbih_test.csv").read_bytes()
    lines = (folder / "mitbih_test.csv").read_text().splitlines()
    lines[4] = lines[4].rpartition(",")[0]
    (folder / "mitbih_test.csv").write_text("\n".join(lines))
    assert "csv/mitbih_test.csv:5: has 187 columns, expected 188" in stages.refuse(download)
    assert (entry.RAW / "mitbih_test.csv").read_bytes() == before


def test_a_missing_record_of_ones_own(own_records):
    (own_records.root / "mine" / "s03.atr").unlink()
    assert "mine/s03.atr: missing" in own_records.refuse(download)


def test_a_damaged_record_stops_the_checks_and_the_earlier_summary_stays(own_records):
    own_records.run(download)
    own_records.run(validate_records)
    summary = entry.VALIDATION / "records.json"
    before = summary.read_bytes()
    for name, change in (("s02", lambda content: content[:5000]), ("s05", lambda content: b"\x7f\x7f" + content[2:])):
        path = entry.RAW / f"{name}.dat"
        path.write_bytes(change(path.read_bytes()))
    line = own_records.refuse(validate_records)
    assert "2 checks failed" in line
    assert "s02.hea" in line
    assert "record s05" in line
    assert "reports/data_docs/records/index.html" in line
    assert summary.read_bytes() == before


def test_a_damaged_record_stops_segment_and_the_earlier_table_stays(own_records):
    own_records.run(download)
    own_records.run(segment)
    before = entry.BEATS.read_bytes()
    (entry.RAW / "s04.dat").unlink()
    assert "data/raw/s04.dat: not found" in own_records.refuse(segment)
    assert entry.BEATS.read_bytes() == before


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("record,sample\ns01,1\n", "facts/test.csv, line 2: record s01 sample 1 names no beat"),
        ("beat\n1\n", "record,sample"),
    ],
)
def test_a_list_of_beats_that_are_not_there(stages, finished, lines, complaint):
    shutil.copy(finished.path("data/beats.parquet"), "data")
    folder = stages.use_dataset(protocols={"kaggle": {"test_beats": "test.csv"}})
    (folder / "test.csv").write_text(lines)
    assert complaint in stages.refuse(split, "kaggle")
    assert not entry.SPLITS.exists()


def test_a_protocol_that_params_do_not_list(stages):
    stages.set_params(protocols=["kaggle"])
    assert "protocols has no 'interpatient'; it lists kaggle" in stages.refuse(split, "interpatient")


def test_a_stage_before_its_turn_names_what_to_run(stages):
    assert "data/beats.parquet: not found; run `dvc repro segment`" in stages.refuse(split, "kaggle")


@pytest.mark.parametrize("stage", ["download", "split"])
def test_a_typo_in_params_stops_the_process(stages, stage):
    stages.set_params(split={"sead": 1})
    command = [sys.executable, "-m", f"pipeline.stages.{stage}", *(["kaggle"] if stage == "split" else [])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "error: params.yaml: split.sead: unknown key (allowed: validation_fraction, seed)\n"


@pytest.fixture
def trainable(stages, finished):
    """A folder in which `train` can start."""
    shutil.copy(finished.path("data/beats.parquet"), "data")
    shutil.copytree(finished.path("data/splits"), "data/splits")
    return stages


@pytest.mark.parametrize(
    ("address", "complaint"),
    [("http://127.0.0.1:9", "connection refused"), ("sqlite:////proc/none/mlflow.db", "MLflow store: ")],
)
def test_a_store_that_cannot_be_written_is_found_out_before_training(trainable, monkeypatch, address, complaint):
    from pipeline.stages import train

    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setattr(train, "train", lambda *_, **__: pytest.fail("trained"))
    line = trainable.refuse(train, "kaggle")
    assert address in line
    assert complaint in line
    assert not entry.MODELS.exists()


def test_what_was_trained_is_not_lost_with_the_store(trainable, monkeypatch):
    from pipeline.model import training
    from pipeline.stages import train

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{trainable.root / 'other.db'}")

    def lose(*_):
        raise OSError("the database went away")

    with monkeypatch.context() as patched:
        patched.setattr(train, "enter_results", lose)
        line = trainable.refuse(train, "kaggle")
    assert "failed after training (the database went away)" in line
    model = entry.MODELS / "kaggle" / "model.keras"
    assert f"{model.parent}" in line
    kept = training.load_model(model).get_weights()
    run = json.loads((model.parent / "run.json").read_text())["run_id"]

    monkeypatch.setattr(training, "_fit", lambda *_: pytest.fail("trained again"))
    trainable.run(train, "kaggle")
    for before, after in zip(kept, training.load_model(model).get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert json.loads((model.parent / "run.json").read_text())["run_id"] == run
    assert not any((trainable.root / ".heartbeat" / "training").iterdir())
