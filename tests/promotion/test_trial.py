"""A network tried on recordings: which of them it is tried on."""

import numpy as np
import pandas as pd

from pipeline.promotion.trial import Recording, early_rises
from pipeline.scoring.network import load_network


def recording(beats):
    """Normal beats alone, 0.8 s apart, all of them on validation."""
    table = pd.DataFrame({"record": "r1", "sample": np.arange(beats), "aami": "N"})
    windows = np.random.default_rng(0).standard_normal((beats, 2, 126)).astype(np.float32)
    return Recording(table, windows, 0.8 * np.arange(beats), np.ones(beats, dtype=bool))


def test_a_short_recording_has_no_beat_to_bring_early(pytestconfig):
    network = load_network(pytestconfig.rootpath / "models/released/interpatient/model.onnx", 1)
    assert len(early_rises(network, [recording(10)])) == 0
    assert len(early_rises(network, [recording(10), recording(83)])) == 2
