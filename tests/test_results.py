"""Published rows: the arithmetic over seeds, the README's tables, and that both are those of the committed run."""

import hashlib
import json
import re
import shutil

import pytest
import yaml

from pipeline import results
from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.readme import replace_results
from pipeline.results import markdown, merged, publish, summarise_runs
from pipeline.tracking.lookup import RunRecord

SCORES = ("precision", "recall", "f1")


def run_of(place, macro_f1):
    metrics = {
        "parameters": 168_000.0,
        "train_seconds": 100.0 + place,
        "test.accuracy": 0.98,
        "test.macro_f1": macro_f1,
        "test.weighted_f1": 0.97,
        "validation.macro_f1": 0.9,
        **{f"test.{name}.{score}": 0.5 + place / 10 for name in CLASSES for score in SCORES},
        "test.N.f1": 0.9,
        **{f"test.{name}.support": 10.0 for name in CLASSES},
    }
    tags = {
        "device": "cpu" if place else "gpu x1",
        "git_commit": "c0ffee" * 6,
        "input": "row",
        "architecture": "reference",
        "test_digest": "t1",
    }
    return RunRecord(f"run{place}", params={}, metrics=metrics, tags=tags, data_digests={}, started_ms=place)


@pytest.fixture
def row():
    runs = [run_of(0, 0.91), run_of(1, 0.95), run_of(2, 0.92)]
    return summarise_runs("MIT-BIH", "kaggle", [1, 2, 3], runs)


def test_median_low_and_high_are_over_the_seeds(row):
    assert row["macro_f1"] == {"median": 0.92, "low": 0.91, "high": 0.95}
    assert row["accuracy"] == {"median": 0.98, "low": 0.98, "high": 0.98}
    assert row["train_seconds"] == {"median": 101.0, "low": 100.0, "high": 102.0}
    assert row["per_class"]["S"]["f1"] == {"median": 0.6, "low": 0.5, "high": 0.7}
    assert row["per_class"]["S"]["support"] == 10
    assert row["macro_f1_nsv"]["high"] == pytest.approx((0.9 + 0.7 + 0.7) / 3)


def test_a_row_says_what_it_is_of(row):
    told = {key: row[key] for key in ("protocol", "input", "architecture", "side", "seeds", "parameters", "run_ids")}
    assert told == {
        "protocol": "kaggle",
        "input": "row",
        "architecture": "reference",
        "side": "test",
        "seeds": [1, 2, 3],
        "parameters": 168_000,
        "run_ids": ["run0", "run1", "run2"],
    }
    assert row["device"] == ["cpu", "gpu x1"]
    assert row["commits"] == ["c0ffee" * 6]
    assert (row["data"], row["test_digest"]) == ("MIT-BIH", "t1")


def test_a_row_names_the_commit_of_each_run():
    runs = [run_of(place, 0.9) for place in range(3)]
    runs[1].tags["git_commit"] = "beef" * 9
    row = summarise_runs("MIT-BIH", "kaggle", [1, 2, 3], runs)
    assert row["commits"] == ["c0ffee" * 6, "beef" * 9]
    assert "| `c0ffeec0ff`, `beefbeefbe` |" in markdown([row])


def test_new_rows_replace_their_like_and_leave_the_others(row):
    other = {**row, "architecture": "former"}
    newer = {**row, "seeds": [4]}
    assert merged([row, other], [newer]) == [other, newer]
    assert merged([], [row]) == [row]


def test_rows_on_other_beats_are_no_like(row):
    others = [{**row, "data": "mine"}, {**row, "protocol": "interpatient", "test_digest": "t9"}]
    assert merged(others, [row]) == [*others, row]
    stale = {**row, "architecture": "former", "test_digest": "t0"}
    assert merged([stale, *others], [row]) == [*others, row]


def test_each_protocol_has_its_own_table(row):
    text = markdown([row, {**row, "protocol": "interpatient"}])
    assert text.count("| architecture |") == 2
    assert "0.9200 (0.9100 to 0.9500)" in text
    assert re.search(r"\*\*`kaggle`\*\*.*both sides.*\*\*`interpatient`\*\*.*new patient", text, re.DOTALL)


