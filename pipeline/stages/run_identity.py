"""What a run says of itself: its settings, where it is from, and the key that its repeats share."""

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import pipeline.model
from pipeline.config import Config
from pipeline.ecg.sides import SIDES
from pipeline.names import ROW_ARCHITECTURES, Architecture
from pipeline.stages.entry import workspace
from pipeline.stages.manifest import Manifest
from pipeline.stages.protocol_data import ProtocolData
from pipeline.tracking.provenance import git_tags

_CODE = Path(pipeline.model.__path__[0])
_INPUT_CODE = tuple(
    _CODE.parent / name
    for name in (
        "ecg/aami.py",
        "ecg/context.py",
        "ecg/resampling.py",
        "ecg/scores.py",
        "ecg/synthetic",
        "ecg/windows.py",
        "stages/examples.py",
        "stages/protocol_data.py",
        "stages/training_side.py",
    )
)
"""What is made of the beat table at training time, and what picks the best epoch."""

_LIBRARIES = ("keras", "tensorflow")


def describe_run(config: Config, protocol: str, data: ProtocolData) -> Manifest:
    """What a run says of itself before it has an id."""
    tags = {
        **git_tags(workspace()),
        "architecture": config.model.architecture,
        "input": "row" if config.model.architecture in ROW_ARCHITECTURES else "context",
        "test_digest": data.digest("test"),
        "validation_digest": data.digest("validation"),
        "config_key": run_key(config, protocol, data),
    }
    counts = {side: data.counts(side) for side in SIDES}
    return Manifest("", run_params(config, protocol), tags, counts, data.beats_md5)


def run_params(config: Config, protocol: str) -> dict[str, str | int | float | bool]:
    """The settings of a run by dotted name: of the architectures and the protocols, the chosen one's alone."""
    chosen = config.model.architecture
    training = config.train.of(chosen).model_dump() | {"epochs": config.train.epochs_of(chosen)}
    if chosen == "context":
        training |= config.train.variation.of(protocol).model_dump()
    sections = {
        "model": {"architecture": chosen} | getattr(config.model.of(protocol), chosen).model_dump(),
        "train": config.train.model_dump(exclude={*get_args(Architecture), "variation"}) | training,
        "split": config.split.model_dump(),
    }
    flat: dict[str, str | int | float | bool] = {"data.source": config.data.source}
    for section, values in sections.items():
        for key, value in values.items():
            flat[f"{section}.{key}"] = json.dumps(value) if isinstance(value, list) else value
    return flat


def run_key(config: Config, protocol: str, data: ProtocolData) -> str:
    """SHA-256 of what decides a training's outcome: settings, data, the code of the network and of its
    inputs, and the libraries.

    Runs with one key are repeats of each other. A stopped training goes on, and a finished one is published, only
    under its own key: never old weights under new code.
    """
    told: dict[str, Any] = {
        "protocol": protocol,
        "settings": run_params(config, protocol),
        "rows": data.beats_md5,
        "sides": {side: data.digest(side) for side in SIDES},
        **training_code(),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def training_code() -> dict[str, Any]:
    """What identifies the code that trains: the network's, that of its inputs, and the libraries."""
    return {
        "code": _code_digest(_CODE),
        "input_code": [_code_digest(path) for path in _INPUT_CODE],
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }


def _code_digest(code: Path) -> str:
    """SHA-256 of a Python file, or of those in and below a folder, names and content."""
    digest = hashlib.sha256()
    for path in sorted(code.rglob("*.py")) if code.is_dir() else [code]:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(code.parent).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()
