"""Only a model that this code can feed is accepted; any other file is named in one line."""

import onnx
import pytest

from pipeline.errors import UserError
from pipeline.scoring.network import load_network


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08"])
def test_a_file_of_another_kind(tmp_path, content):
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.onnx: not a"):
        load_network(file, 1)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "no.onnx", tmp_path):
        with pytest.raises(UserError, match="not found; name a model"):
            load_network(path, 1)


def test_a_truncated_model(model_file, tmp_path):
    (tmp_path / "model.onnx").write_bytes(model_file.read_bytes()[:-3000])
    with pytest.raises(UserError, match=r"model\.onnx: not a"):
        load_network(tmp_path / "model.onnx", 1)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("classes", None, "not a model of heartbeat .*'classes'"),
        ("inputs_version", "999", "other inputs .inputs_version is '999'"),
        ("classes", "N,V,S,F,Q", "other inputs .classes is 'N,V,S,F,Q'"),
    ],
)
def test_a_model_for_other_inputs(model_file, tmp_path, key, value, told):
    model = onnx.load(model_file)
    stated = {entry.key: entry.value for entry in model.metadata_props} | {key: value}
    onnx.helper.set_model_props(model, {name: text for name, text in stated.items() if text is not None})
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(UserError, match=told):
        load_network(tmp_path / "other.onnx", 1)
