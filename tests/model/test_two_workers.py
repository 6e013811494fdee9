"""Batches shared out between two workers train the network that one worker trains."""

import subprocess
import sys

import numpy as np
import pytest

PROGRAM = """
import sys
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from pipeline.config import load_config
from pipeline.model import training
from pipeline.model.device import Device
from pipeline.model.examples import RowExamples

folder, workers = Path(sys.argv[1]), int(sys.argv[2])
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * workers
)
# As on a machine of as many GPUs, with CPUs in their place.
mirrored = tf.distribute.MirroredStrategy
tf.distribute.MirroredStrategy = partial(mirrored, [f"CPU:{number}" for number in range(workers)])
prepared = training.prepare_device
training.prepare_device = lambda config: prepared(config) and Device(workers, "float32", "tensorflow")

config = load_config()
model = config.model.model_copy(
    update={
        "architecture": "reference",
        "reference": config.model.reference.model_copy(
            update={"filters": [8, 8], "lstm_units": [8], "dense_units": 8, "dropout": 0.0}
        ),
    }
)
settings = config.train.model_copy(
    update={
        "epochs": 3,
        "device": "cpu",
        "deterministic": False,
        "reference": config.train.reference.model_copy(update={"batch_size": 16, "learning_rate": 0.01}),
    }
)
arrays = np.load(folder / "examples.npz")
sides = [RowExamples(arrays[f"{side}_rows"], arrays[f"{side}_labels"]) for side in ("train", "validation")]
trained = training.train(model, settings, *sides, folder / f"checkpoint {workers}")
assert str(trained.device).startswith(f"gpu x{workers}")
np.savez(folder / f"{workers}.npz", probability=sides[1].predict(trained.model), loss=trained.history.loss)
"""


@pytest.mark.slow
def test_two_workers_train_what_one_trains(tmp_path):
    rng = np.random.default_rng(0)
    sides = {}
    for side, n_beats in (("train", 320), ("validation", 100)):
        labels = np.arange(n_beats) % 5
        sides[f"{side}_rows"] = (labels[:, None] / 4 + rng.normal(0, 0.05, (n_beats, 187))).astype(np.float32)
        sides[f"{side}_labels"] = labels.astype(np.int64)
    np.savez(tmp_path / "examples.npz", **sides)
    for workers in (1, 2):
        subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path), str(workers)], check=True)
    one, two = (np.load(tmp_path / f"{workers}.npz") for workers in (1, 2))
    assert one["loss"][-1] < one["loss"][0]
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=1e-3)
    np.testing.assert_allclose(two["probability"], one["probability"], atol=1e-3)
