"""Published rows: the arithmetic over seeds, the README's tables, and that both are those of the committed run."""

import hashlib
import json
import re

import pytest
import yaml

from pipeline.config import load_config
from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.readme import replace_results
from pipeline.results import markdown, merged, summarise_runs
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
        **{f"test.{name}.support": 10.0 for name in CLASSES},
    }
    tags = {"device": "cpu" if place else "gpu x1", "git_commit": "c0ffee" * 6}
    return RunRecord(f"run{place}", params={}, metrics=metrics, tags=tags, data_digests={}, started_ms=place)


@pytest.fixture
def row(pytestconfig):
    config = load_config(pytestconfig.rootpath / "params.yaml")
    runs = [run_of(0, 0.91), run_of(1, 0.95), run_of(2, 0.92)]
    return summarise_runs(config, "kaggle", [1, 2, 3], runs)


def test_median_low_and_high_are_over_the_seeds(row):
    assert row["macro_f1"] == {"median": 0.92, "low": 0.91, "high": 0.95}
    assert row["accuracy"] == {"median": 0.98, "low": 0.98, "high": 0.98}
    assert row["train_seconds"] == {"median": 101.0, "low": 100.0, "high": 102.0}
    assert row["per_class"]["S"]["f1"] == {"median": 0.6, "low": 0.5, "high": 0.7}
    assert row["per_class"]["S"]["support"] == 10


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
    assert row["commit"] == "c0ffee" * 6


def test_new_rows_replace_their_like_and_leave_the_others(row):
    other = {**row, "architecture": "former"}
    newer = {**row, "seeds": [4]}
    assert merged([row, other], [newer]) == [other, newer]
    assert merged([], [row]) == [row]


def test_each_protocol_has_its_own_table(row):
    text = markdown([row, {**row, "protocol": "interpatient"}])
    assert text.count("| architecture |") == 2
    assert "0.9200 (0.9100 to 0.9500)" in text
    assert re.search(r"\*\*`kaggle`\*\*.*both sides.*\*\*`interpatient`\*\*.*new patient", text, re.DOTALL)


def test_only_the_section_of_the_readme_is_replaced(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n")
    for _ in range(2):
        replace_results(readme, "new \\1")
        assert readme.read_text() == "before\n<!-- results -->\n\nnew \\1\n<!-- end of results -->\nafter\n"


def test_a_readme_without_the_marks_is_left_alone(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing here")
    with pytest.raises(UserError, match=r"README\.md: put back the marks"):
        replace_results(readme, "new")
    assert readme.read_text() == "nothing here"


def test_the_readme_has_the_committed_results(pytestconfig, tmp_path):
    results = pytestconfig.rootpath / "reports" / "results.json"
    committed = (pytestconfig.rootpath / "README.md").read_text(encoding="utf-8")
    copy = tmp_path / "README.md"
    copy.write_text(committed, encoding="utf-8")
    replace_results(copy, markdown(json.loads(results.read_text(encoding="utf-8"))))
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
    stages = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))["stages"].values()
    outs = [(out["path"], out["md5"]) for stage in stages for out in stage.get("outs", [])]
    return [out for out in outs if re.match(r"reports/|data/(validation|splits)/\w+\.json", out[0])]


def test_committed_reports_are_those_of_the_lock(pytestconfig):
    root = pytestconfig.rootpath
    outs = committed_outs(root)
    assert {path for path, _ in outs} >= {"reports/kaggle", "reports/interpatient", "data/validation/beats.json"}
    for path, expected in outs:
        found = folder_md5(root / path) if (root / path).is_dir() else md5(root / path)
        assert found == expected, f"{path} is not the one of dvc.lock"
