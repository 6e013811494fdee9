"""A trained network over consecutive beats as an ONNX file that says all that scoring needs."""

import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
import onnx

from pipeline.ecg.context import CHANNELS, RHYTHM_FEATURES
from pipeline.ecg.contract import context_contract
from pipeline.ecg.windows import WINDOW_SAMPLES
from pipeline.files import atomic_path

OUTPUT = "probability"

_PRODUCER = "heartbeat"
_AXES = ("batch", "beats")


def export_onnx(model: keras.Model, protocol: str, path: Path) -> None:
    """Write a model of `build_context` to `path`: the same weights give the same bytes.

    Inputs `beats` (batch, beats, 126, 4) and `rhythm` (batch, beats, 14), output `probability` (batch, beats, 5), all
    float32; batch and beats may be any number. The metadata are those of `context_contract`, and `protocol`.
    """
    shapes = {"beats": (1, 2, WINDOW_SAMPLES, CHANNELS), "rhythm": (1, 2, len(RHYTHM_FEATURES))}
    # Keras can only export a model that has been called.
    model([np.zeros(shape, np.float32) for shape in shapes.values()], training=False)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Keras looks for a name that NumPy has dropped.
        warnings.simplefilter("ignore", FutureWarning)
        exported = Path(folder) / "model.onnx"
        model.export(exported, format="onnx", verbose=False)
        graph_file = onnx.load(exported)
    _canonicalise(graph_file)
    onnx.helper.set_model_props(graph_file, {**context_contract(), "protocol": protocol})
    onnx.checker.check_model(graph_file, full_check=True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(graph_file.SerializeToString(deterministic=True))


def _canonicalise(model: onnx.ModelProto) -> None:
    """Order and name everything by its place: the exporter's names count what else the process has built."""
    graph = model.graph
    in_order = _ordered(graph)
    del graph.node[:]
    graph.node.extend(in_order)
    outer = [value.name for value in graph.input]
    names = {name: name for name in outer} | {graph.output[0].name: OUTPUT}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    kept: list[onnx.TensorProto] = []
    for number, node in enumerate(graph.node):
        for name in node.input:
            if name in tensors and name not in names:
                names[name] = f"weight_{len(kept)}"
                kept.append(tensors[name])
        for place, name in enumerate(node.output):
            names.setdefault(name, f"value_{number}_{place}" if name else "")
        node.name = f"node_{number}"
        node.doc_string = ""
        node.input[:] = [names[name] if name else "" for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for tensor in kept:
        tensor.name = names[tensor.name]
    ordered = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in kept]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(ordered)
    graph.name, graph.doc_string, model.doc_string = _PRODUCER, "", ""
    model.producer_name, model.producer_version = _PRODUCER, ""
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
        for axis, dimension in zip(_AXES, value.type.tensor_type.shape.dim, strict=False):
            dimension.dim_param = axis


def _ordered(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that the output needs, each after those that it reads, whatever they are called."""
    makers = {name: place for place, node in enumerate(graph.node) for name in node.output}
    found: dict[int, onnx.NodeProto] = {}
    waiting = [makers[graph.output[0].name]]
    while waiting:
        place = waiting[-1]
        missing = [makers[name] for name in graph.node[place].input if name in makers and makers[name] not in found]
        if missing:
            waiting.append(missing[0])
            continue
        waiting.pop()
        found.setdefault(place, onnx.NodeProto.FromString(graph.node[place].SerializeToString()))
    return list(found.values())
