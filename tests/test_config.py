"""params.yaml: the committed one is accepted, and anything odd in it is named by file, key and what is allowed."""

import re

import pytest
import yaml
from dvc.utils.serialize import load_yaml
from pydantic import ValidationError

from pipeline.config import load_config
from pipeline.errors import UserError
from pipeline.plain_yaml import parse_yaml
from pipeline.stages.published_run import published_config


@pytest.fixture
def committed(pytestconfig):
    return yaml.safe_load((pytestconfig.rootpath / "params.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def load(tmp_path, committed):
    """The committed params with changes as {dotted key: value}; None takes a key out."""

    def load_changed(changes):
        for key, value in changes.items():
            *sections, name = key.split(".")
            place = committed
            for section in sections:
                place = place[section]
            if value is None:
                del place[name]
            else:
                place[name] = value
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(committed), encoding="utf-8")
        return load_config(path)

    return load_changed


def test_the_committed_params_are_accepted(pytestconfig, committed):
    config = load_config(pytestconfig.rootpath / "params.yaml")
    assert config.model_dump() == committed


def test_the_config_is_frozen(load):
    config = load({})
    with pytest.raises(ValidationError, match="frozen"):
        config.train.epochs = 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"train.epoch": 3}, r"train\.epoch: unknown key \(allowed: seed, epochs, patience, .*variation\)"),
        ({"trian": {}}, r"trian: unknown key \(allowed: data, download, .*promotion\)"),
        ({"train.patience": None}, r"train\.patience: missing; add it"),
        ({"split": None}, r"split: missing; add it"),
        ({"train.epochs": "14"}, r"train\.epochs: .*valid integer, not '14'"),
        ({"train.epochs": 1.5}, r"train\.epochs: .*integer.*not 1\.5"),
        ({"train.epochs": True}, r"train\.epochs: .*integer, not True"),
        ({"train.epochs": 0}, r"train\.epochs: .*greater than or equal to 1, not 0"),
        ({"train.context.learning_rate": float("nan")}, r"train\.context\.learning_rate: .*not nan"),
        ({"train.deterministic": "yes"}, r"train\.deterministic: .*boolean, not 'yes'"),
        ({"train.device": "tpu"}, r"train\.device: .*'auto', 'cpu' or 'gpu', not 'tpu'"),
        ({"model.reference.filters": [64, 0]}, r"model\.reference\.filters\.1: .*greater than or equal to 1, not 0"),
        ({"model.reference.filters": []}, r"model\.reference\.filters: .*at least 1 item"),
        ({"model.context.dropout": 1.0}, r"model\.context\.dropout: .*less than 1, not 1\.0"),
        (
            {"model.architecture": "transformer"},
            r"model\.architecture: .*'residual' or 'context', not 'transformer'",
        ),
        ({"data.source": "physionet"}, r"data\.source: .*'mitdb', 'synthetic', 'wfdb' or 'kaggle_csv'"),
        (
            {"train.variation.interpatient.patients_an_epoch": 0},
            r"train\.variation\.interpatient: .*patients_an_epoch: 0 of synthetic_patients: 192; make it at least 1",
        ),
        (
            {"train.variation.kaggle.patients_an_epoch": 2},
            r"train\.variation\.kaggle: .*patients_an_epoch: 2 of synthetic_patients: 0; .*or both 0",
        ),
        ({"evaluate.sides": ["train"]}, r"evaluate\.sides\.0: .*'validation' or 'test', not 'train'"),
        ({"protocols": "kaggle"}, r"protocols: .*list, not 'kaggle'"),
        ({"split.validation_fraction": 0.5}, r"split\.validation_fraction: .*less than 0\.5"),
        ({"data.folder": ""}, r"data\.folder: .*at least 1 character"),
        ({"protocols": ["kaggle", "kaggle"]}, r"protocols: kaggle stands twice"),
        ({"protocols": []}, r"protocols: .*at least 1 item"),
        ({"evaluate.sides": ["validation", "validation"]}, r"evaluate\.sides: validation stands twice"),
        ({"evaluate.sides": ["test"]}, r"evaluate\.sides: validation must be among them"),
        ({"evaluate.sides": []}, r"evaluate\.sides: validation must be among them"),
        ({"train.seed": 2**32}, r"train\.seed: .*less than 4294967296"),
        ({"split.seed": 2**40}, r"split\.seed: .*less than 4294967296"),
        ({"synthetic.seed": -1}, r"synthetic\.seed: .*greater than or equal to 0"),
        (
            {"data.source": "kaggle_csv", "data.folder": "csv"},
            r"the file: source kaggle_csv names no patients: set protocols: \[kaggle\]",
        ),
    ],
)
def test_what_is_odd_is_named(load, changes, complaint):
    with pytest.raises(UserError, match=rf"params\.yaml: {complaint}") as caught:
        load(changes)
    assert "\n" not in str(caught.value)


