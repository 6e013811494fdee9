"""`heartbeat score` into a folder: a part a recording, resumed after any end, with nothing scored twice or lost."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from edfio import Edf, EdfSignal

from pipeline.ecg.recordings import read_signal
from pipeline.ecg.synthetic import write_records

COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()", "score"]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Six generated recordings, two of one name in different folders."""
    root = tmp_path_factory.mktemp("many")
    write_records(root / "ward", ["100", "106", "208", "232"], 2.0, 1)
    write_records(root / "_icu", ["106", "119"], 2.0, 2)
    return root


@pytest.fixture
def score(model_file, tmp_path):
    """Run the command in a process of its own; its exit code, what it printed and where it wrote."""

    def run(*arguments, model=model_file, out=tmp_path / "out", **options):
        told = [*COMMAND, "--model", model, "--out", out, *arguments]
        ended = subprocess.run([str(each) for each in told], capture_output=True, text=True, **options)
        assert "Traceback" not in ended.stderr
        return ended.returncode, ended.stdout, ended.stderr, out

    return run


def read(out):
    return pd.read_parquet(out).sort_values(["record", "sample"], kind="stable").reset_index(drop=True)


def parts(out):
    return {path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in out.rglob("*.parquet")}


def test_a_folder_is_read_in_one_call_and_says_what_the_table_says(score, many, tmp_path):
    code, told, news, out = score(many)
    assert code == 0, news
    assert "6 recordings, a part each" in told
    assert "score 6/6" in news
    found = read(out)
    assert sorted(found.record.unique()) == ["_icu/106", "_icu/119", "ward/100", "ward/106", "ward/208", "ward/232"]
    table = tmp_path / "table.parquet"
    assert score(many / "ward", out=table)[0] == 0
    expected = pd.read_parquet(table)
    below = found[found.record.str.startswith("ward/")].reset_index(drop=True)
    below["record"] = below.record.str.removeprefix("ward/")
    pd.testing.assert_frame_equal(below, expected, check_exact=True)
    assert not found[found.record == "_icu/106"].p_N.equals(found[found.record == "ward/106"].p_N)


def test_patterns_and_paths_name_the_same_parts(score, many, tmp_path):
    one = score(str(many / "ward" / "1*"), "--workers", "1", out=tmp_path / "one")
    two = score(many / "ward" / "100", many / "ward" / "106", "--workers", "1", out=tmp_path / "two")
    assert (one[0], two[0]) == (0, 0)
    pd.testing.assert_frame_equal(read(one[3]), read(two[3]), check_exact=True)
    assert set(parts(one[3])) == {"100.parquet", "106.parquet"}


def test_a_second_run_scores_what_is_new_alone(score, many, tmp_path):
    ward = tmp_path / "ward"
    write_records(ward, ["100", "106"], 2.0, 1)
    *_, out = score(ward)
    before = parts(out)
    write_records(ward, ["208"], 2.0, 1)
    code, told, *_ = score(ward)
    assert (code, "3 recordings" in told) == (0, True)
    after = parts(out)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"208.parquet"}


def test_an_archive_that_grows_is_continued(score, tmp_path):
    archive = tmp_path / "archive"
    for number, (folder, told) in enumerate((("w1", archive), ("w2", archive), ("w3", archive / "*" / "1*")), 1):
        write_records(archive / folder, ["106"], 1.0, 1)
        code, _, err, out = score(told, "--workers", "1")
        assert code == 0, err
        assert set(parts(out)) == {f"w{each}/106.parquet" for each in range(1, number + 1)}
    refused(score(archive / "w1"), "another recordings_below")


def test_a_dot_in_a_name_makes_no_table_of_a_folder(score, many, tmp_path):
    code, _, _, out = score(many / "ward" / "100", "--workers", "1", out=tmp_path / "scored.v2")
    assert code == 0
    assert set(parts(out)) == {"100.parquet"}
    (tmp_path / "scored.csv").write_text("mine")
    refused(score(many / "ward" / "100", out=tmp_path / "scored.csv"), "scored.csv: is a file", "NAME.parquet")
    assert (tmp_path / "scored.csv").read_text() == "mine"
    refused(
        score(many / "ward" / "100", out=tmp_path / "new.csv"), "new.csv: tables are written as Parquet", "new.parquet"
    )
    assert not (tmp_path / "new.csv").exists()


