"""The file that carries a run from `train` to `evaluate` and `register`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.ecg.sides import SIDES
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.stages.entry import BEATS, workspace
from pipeline.stages.protocol_data import ProtocolData, run_key, run_params
from pipeline.tracking.provenance import DatasetInput, git_tags


@dataclass(frozen=True)
class Manifest:
    """A run as the store knows it, complete enough to enter it into another store."""

    run_id: str
    params: dict[str, str | int | float | bool]
    tags: dict[str, str]
    counts: dict[str, dict[str, int]]
    data_md5: str

    @property
    def test_digest(self) -> str:
        """The identity of the test side."""
        return self.tags["test_digest"]

    def datasets(self) -> list[DatasetInput]:
        """The sides as inputs of the run."""
        context = {"train": "training", "validation": "validation", "test": "testing"}
        return [DatasetInput(f"beats-{side}", context[side], BEATS, self.data_md5, self.counts[side]) for side in SIDES]

    def write(self, path: Path) -> None:
        """Write as JSON, atomically."""
        write_json(path, asdict(self))


def describe_run(config: Config, protocol: str, data: ProtocolData) -> Manifest:
    """What a run says of itself before it has an id."""
    tags = {
        **git_tags(workspace()),
        "architecture": config.model.architecture,
        "input": "row",
        "test_digest": data.digest("test"),
        "validation_digest": data.digest("validation"),
        "config_key": run_key(config, protocol, data),
    }
    counts = {side: data.counts(side) for side in SIDES}
    return Manifest("", run_params(config), tags, counts, data.beats_md5)


def read_manifest(path: Path) -> Manifest:
    """Read what `train` wrote.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `dvc repro` so that `train` writes it") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: damaged; delete it and run `dvc repro`") from error
