"""The committed params, and a protocol's data small enough to be written down."""

import numpy as np
import pandas as pd
import pytest

from pipeline.config import load_config
from pipeline.ecg.aami import CLASSES
from pipeline.stages.protocol_data import ProtocolData


@pytest.fixture(scope="session")
def config(pytestconfig):
    committed = load_config(pytestconfig.rootpath / "params.yaml")
    # The small data below are rows.
    return committed.model_copy(update={"model": committed.model.model_copy(update={"architecture": "reference"})})


@pytest.fixture
def data():
    """Ten beats of two classes a side."""
    sides = np.repeat(["train", "validation", "test"], 10)
    labels = np.arange(30) % 2
    beats = pd.DataFrame({"record": "r1", "sample": np.arange(30), "aami": np.asarray(CLASSES)[labels], "side": sides})
    rows = np.random.default_rng(0).random((30, 187), dtype=np.float32)
    return ProtocolData(beats, rows, None, labels, beats_md5="0" * 32)