def test_killed_and_run_again(score, copies, model_file, tmp_path):
    expected = read(score(copies, out=tmp_path / "expected")[3])
    out = tmp_path / "out"
    told = [*COMMAND, "--model", model_file, "--out", out, "--workers", "2", copies]
    process = subprocess.Popen([str(each) for each in told], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not parts_or_none(out):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = parts(out)
    assert len(before) < 100, "killed too late to show anything"
    (out / "patient099" / ".106.parquet.x.part").parent.mkdir(exist_ok=True)
    (out / "patient099" / ".106.parquet.x.part").write_bytes(b"half")
    assert score(copies, out=out)[0] == 0
    after = parts(out)
    assert {name: after[name] for name in before} == before
    pd.testing.assert_frame_equal(read(out), expected, check_exact=True)
    assert len(expected) == 100 * (expected.record == "patient000/106").sum()
    assert not list(out.rglob(".*.part"))


def parts_or_none(out):
    return parts(out) if out.exists() else {}


def test_workers_end_with_a_killed_parent(copies, model_file, tmp_path):
    told = [*COMMAND, "--model", model_file, "--out", tmp_path / "out", "--workers", "2", copies]
    process = subprocess.Popen([str(each) for each in told], stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while not parts_or_none(tmp_path / "out"):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    while session_members(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def session_members(session):
    members = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            members.append(process.name)
    return members


def test_what_cannot_be_read_is_set_aside(score, many, write_signal, tmp_path):
    wave = np.random.default_rng(0).normal(size=(4000, 2))
    write_signal("nan", np.full((4000, 2), np.nan))
    write_signal("slow", wave[:30], fs_hz=1.0)
    write_signal("flat", np.ones((4000, 2)))
    write_signal("railed", np.clip(wave * 100, -5, 5))
    write_signal("one", np.ones((1, 1)))
    write_signal("twelve", np.tile(wave, (1, 6)))
    write_signal("cut", wave)
    (tmp_path / "cut.dat").write_bytes((tmp_path / "cut.dat").read_bytes()[:99])
    (tmp_path / "junk.hea").write_text("no header\n")
    (tmp_path / "junk.edf").write_bytes(b"no EDF")
    code, _, err, out = score("--detect", "--workers", "1", tmp_path)
    errors = pd.read_csv(out / "_errors.csv").set_index("record").reason
    assert code == 2
    assert err.splitlines()[-1].startswith(f"error: {out / '_errors.csv'}: 4 of 9 recordings set aside")
    assert sorted(errors.index) == ["cut", "junk", "junk.edf", "slow"]
    assert "cut.dat: has 99 bytes" in errors["cut"]
    assert "sampled at 1 Hz" in errors["slow"]
    assert set(parts(out)) == {f"{name}.parquet" for name in ("nan", "flat", "railed", "one", "twelve")}
    assert "twelve: " in err
    assert "(2 of 12 leads read)" in err
    for name in ("cut", "junk", "slow"):
        (tmp_path / f"{name}.hea").unlink()
    (tmp_path / "junk.edf").unlink()
    assert score("--detect", tmp_path)[0] == 0
    assert not (out / "_errors.csv").exists()


def test_nothing_valid_is_set_aside_where_there_are_beats(score, many, write_signal, tmp_path):
    path = write_signal("nan", np.full((43_200, 2), np.nan))
    (tmp_path / "nan.atr").write_bytes((many / "ward" / "106.atr").read_bytes())
    code, _, err, out = score(path)
    assert code == 2
    assert "no valid sample in the first two leads" in pd.read_csv(out / "_errors.csv").reason[0]
    assert "1 of 1 recordings set aside" in err.splitlines()[-1]


def refused(result, *words):
    code, _, err, _ = result
    assert code == 2
    assert err.splitlines()[-1].startswith("error: ")
    for word in words:
        assert word in err.splitlines()[-1]


def test_parts_made_otherwise_are_not_mixed(score, many, model_file, tmp_path):
    ward = many / "ward" / "100"
    *_, out = score(ward)
    before = parts(out)
    refused(score("--streaming", ward), "another streaming", "--out")
    refused(score("--annotator", "atr", ward), "another beats")
    refused(score(many / "_icu" / "106"), "another recordings_below")
    released = Path(__file__).parents[2] / "models" / "released" / "interpatient" / "model.onnx"
    refused(score(ward, model=released), "another model_sha256")
    assert parts(out) == before
    manifest = json.loads((out / "_manifest.json").read_text())
    assert manifest["recordings_below"] == str(many / "ward")
    (out / "_manifest.json").write_text("{")
    refused(score(ward), "_manifest.json: cannot be read")


def test_a_folder_of_other_things_is_left_alone(score, many, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("")
    refused(score(many), "other things in it (thesis.txt)")
    assert [each.name for each in (tmp_path / "out").iterdir() if not each.name.startswith("_")] == ["thesis.txt"]


def test_what_cannot_be_understood_is_one_line(score, many, tmp_path):
    (tmp_path / "empty").mkdir()
    refused(score(tmp_path / "empty"), "holds no recording")
    refused(score(tmp_path / "nothing*"), "matches no recording")
    refused(score(many, model=tmp_path / "no.onnx"), "no.onnx: not found")
    refused(score("--workers", "2", many, out=tmp_path / "one.parquet"), "name a folder with --out")
    refused(score("--ray-address", "auto", many), "--engine ray")
    refused(score("--engine", "ray", "--workers", "2", many), "--workers")


def test_a_full_disk_ends_it_and_keeps_what_is_there(score, many, tmp_path):
    small = tmp_path / "small"
    *_, out = score(many / "ward" / "100", out=small)
    size = (out / "100.parquet").stat().st_size

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    # Coverage's own file would meet the limit, too.
    uncovered = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    result = score(many / "ward", "--workers", "1", preexec_fn=limit, env=uncovered)
    refused(result, "cannot be written")
    assert not list(result[3].rglob("*.part"))
    assert score(many / "ward")[0] == 0
    assert len(parts(tmp_path / "out")) == 4


def test_an_edf_file_is_scored_like_the_record(score, many, tmp_path):
    signal_ = read_signal(many / "ward" / "106")
    millivolts = signal_.millivolts.astype(float)
    leads = [
        EdfSignal(millivolts[:, lead] * 1000, 360, label=label, physical_dimension="uV", physical_range=(-5120, 5115))
        for lead, label in ((0, "ECG II"), (1, "ECG V1"))
    ]
    breath = EdfSignal(np.zeros(len(millivolts) // 36), 10, label="Resp")
    Edf([breath, *leads]).write(tmp_path / "106.edf")
    (tmp_path / "106.atr").write_bytes((many / "ward" / "106.atr").read_bytes())
    code, _, news, out = score(tmp_path)
    assert code == 0, news
    assert "(2 of 3 leads read)" in news
    from_edf = read(out)
    assert set(from_edf.record) == {"106.edf"}
    expected = pd.read_parquet(score(many / "ward" / "106", out=tmp_path / "one.parquet")[3])
    np.testing.assert_array_equal(from_edf["sample"], expected["sample"])
    np.testing.assert_allclose(from_edf.filter(like="p_"), expected.filter(like="p_"), atol=0.02)
    content = (tmp_path / "106.edf").read_bytes()
    (tmp_path / "106.edf").write_bytes(content[:-1000])
    code, _, _, out = score(tmp_path / "106.edf", out=tmp_path / "again")
    assert code == 2
    assert "106.edf: not a whole EDF file" in pd.read_csv(out / "_errors.csv").reason[0]
