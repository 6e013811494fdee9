"""An exported network over consecutive beats, checked to be one that this code can feed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from pipeline.ecg.context import ContextInputs
from pipeline.ecg.contract import context_contract
from pipeline.errors import UserError

_NOT_A_MODEL = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


@dataclass(frozen=True)
class Network:
    """Class probabilities from the beats of recordings."""

    session: Any

    def probabilities(self, inputs: list[ContextInputs]) -> npt.NDArray[np.float32]:
        """(n, beats, 5) class probabilities of n pieces of recordings, all of the same number of beats."""
        fed = {
            "beats": np.stack([each.beats for each in inputs]),
            "rhythm": np.stack([each.rhythm for each in inputs]),
        }
        (probability,) = self.session.run(["probability"], fed)
        return np.asarray(probability, dtype=np.float32)


def read_model(path: Path) -> bytes:
    """The content of a model's file; UserError where it cannot be read."""
    if not path.is_file():
        raise UserError(f"{path}: not found; name a model.onnx, such as models/released/interpatient/model.onnx")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


def load_network(path: Path, threads: int) -> Network:
    """Open an ONNX file of `heartbeat`.

    Raises:
        UserError: the file is missing, or what `open_network` raises.
    """
    return open_network(read_model(path), path, threads)


def open_network(content: bytes, path: Path, threads: int) -> Network:
    """Open a network of `heartbeat` from the content of the ONNX file `path`.

    Raises:
        UserError: it is no ONNX model, is not of this project, or needs other inputs than this version makes.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        stated = session.get_modelmeta().custom_metadata_map
    except _NOT_A_MODEL as error:
        raise UserError(f"{path}: not an ONNX model; name the model.onnx of a release or of a training") from error
    for key, needed in context_contract().items():
        if key not in stated:
            raise UserError(f"{path}: not a model of heartbeat (its metadata lack {key!r}); name one that it exported")
        if stated[key] != needed:
            raise UserError(
                f"{path}: made for other inputs ({key} is {stated[key]!r}, this version makes {needed!r}); "
                "export the model anew or use the version of heartbeat that made it"
            )
    return Network(session)
