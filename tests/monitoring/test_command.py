"""`heartbeat profile` and `heartbeat monitor` on generated recordings: exit codes, files, errors in one line."""

import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from edfio import Edf, EdfSignal

from pipeline import cli
from pipeline.ecg.aami import CLASS_OF_SYMBOL, CLASSES
from pipeline.ecg.recordings import read_signal
from pipeline.ecg.records import read_record
from pipeline.ecg.synthetic import write_records
from pipeline.scoring.output import open_output

NAMES = ["100", "106", "116", "200", "208", "221"]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Six generated recordings of a minute, and their beats as a scoring would write them."""
    folder = tmp_path_factory.mktemp("monitored")
    write_records(folder, NAMES, 1.0, 1)
    pieces = []
    for name in NAMES:
        record = read_record(folder, name)
        beats = np.isin(record.symbols, list(CLASS_OF_SYMBOL))
        piece = pd.DataFrame({"record": name, "sample": record.samples[beats]})
        piece["time_s"] = piece["sample"] / record.fs_hz
        piece["predicted"] = [str(CLASS_OF_SYMBOL[str(symbol)]) for symbol in record.symbols[beats]]
        for label in CLASSES:
            piece[f"p_{label}"] = np.where(piece["predicted"] == label, np.float32(0.92), np.float32(0.02))
        pieces.append(piece)
    pd.concat(pieces).to_parquet(folder / "scored.parquet", index=False)
    return folder


@pytest.fixture
def heartbeat(monkeypatch, capsys):
    """Run a command; the exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["heartbeat", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.fixture
def reference(recordings, heartbeat, tmp_path):
    path = tmp_path / "profile.json"
    code, *_ = heartbeat("profile", "--scored", recordings / "scored.parquet", "--out", path, *_paths(recordings))
    assert code == 0
    return path


def _paths(folder):
    return [folder / name for name in NAMES]


def test_the_same_recordings_raise_no_alarm(recordings, reference, heartbeat, tmp_path):
    table, page = tmp_path / "drift.parquet", tmp_path / "drift.html"
    scored = recordings / "scored.parquet"
    written = ("--out", table, "--html", page)
    code, told, _ = heartbeat("monitor", "--reference", reference, "--scored", scored, *written, *_paths(recordings))
    assert code == 0
    assert "rr_prev_s" in told
    found = pd.read_parquet(table)
    assert not found["alarm"].any()
    assert (found["psi"] < 0.01).all()
    assert "amplitude_mv_0" in page.read_text()


def test_an_alarm_is_exit_code_3_and_names_the_fact(recordings, reference, heartbeat, tmp_path):
    scored = pd.read_parquet(recordings / "scored.parquet")
    for label in CLASSES:
        scored[f"p_{label}"] = np.float32(0.6 if label == "Q" else 0.1)
    changed = tmp_path / "changed.parquet"
    scored.assign(predicted="Q").to_parquet(changed)
    code, told, err = heartbeat("monitor", "--reference", reference, "--scored", changed, *_paths(recordings))
    assert code == 3
    assert "ALARM" in told
    assert err.strip() == "ALARM: predicted, uncertain, confidence"


def test_tables_that_are_none(recordings, reference, heartbeat, tmp_path):
    scored = pd.read_parquet(recordings / "scored.parquet")
    scored.iloc[:0].to_parquet(tmp_path / "empty.parquet")
    scored.drop(columns="p_V").to_parquet(tmp_path / "columns.parquet")
    (tmp_path / "text.parquet").write_text("no table")
    complaints = {"empty": "has no beats", "columns": "lacks the column p_V", "text": "table", "none": "cannot be read"}
    for name, complaint in complaints.items():
        path = tmp_path / f"{name}.parquet"
        code, _, err = heartbeat("monitor", "--reference", reference, "--scored", path, *_paths(recordings))
        assert code == 2
        assert err.count("\n") == 1
        assert f"{path}: " in err
        assert complaint in err


def test_recordings_that_do_not_fit_the_table(recordings, reference, heartbeat):
    asked = ("monitor", "--reference", reference, "--scored", recordings / "scored.parquet")
    code, _, err = heartbeat(*asked, *_paths(recordings)[1:])
    assert (code, err.count("\n")) == (2, 1)
    assert "100: scored, but not named as a recording" in err
    code, _, err = heartbeat(*asked, *_paths(recordings), recordings / "300")
    assert code == 2
    assert "300: not scored" in err


@pytest.fixture
def copied(recordings, tmp_path):
    """Recording 100 in two folders, as an EDF file and as its rows."""
    for folder in ("in/a", "in/b"):
        (tmp_path / folder).mkdir(parents=True)
        for end in ("hea", "dat"):
            shutil.copy(recordings / f"100.{end}", tmp_path / folder)
    signal = read_signal(recordings / "100")
    leads = [EdfSignal(lead, 360, physical_dimension="mV", label="ECG") for lead in signal.millivolts.T.astype(float)]
    Edf(leads).write(tmp_path / "pat 1.edf")
    scored = pd.read_parquet(recordings / "scored.parquet")
    return tmp_path, scored[scored["record"] == "100"]


def on_one_line(told):
    return " ".join(told.split())


def test_recordings_are_named_as_scoring_names_them(copied, reference, heartbeat):
    folder, rows = copied
    nested = folder / "nested"
    for name in ("a/100", "b/100"):
        with open_output(nested / f"{name}.parquet", "parquet") as write:
            write(rows.assign(record=name), name, 360.0)
    asked = ("monitor", "--reference", reference, "--scored")
    paths = [folder / "in" / name for name in ("a/100", "b/100")]
    of_paths, of_folder = heartbeat(*asked, nested, *paths), heartbeat(*asked, nested, folder / "in")
    assert f"{2 * len(rows)} beats of 2 recordings" in on_one_line(of_paths[1])
    assert of_paths[:2] == of_folder[:2]
    edf = folder / "edf.parquet"
    rows.assign(record="pat 1.edf").to_parquet(edf)
    code, told, err = heartbeat(*asked, edf, folder / "pat 1.edf")
    assert f"{len(rows)} beats of 1 recordings" in on_one_line(told), err

    one = folder / "one.parquet"
    rows.to_parquet(one)
    code, _, err = heartbeat(*asked, one, *paths)
    assert (code, err.count("\n")) == (2, 1)
    assert f"100: may be {paths[0]} or {paths[1]}" in err
    code, _, err = heartbeat(*asked, one, "--scored", one, paths[0])
    assert (code, err.count("\n")) == (2, 1)
    assert "100 is in another table, too" in err


def test_recordings_without_beats_are_counted(copied, reference, heartbeat):
    folder, rows = copied
    table = folder / "silent.parquet"
    with open_output(table, "parquet") as write:
        write(rows.assign(record="a/100"), "a/100", 360.0)
        write(rows.iloc[:0], "b/100", 360.0)
    _, told, err = heartbeat("monitor", "--reference", reference, "--scored", table, folder / "in")
    assert f"{len(rows)} beats of 2 recordings, 1 without beats" in on_one_line(told), err


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("record", 100),
        ("record", None),
        ("sample", "12"),
        ("sample", 1.5),
        ("time_s", "1"),
        ("predicted", 1),
        ("p_V", "1"),
    ],
)
def test_columns_of_another_kind(recordings, reference, heartbeat, tmp_path, column, value):
    path = tmp_path / "kind.parquet"
    pd.read_parquet(recordings / "scored.parquet").assign(**{column: value}).to_parquet(path)
    code, _, err = heartbeat("monitor", "--reference", reference, "--scored", path, *_paths(recordings))
    assert (code, err.count("\n")) == (2, 1)
    assert f"{path}: the column {column} is not" in err


def test_an_output_that_is_a_folder_is_found_before_the_work(recordings, reference, heartbeat, tmp_path):
    for command, option in (("profile", "--out"), ("monitor", "--out"), ("monitor", "--html")):
        code, _, err = heartbeat(command, option, tmp_path, "--scored", tmp_path / "none", recordings / "100")
        assert (code, err.count("\n")) == (2, 1)
        assert f"{tmp_path}: is a folder" in err


def test_a_reference_that_there_is_not(recordings, heartbeat, tmp_path):
    asked = ("--scored", recordings / "scored.parquet", *_paths(recordings))
    code, _, err = heartbeat("monitor", "--reference", tmp_path / "none.json", *asked)
    assert (code, err.count("\n")) == (2, 1)
    assert "make one with `heartbeat profile`" in err
