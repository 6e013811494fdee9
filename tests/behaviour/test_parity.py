"""A trained model and its export agree on every beat of DS2; nothing is chosen by it."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.ecg.context import context_inputs
from pipeline.model.examples import predict_recordings
from pipeline.model.export import export_onnx
from pipeline.model.training import load_model
from pipeline.scoring.network import load_network


def recordings(root):
    """The test side's recordings, whole."""
    split = pd.read_parquet(root / "data/splits/interpatient.parquet", filters=[("side", "==", "test")])
    for record in sorted(split.record.unique()):
        table = pq.read_table(
            root / "data/beats.parquet", columns=["rr_prev_s", "window"], filters=[("record", "==", record)]
        )
        windows = table.column("window").combine_chunks().flatten().to_numpy().reshape(len(table), 2, -1)
        yield context_inputs(windows, np.nancumsum(table.column("rr_prev_s").to_numpy().astype(np.float64)))


@pytest.mark.slow
def test_keras_and_onnx_agree_on_every_beat_of_ds2(pytestconfig, tmp_path):
    root = pytestconfig.rootpath
    models = sorted((root / ".heartbeat/results").glob("interpatient-context-*/model.keras"))
    if not models or not (root / "data/beats.parquet").exists():
        pytest.skip("needs a published run of `make results` and data/beats.parquet")
    model = load_model(models[0])
    export_onnx(model, "interpatient", tmp_path / "model.onnx")
    network, compared = load_network(tmp_path / "model.onnx", 1), 0
    for inputs in recordings(root):
        keras_says = predict_recordings(model, [inputs])[0]
        onnx_says = _in_blocks(network, inputs)
        np.testing.assert_allclose(onnx_says, keras_says, atol=1e-4)
        np.testing.assert_array_equal(onnx_says.argmax(axis=1), keras_says.argmax(axis=1))
        compared += len(keras_says)
    print(f"{compared} beats agree")
    assert compared > 0


def _in_blocks(network, inputs):
    """The same blocks that Keras is given, so that the two see the same neighbours."""
    from pipeline.ecg.context import ContextInputs, blocks

    found = np.empty((len(inputs.beats), 5), np.float32)
    for block in blocks(len(inputs.beats)):
        part = ContextInputs(inputs.beats[block.start : block.stop], inputs.rhythm[block.start : block.stop])
        kept = slice(block.keep_from - block.start, block.keep_to - block.start)
        found[block.keep_from : block.keep_to] = network.probabilities([part])[0][kept]
    return found
