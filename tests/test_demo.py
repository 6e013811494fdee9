"""The demonstration takes only a folder that is its own, and shows the same whatever params.yaml is set to."""

import shutil
from types import SimpleNamespace

import pytest
import yaml

from pipeline import demo
from pipeline.config import load_config
from pipeline.errors import UserError


@pytest.fixture
def project(tmp_path, pytestconfig):
    """As much of a checkout as the demonstration copies; its params may be changed."""
    folder = tmp_path / "checkout"
    (folder / "pipeline").mkdir(parents=True)
    for name in ("params.yaml", "dvc.yaml", ".dvcignore", "data/own/README.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pytestconfig.rootpath / name, folder / name)
    for name in (".dvc/plots", "data/reference/synthetic"):
        shutil.copytree(pytestconfig.rootpath / name, folder / name)
    return folder


@pytest.fixture(autouse=True)
def _without_running(monkeypatch):
    monkeypatch.setattr(demo, "subprocess", SimpleNamespace(run=lambda *_, **__: SimpleNamespace(returncode=0)))
    monkeypatch.setattr(demo, "_tell", lambda _: None)


def change(project, **sections):
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text())
    for section, values in sections.items():
        params[section] = params[section] | values if isinstance(values, dict) else values
    path.write_text(yaml.safe_dump(params))


@pytest.mark.parametrize("name", ["notes.txt", "pipeline"])
def test_a_folder_that_holds_something_else_is_left_alone(project, tmp_path, name):
    workspace = tmp_path / "mine"
    (workspace / name).mkdir(parents=True)
    (workspace / name / "work").write_text("of weeks")
    with pytest.raises(UserError, match=r"mine: holds files that no demonstration made; .*--workspace"):
        demo.run_demo(project, workspace, quick=True)
    assert [path.relative_to(workspace).as_posix() for path in workspace.rglob("*")] == [name, f"{name}/work"]


def test_a_file_in_place_of_the_folder_is_named(project, tmp_path):
    (tmp_path / "mine").write_text("of weeks")
    with pytest.raises(UserError, match=r"mine: a file; name a folder"):
        demo.run_demo(project, tmp_path / "mine", quick=True)


def test_a_demonstration_goes_on_in_its_own_folder(project, tmp_path):
    workspace = tmp_path / "demo"
    workspace.mkdir()
    for _ in range(2):
        demo.run_demo(project, workspace, quick=True)
    assert (workspace / "data/own/README.md").exists()


def test_params_that_were_changed_meanwhile_do_not_reach_it(project, tmp_path):
    change(
        project,
        data={"source": "wfdb", "folder": "mine"},
        protocols=["interpatient"],
        evaluate={"sides": ["validation"]},
        train={"device": "gpu", "precision": "mixed_float16"},
    )
    demo.run_demo(project, tmp_path / "demo", quick=False)
    config = load_config(tmp_path / "demo" / "params.yaml")
    assert (config.data.source, config.data.folder) == ("synthetic", "data/own")
    assert config.protocols == ["kaggle", "interpatient"]
    assert config.evaluate.sides == ["validation", "test"]
    assert (config.train.device, config.train.precision) == ("auto", "auto")
    assert config.train.epochs == demo.DEMO_SETTINGS["train"]["epochs"]
    assert (config.model.context.members, config.model.context.dropout) == (1, 0.3)


@pytest.mark.parametrize("content", ["data: [", "", "data: {source: mitdb}\n"])
def test_params_that_are_wrong_are_named(project, tmp_path, content):
    (project / "params.yaml").write_text(content)
    with pytest.raises(UserError, match=r"checkout/params\.yaml"):
        demo.run_demo(project, tmp_path / "demo", quick=True)
