"""`heartbeat score` as a user meets it: tables and annotation files, errors in one line, nothing half-written."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import wfdb

from pipeline import cli
from pipeline.ecg.records import read_record

COLUMNS = ["record", "sample", "time_s", "predicted", "p_N", "p_S", "p_V", "p_F", "p_Q"]


@pytest.fixture
def score(model_file, tmp_path, monkeypatch, capsys):
    """Run the command with our model; the exit code and what it printed."""

    def run(*arguments, model=model_file, out=tmp_path / "out" / "beats.parquet"):
        told = ["heartbeat", "score", "--model", model, "--out", out, *arguments]
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.setattr(sys, "argv", [str(each) for each in told])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err, out

    return run


def annotated(folder, name):
    record = read_record(folder, name)
    return record.samples[record.symbols != "+"]


def test_a_table_of_all_beats(score, ecg_folder):
    code, told, news, out = score("--annotator", "atr", ecg_folder / "106", ecg_folder / "208")
    assert code in (0, None)
    scored = pd.read_parquet(out)
    assert list(scored.columns) == COLUMNS
    for name in ("106", "208"):
        rows = scored[scored.record == name]
        np.testing.assert_array_equal(rows["sample"], annotated(ecg_folder, name))
    assert set(scored.predicted) <= set("NSVFQ")
    assert f"{len(scored):,} beats of 2 recordings" in told
    assert "score 2/2: 208:" in news
    assert [file.name for file in out.parent.iterdir()] == [out.name]


def test_the_same_command_gives_the_same_bytes(score, ecg_folder, tmp_path):
    outs = [score(ecg_folder / "106", out=tmp_path / name)[3] for name in ("a.parquet", "b.parquet")]
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_annotation_files_say_what_the_table_says(score, ecg_folder, tmp_path):
    records = [ecg_folder / "106", ecg_folder / "208"]
    table = pd.read_parquet(score(*records)[3])
    code, *_, folder = score("--format", "wfdb", *records, out=tmp_path / "labels")
    assert code in (0, None)
    for name in ("106", "208"):
        read = wfdb.rdann(str(folder / name), "hbt")
        rows = table[table.record == name]
        assert read.sample.tolist() == rows["sample"].tolist()
        assert read.symbol == rows.predicted.tolist()
        assert read.fs == 360


def test_annotation_files_of_names_with_spaces_and_dots(score, ecg_folder, tmp_path):
    shutil.copy(ecg_folder / "106.dat", tmp_path)
    for name in ("pat 1.v2", "106"):
        shutil.copy(ecg_folder / "106.hea", tmp_path / f"{name}.hea")
        shutil.copy(ecg_folder / "106.atr", tmp_path / f"{name}.atr")
    code, *_, folder = score("--format", "wfdb", tmp_path / "106", tmp_path / "pat 1.v2", out=tmp_path / "labels")
    assert code in (0, None)
    assert sorted(file.name for file in folder.iterdir()) == ["106.hbt", "pat 1.v2.hbt"]
    assert (folder / "106.hbt").read_bytes() == (folder / "pat 1.v2.hbt").read_bytes()


def test_a_file_that_cannot_be_written_leaves_none(score, ecg_folder, tmp_path):
    (tmp_path / "labels" / "208.hbt").mkdir(parents=True)
    code, _, err, folder = score("--format", "wfdb", ecg_folder / "106", ecg_folder / "208", out=tmp_path / "labels")
    assert code == 2
    assert "208.hbt: is a folder" in err.splitlines()[-1]
    assert [file.name for file in folder.iterdir()] == ["208.hbt"]


def test_beats_are_detected_on_demand_or_where_nobody_annotated_them(score, ecg_folder, write_signal, tmp_path):
    found = pd.read_parquet(score("--detect", ecg_folder / "106")[3])
    beats = annotated(ecg_folder, "106")
    assert not np.array_equal(found["sample"], beats)
    assert np.mean([np.abs(beats - each).min() < 10 for each in found["sample"]]) > 0.95

    record = read_record(ecg_folder, "106")
    bare = write_signal("bare", record.physical)
    _, _, news, out = score(ecg_folder / "106", bare)
    assert "beats of 106.atr" in news
    assert "beats detected" in news
    scored = pd.read_parquet(out)
    np.testing.assert_array_equal(scored["sample"][scored.record == "106"], beats)
    assert len(scored[scored.record == "bare"]) == len(found)


def test_streaming_differs_from_the_whole_recording(score, ecg_folder, tmp_path):
    whole = pd.read_parquet(score(ecg_folder / "106")[3])
    streamed = pd.read_parquet(score("--streaming", ecg_folder / "106")[3])
    pd.testing.assert_frame_equal(whole[COLUMNS[:3]], streamed[COLUMNS[:3]])
    assert not np.allclose(whole.p_N, streamed.p_N, atol=1e-4)


@pytest.mark.parametrize("leads", [1, 12])
def test_one_lead_and_twelve(score, write_signal, ecg_folder, leads):
    record = read_record(ecg_folder, "106")
    millivolts = np.tile(record.physical, (1, 6))[:, :leads]
    millivolts[:, 2:] = 0.5
    code, *_, out = score("--detect", write_signal("odd", millivolts))
    assert code in (0, None)
    found = pd.read_parquet(score("--detect", ecg_folder / "106")[3]) if leads > 1 else None
    scored = pd.read_parquet(out)
    assert len(scored) > 100
    assert found is None or len(found) == len(scored)


def test_recordings_without_beats_give_an_empty_table(score, write_signal):
    flat, short = write_signal("flat", np.ones((9000, 2))), write_signal("short", np.ones((1, 1)))
    code, *_, out = score(flat, short)
    assert code in (0, None)
    assert list(pd.read_parquet(out).columns) == COLUMNS
    assert len(pd.read_parquet(out)) == 0


def refused(result, *words):
    code, _, err, out = result
    last = err.splitlines()[-1]
    assert code == 2
    assert last.startswith("error: ")
    assert "Traceback" not in err
    for word in words:
        assert word in last
    assert not out.exists() or out.is_dir()
    assert not list(out.parent.glob(".*.part"))


def test_what_cannot_be_scored_is_one_line(score, ecg_folder, write_signal, tmp_path):
    good = ecg_folder / "106"
    slow = write_signal("slow", np.random.default_rng(0).normal(size=(30, 1)), fs_hz=1.0)
    refused(score(ecg_folder / "nobody"), "nobody.hea: not found")
    refused(score(good, slow), "slow.hea: sampled at 1 Hz")
    refused(score("--annotator", "qrs", good), "106.qrs: not found", "--detect")
    refused(score("--annotator", "a/b", good), "annotator a/b: is a path")
    refused(score("--annotator", "atr", "--detect", good), "choose one")
    refused(score(good, good), "106: two recordings have this name")
    refused(score(good, model=tmp_path / "no.onnx"), "no.onnx: not found")
    refused(score(good, out=tmp_path), "is a folder")
    refused(
        score("--workspace", tmp_path, good, model="models:/heartbeat-interpatient@champion"),
        "mlflow.db: no MLflow store",
    )


def test_an_output_that_cannot_be_written_is_found_before_the_work(score, ecg_folder, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err, _ = score("--format", "wfdb", ecg_folder / "106", out=tmp_path / "file")
    assert code == 2
    assert "is a file" in err
    code, _, err, _ = score(ecg_folder / "106", out=tmp_path / "file" / "beats.parquet")
    assert code == 2
    assert "score 1/1" not in err


def test_an_old_table_outlives_a_failure(score, ecg_folder, write_signal):
    *_, out = score(ecg_folder / "106")
    before = out.read_bytes()
    slow = write_signal("slow", np.ones((30, 1)), fs_hz=1.0)
    code, *_ = score(ecg_folder / "208", slow)
    assert code == 2
    assert out.read_bytes() == before


def test_it_loads_neither_tensorflow_nor_mlflow(model_file, ecg_folder, tmp_path):
    code = (
        "import sys, json\nfrom pipeline.cli import main\n"
        f"sys.argv = ['heartbeat', 'score', '--model', {str(model_file)!r}, '--out', {str(tmp_path / 'b.parquet')!r}, "
        f"'--streaming', {str(ecg_folder / '106')!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(finished.stdout.splitlines()[-1])}
    assert "onnxruntime" in loaded
    assert not loaded & {"tensorflow", "keras", "mlflow", "great_expectations", "onnx", "tf2onnx", "sklearn", "dvc"}
