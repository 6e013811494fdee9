"""The device decides which LSTM trains and whether batches are shared out; its name is only for people."""

from contextlib import nullcontext

import pytest

from pipeline.model import device
from pipeline.model.device import Device, distribution_scope, runs_unrolled

CPU = Device(gpus=0, precision="float32", backend="tensorflow")


def test_a_device_is_named_for_people():
    assert str(CPU) == "cpu, float32, keras on tensorflow"
    assert str(Device(gpus=2, precision="mixed_float16", backend="jax")) == "gpu x2, mixed_float16, keras on jax"


@pytest.mark.parametrize(
    ("chosen", "unrolled"),
    [
        (CPU, True),
        (Device(gpus=1, precision="float32", backend="tensorflow"), False),
        (Device(gpus=0, precision="mixed_bfloat16", backend="tensorflow"), False),
        (Device(gpus=0, precision="float32", backend="jax"), False),
    ],
)
def test_the_twin_of_the_lstm_trains_on_a_cpu_alone(monkeypatch, chosen, unrolled):
    monkeypatch.setattr(device.Device, "__str__", lambda _: "another wording")
    assert runs_unrolled(chosen) is unrolled


@pytest.mark.parametrize("gpus", [0, 1, 2, 10])
def test_batches_are_shared_among_several_gpus(monkeypatch, gpus):
    import tensorflow as tf

    class Mirrored:
        def scope(self):
            return "shared"

    monkeypatch.setattr(tf.distribute, "MirroredStrategy", Mirrored)
    scope = distribution_scope(Device(gpus=gpus, precision="float32", backend="tensorflow"))
    assert scope == "shared" if gpus > 1 else isinstance(scope, nullcontext)
