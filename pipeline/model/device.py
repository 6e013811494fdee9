"""Which device trains, and in which precision."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras

from pipeline.config import TrainConfig
from pipeline.errors import UserError


@dataclass(frozen=True)
class Device:
    """What a training runs on; `str()` is how runs and reports name it."""

    gpus: int
    precision: str
    backend: str

    def __str__(self) -> str:
        name = f"gpu x{self.gpus}" if self.gpus else "cpu"
        return f"{name}, {self.precision}, keras on {self.backend}"


def prepare_device(config: TrainConfig) -> Device:
    """Choose GPU or CPU, set precision, threads, distribution and determinism, and return the choice.

    Call before the first tensor is made. With several GPUs, batches are shared out among all of them.

    Raises:
        UserError: `device: gpu` and no GPU is there.
    """
    gpus = _visible_gpus(config.device)
    if config.device == "gpu" and not gpus:
        raise UserError(
            "params.yaml: train.device: gpu, but no GPU is found; install the extra `gpu` and a driver, or set "
            "device: auto"
        )
    precision = config.precision
    if precision == "auto":
        precision = "mixed_float16" if gpus else "float32"
    keras.config.set_dtype_policy(precision)
    backend = keras.backend.backend()
    if len(gpus) > 1 and backend == "jax":
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    if config.deterministic and backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    return Device(len(gpus), precision, backend)


def runs_unrolled(device: Device) -> bool:
    """Whether the training twin of the LSTM is the faster one: TensorFlow, CPU, float32."""
    return device == Device(gpus=0, precision="float32", backend="tensorflow")


def distribution_scope(device: Device) -> AbstractContextManager[Any]:
    """The context to build a model in: TensorFlow shares batches among several GPUs, JAX was told to before."""
    if device.gpus < 2 or device.backend != "tensorflow":
        return nullcontext()
    import tensorflow as tf

    scope: AbstractContextManager[Any] = tf.distribute.MirroredStrategy().scope()
    return scope


def _visible_gpus(device: str) -> list[str]:
    if keras.backend.backend() != "tensorflow":
        return [] if device == "cpu" else list(keras.distribution.list_devices("gpu"))
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if not gpus:
        _share_cores_between_directions(tf.config.threading)
    return [gpu.name for gpu in gpus]


def _share_cores_between_directions(threading: Any) -> None:
    """Let the two directions of an LSTM run side by side, each on half of the cores.

    Splitting their small matrix products over all cores costs more than it gains.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        threading.set_intra_op_parallelism_threads(max(1, cores // 2))
        threading.set_inter_op_parallelism_threads(2)
    except RuntimeError:
        # TensorFlow has started in this process; it keeps the threads it has.
        return