def test_only_the_section_of_the_readme_is_replaced(row, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n")
    for _ in range(2):
        replace_results(readme, markdown([row]))
        text = readme.read_text()
        assert text.startswith("before\n<!-- results -->\n")
        assert text.endswith("<!-- end of results -->\nafter\n")
        assert "old" not in text
        assert text.count("| reference |") == 1


def test_a_readme_without_the_marks_is_left_alone(row, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing here")
    with pytest.raises(UserError, match=r"README\.md: put back the marks"):
        replace_results(readme, markdown([row]))
    assert readme.read_text() == "nothing here"


@pytest.fixture
def checkout(tmp_path, monkeypatch, pytestconfig):
    """A folder in which rows can be published, with a store that has every run, all of a commit."""
    shutil.copy(pytestconfig.rootpath / "params.yaml", tmp_path)
    shutil.copytree(pytestconfig.rootpath / "data" / "reference", tmp_path / "data" / "reference")
    (tmp_path / "README.md").write_text("<!-- results -->\nold\n<!-- end of results -->\n")
    (tmp_path / "reports").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(results, "load_protocol", lambda _: None)
    monkeypatch.setattr(results, "run_key", lambda config, protocol, _: f"{protocol} {config.train.seed}")
    monkeypatch.setattr(results, "open_store", lambda _: None)
    monkeypatch.setattr(results, "git_tags", lambda _: {"git_commit": "c0ffee", "git_dirty": "false"})
    monkeypatch.setattr(results.subprocess, "run", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(results, "finished_runs", lambda *_: [run_of(0, 0.91)])
    return tmp_path


def set_data(checkout, **values):
    params = yaml.safe_load((checkout / "params.yaml").read_text())
    params["data"] |= values
    (checkout / "params.yaml").write_text(yaml.safe_dump(params))


def test_finished_runs_are_published(checkout):
    publish([1, 2], ["reference"])
    rows = json.loads((checkout / "reports" / "results.json").read_text())
    assert [(row["data"], row["protocol"]) for row in rows] == [
        ("MIT-BIH Arrhythmia Database 1.0.0", "kaggle"),
        ("MIT-BIH Arrhythmia Database 1.0.0", "interpatient"),
    ]
    assert (checkout / "README.md").read_text().count("| reference |") == 2


def test_what_is_published_is_told_by_protocol(checkout, monkeypatch):
    asked = []
    monkeypatch.setattr(
        results, "run_key", lambda config, protocol, _: asked.append((protocol, config.model.architecture))
    )
    publish([1])
    rows = [("kaggle", name) for name in ("reference", "residual", "context")]
    assert asked == [*rows, ("interpatient", "reference"), ("interpatient", "context")]
    asked.clear()
    publish([1], ["residual"])
    assert asked == [("kaggle", "residual"), ("interpatient", "residual")]


def test_rows_of_one_protocol_leave_the_other_alone(checkout):
    publish([1, 2], ["reference"])
    publish([1], ["reference"], ["kaggle"])
    rows = json.loads((checkout / "reports" / "results.json").read_text())
    assert {row["protocol"]: row["seeds"] for row in rows} == {"kaggle": [1], "interpatient": [1, 2]}


def test_rows_of_other_data_leave_the_readme_alone(checkout):
    publish([1], ["reference"])
    before = (checkout / "README.md").read_bytes()
    set_data(checkout, source="synthetic", dataset="data/reference/synthetic")
    publish([1, 2], ["reference"])
    rows = json.loads((checkout / "reports" / "results.json").read_text())
    assert [row["seeds"] for row in rows] == [[1], [1], [1, 2], [1, 2]]
    assert (checkout / "README.md").read_bytes() == before


def test_a_run_that_is_not_all_of_a_commit_is_not_published(checkout, monkeypatch):
    def found(_store, _protocol, tags):
        return [run_of(0, 0.91)] if tags.get("git_dirty") != "false" else []

    monkeypatch.setattr(results, "finished_runs", found)
    monkeypatch.setattr(results, "git_tags", lambda _: {"git_commit": "c0ffee", "git_dirty": "true"})
    with pytest.raises(UserError, match="not all is committed"):
        publish([1], ["reference"])
    assert not (checkout / "reports" / "results.json").exists()


@pytest.mark.parametrize("content", ["<<<<<<< HEAD\n[]", '[{"protocol": "kaggle"}]', "{}x", '{"a": 1}', "3"])
def test_a_damaged_file_is_found_before_any_training(checkout, monkeypatch, content):
    (checkout / "reports" / "results.json").write_text(content)
    monkeypatch.setattr(results, "finished_runs", lambda *_: pytest.fail("too late"))
    with pytest.raises(UserError, match=r"reports/results\.json: damaged"):
        publish([1], ["reference"])


def test_a_readme_without_the_marks_is_found_before_any_training(checkout, monkeypatch):
    (checkout / "README.md").write_text("nothing here")
    monkeypatch.setattr(results, "finished_runs", lambda *_: pytest.fail("too late"))
    with pytest.raises(UserError, match=r"README\.md: put back the marks"):
        publish([1], ["reference"])


def test_the_readme_has_the_committed_results(pytestconfig, tmp_path):
    file = pytestconfig.rootpath / "reports" / "results.json"
    committed = (pytestconfig.rootpath / "README.md").read_text(encoding="utf-8")
    copy = tmp_path / "README.md"
    copy.write_text(committed, encoding="utf-8")
    replace_results(copy, markdown(json.loads(file.read_text(encoding="utf-8"))))
    assert copy.read_text(encoding="utf-8") == committed


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def folder_md5(folder):
    """DVC's hash of a folder: the MD5 of its list of files, as JSON."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listed = [{"md5": md5(path), "relpath": path.relative_to(folder).as_posix()} for path in files]
    return hashlib.md5(json.dumps(sorted(listed, key=lambda file: file["relpath"])).encode()).hexdigest() + ".dir"


def committed_outs(root):
    """The outputs that Git keeps and DVC does not, as (path, hash in dvc.lock)."""
    lock = root / "dvc.lock"
    if not lock.exists():
        return []
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"].values()
    outs = [(out["path"], out["md5"]) for stage in stages for out in stage.get("outs", [])]
    return [out for out in outs if re.match(r"reports/|data/(validation|splits)/\w+\.json", out[0])]


def test_committed_reports_are_those_of_the_lock(pytestconfig):
    root = pytestconfig.rootpath
    outs = committed_outs(root)
    assert {path for path, _ in outs} >= {"reports/kaggle", "reports/interpatient", "data/validation/beats.json"}
    for path, expected in outs:
        found = folder_md5(root / path) if (root / path).is_dir() else md5(root / path)
        assert found == expected, f"{path} is not the one of dvc.lock"
