"""The exported model of a registered version comes back by its address; anything else is one line."""

import pytest

from pipeline.errors import UserError
from pipeline.tracking.exported import download_onnx, log_onnx


@pytest.fixture
def registered(store, run_id, tmp_path):
    """Version 1 of heartbeat-interpatient, champion, with an exported model in its run."""
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    log_onnx(store, run_id, tmp_path / "model.onnx")
    store.client.create_registered_model("heartbeat-interpatient")
    store.client.create_model_version("heartbeat-interpatient", "file:///model", run_id)
    store.client.set_registered_model_alias("heartbeat-interpatient", "champion", "1")
    return store


@pytest.mark.parametrize("uri", ["models:/heartbeat-interpatient@champion", "models:/heartbeat-interpatient/1"])
def test_a_version_by_alias_and_by_number(registered, tmp_path, uri):
    found = download_onnx(registered, uri, tmp_path / "copy")
    assert found.read_bytes() == b"onnx"
    assert found.is_relative_to(tmp_path / "copy")


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("models:/heartbeat-interpatient@nobody", "not in sqlite.*heartbeat versions"),
        ("models:/heartbeat-interpatient/9", "not in sqlite.*heartbeat versions"),
        ("models:/other@champion", "not in sqlite.*heartbeat versions"),
        ("models:/heartbeat-interpatient", "not a model's address"),
        ("models:/m-0123", "not a model's address"),
    ],
)
def test_an_address_that_leads_nowhere(registered, tmp_path, uri, told):
    with pytest.raises(UserError, match=told) as refused:
        download_onnx(registered, uri, tmp_path)
    assert "\n" not in str(refused.value)


def test_a_run_without_an_exported_model(store, run_id, tmp_path):
    store.client.create_registered_model("heartbeat-interpatient")
    store.client.create_model_version("heartbeat-interpatient", "file:///model", run_id)
    with pytest.raises(UserError, match=rf"{run_id} has no onnx/model\.onnx; train it anew"):
        download_onnx(store, "models:/heartbeat-interpatient/1", tmp_path)
