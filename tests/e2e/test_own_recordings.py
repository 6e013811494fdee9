"""README's section on one's own recordings, word for word, on records that it names."""

import re
import shutil
import sys

import pytest
import yaml

from pipeline.ecg.beats import read_beats
from pipeline.ecg.synthetic import write_records
from pipeline.stages import download, entry, segment, split, validate_beats, validate_records

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def files_of(readme):
    """The files that the section's block shows: a name, then the content in a column of its own."""
    block = re.search(r"## Your own recordings\n.*?```\n(.*?)```", readme, re.DOTALL)[1]
    column = block.index("name:")
    files = {}
    for line in block.splitlines():
        if line[:column].strip():
            files[line[:column].strip()] = lines = []
        lines.append(line[column:])
    return {name: "\n".join([*content, ""]) for name, content in files.items()}


@pytest.fixture
def folder(tmp_path, pytestconfig, monkeypatch):
    """A folder in which the user did what README says."""
    files = files_of((pytestconfig.rootpath / "README.md").read_text(encoding="utf-8"))
    assert list(files) == ["facts/dataset.yaml", "facts/records.csv", "params.yaml"]
    params = yaml.safe_load((pytestconfig.rootpath / "params.yaml").read_text(encoding="utf-8"))
    changed = yaml.safe_load(files.pop("params.yaml"))
    assert changed.keys() <= params.keys()
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params | changed), encoding="utf-8")
    (tmp_path / "facts").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    shutil.copytree(pytestconfig.rootpath / "data" / "own", tmp_path / "data" / "own")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path


def run(monkeypatch, stage, *arguments):
    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    (entry.run_protocol_stage if arguments else entry.run_stage)(stage.main)


def test_what_readme_says_of_ones_own_recordings_works(folder, monkeypatch):
    write_records(folder / "data" / "own", ["rec01", "rec02", "rec03"], minutes=1.0, seed=1)
    for stage in (download, validate_records, segment, validate_beats):
        run(monkeypatch, stage)
    for protocol in ("kaggle", "interpatient"):
        run(monkeypatch, split, protocol)
    assert sorted({path.stem for path in entry.RAW.iterdir()}) == ["rec01", "rec02", "rec03"]
    beats = read_beats(entry.BEATS, ["record", "aami"])
    assert beats.record.unique().tolist() == ["rec01", "rec02", "rec03"]


def test_a_folder_in_data_raw_is_named_and_stays(folder, monkeypatch, capsys):
    write_records(folder / "data" / "own", ["rec01", "rec02", "rec03"], minutes=0.5, seed=1)
    (entry.RAW / "notes").mkdir(parents=True)
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, download)
    assert ended.value.code == 2
    assert "data/raw/notes: a folder, where only recordings belong" in capsys.readouterr().err
    assert [path.name for path in entry.RAW.iterdir()] == ["notes"]
