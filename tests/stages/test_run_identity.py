"""The key of a run changes with all that decides a training's outcome, the code of the network included."""

import dataclasses
import shutil

import pytest

from pipeline.stages import run_identity
from pipeline.stages.run_identity import run_key


def key_with(config, data, section="train", **values):
    changed = getattr(config, section).model_copy(update=values)
    return run_key(config.model_copy(update={section: changed}), "kaggle", data)


def test_a_key_is_of_settings_and_data(config, data):
    same = key_with(config, data)
    moved = data.beats.assign(side=data.beats.side.replace({"validation": "train"}))
    keys = {
        same,
        run_key(config, "interpatient", data),
        key_with(config, data, seed=99),
        key_with(config, data, "model", architecture="context"),
        run_key(config, "kaggle", dataclasses.replace(data, beats_md5="1" * 32)),
        run_key(config, "kaggle", dataclasses.replace(data, beats=moved)),
    }
    assert len(keys) == 6
    context = config.model_copy(update={"model": config.model.model_copy(update={"architecture": "context"})})
    other = context.train.variation.kaggle.model_copy(update={"lead_swap": 0.9})
    varied = context.train.variation.model_copy(update={"kaggle": other})
    changed = context.model_copy(update={"train": context.train.model_copy(update={"variation": varied})})
    assert run_key(changed, "kaggle", data) != run_key(context, "kaggle", data)
    assert run_key(changed, "interpatient", data) == run_key(context, "interpatient", data)
    assert key_with(config, data, "download", workers=3) == same


@pytest.mark.parametrize("edit", ["changed", "added", "renamed"])
def test_a_key_is_of_the_networks_code(config, data, tmp_path, monkeypatch, edit):
    code = tmp_path / "model"
    shutil.copytree(run_identity._CODE, code, ignore=shutil.ignore_patterns("__pycache__"))
    before = run_key(config, "kaggle", data)
    monkeypatch.setattr(run_identity, "_CODE", code)
    assert run_key(config, "kaggle", data) == before
    file = code / "architectures.py"
    if edit == "changed":
        file.write_text(file.read_text().replace("relu", "gelu"))
    elif edit == "added":
        (code / "layers").mkdir()
        (code / "layers" / "attention.py").write_text("")
    else:
        file.rename(code / "networks.py")
    assert run_key(config, "kaggle", data) != before


@pytest.mark.parametrize("library", ["keras", "tensorflow"])
def test_a_key_is_of_the_libraries(config, data, monkeypatch, library):
    before = run_key(config, "kaggle", data)
    version = run_identity.metadata.version
    monkeypatch.setattr(run_identity.metadata, "version", lambda name: "0.1" if name == library else version(name))
    assert run_key(config, "kaggle", data) != before


def test_a_key_is_of_the_code_that_makes_the_inputs(config, data, tmp_path, monkeypatch):
    before = run_key(config, "kaggle", data)
    changed = []
    for number, path in enumerate(run_identity._INPUT_CODE):
        copy = tmp_path / str(number) / path.name
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            copy.parent.mkdir()
            shutil.copy(path, copy)
        edited = next(copy.glob("r*.py")) if path.is_dir() else copy
        edited.write_bytes(edited.read_bytes() + b"#")
        others = [copy if place == number else each for place, each in enumerate(run_identity._INPUT_CODE)]
        with monkeypatch.context() as patch:
            patch.setattr(run_identity, "_INPUT_CODE", others)
            changed.append(run_key(config, "kaggle", data))
    assert "context.py" in {path.name for path in run_identity._INPUT_CODE}
    assert len({before, *changed}) == 1 + len(run_identity._INPUT_CODE)