def test_every_oddity_is_told_at_once(load):
    with pytest.raises(UserError, match=r"train\.epochs: .*; evaluate\.side: unknown key"):
        load({"train.epochs": 0, "evaluate.side": []})


@pytest.mark.parametrize("architecture", ["reference", "residual"])
def test_rows_without_patients_go_with_kaggle_alone(load, architecture):
    rows = {"data.source": "kaggle_csv", "data.folder": "csv", "model.architecture": architecture}
    assert load(rows | {"protocols": ["kaggle"]}).protocols == ["kaggle"]


def test_another_seed_is_checked_as_the_first(load):
    config = load({"evaluate.sides": ["validation"]})
    other = published_config(config, "context", 7)
    assert (other.train.seed, other.evaluate.sides) == (7, ["validation", "test"])
    assert (config.train.seed, config.evaluate.sides) == (1, ["validation"])
    with pytest.raises(UserError, match=r"seed -1: train\.seed: .*greater than or equal to 0, not -1"):
        published_config(config, "reference", -1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"train: {epochs: 3\nmodel:\n", r"params\.yaml, line \d: not valid YAML"),
        (b"data:\n\tsource: mitdb\n", r"params\.yaml, line 2: not valid YAML"),
        (b"", r"params\.yaml: the file: .*not None"),
        (b"- mitdb\n", r"params\.yaml: the file: .*not \['mitdb'\]"),
        (b"data: \xff\xfe\n", r"params\.yaml: not UTF-8"),
    ],
)
def test_a_file_of_another_form(tmp_path, content, complaint):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        load_config(path)


def with_text(pytestconfig, tmp_path, key, value):
    """The committed file with the value as somebody might type it, without quotes."""
    text = (pytestconfig.rootpath / "params.yaml").read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(re.sub(rf"\b{key}: \S+", f"{key}: {value}", text), encoding="utf-8")
    return path


@pytest.mark.parametrize(("value", "read"), [("1e-3", 1e-3), ("5e-05", 5e-5), ("2E-3", 2e-3), ("1.e-3", 1e-3)])
def test_a_learning_rate_may_be_written_as_dvc_writes_it(pytestconfig, tmp_path, value, read):
    path = with_text(pytestconfig, tmp_path, "learning_rate", value)
    assert load_config(path).train.context.learning_rate == read


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("deterministic", "yes", r"train\.deterministic: .*boolean, not 'yes'"),
        ("minutes", "2024-13-45", r"synthetic\.minutes: .*number, not '2024-13-45'"),
        ("minutes", "!!float ten", "not valid YAML"),
        ("minutes", "12:30", r"synthetic\.minutes: .*number, not '12:30'"),
    ],
)
def test_what_only_other_readers_take_for_a_value_is_named(pytestconfig, tmp_path, key, value, complaint):
    with pytest.raises(UserError, match=rf"params\.yaml: {complaint}"):
        load_config(with_text(pytestconfig, tmp_path, key, value))


def test_values_are_those_that_dvc_sees(tmp_path):
    values = (
        "1 -2 +3 1_000 0 0.5 .5 1. -1e3 5e-05 1e5 .inf -.INF true False yes no on ~ null 12:30 text 1.2.3 e5 [1,~,no]"
    )
    text = "".join(f"key{place}: {value}\n" for place, value in enumerate(values.split())) + "empty:\n"
    text += "base: &base {a: 1e-3}\nmerged: {<<: *base, b: 2}\n"
    (tmp_path / "some.yaml").write_text(text)
    seen, read = load_yaml(tmp_path / "some.yaml"), parse_yaml(text)
    assert read == seen
    assert [type(value) for value in read.values()] == [type(value) for value in seen.values()]


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "params.yaml").mkdir()
    with pytest.raises(UserError, match=r"params\.yaml: cannot be read"):
        load_config(tmp_path / "params.yaml")


def test_a_missing_file_names_where_to_run(tmp_path):
    with pytest.raises(UserError, match=r"params\.yaml: not found; run from the folder that holds dvc\.yaml"):
        load_config(tmp_path / "params.yaml")
