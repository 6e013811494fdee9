"""The file that carries a run from `train` to `evaluate` and `register`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.ecg.sides import SIDES
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.stages.entry import BEATS
from pipeline.tracking.provenance import DatasetInput


@dataclass(frozen=True)
class Manifest:
    """A run as the store knows it, complete enough to enter it into another store."""

    run_id: str
    params: dict[str, str | int | float | bool]
    tags: dict[str, str]
    counts: dict[str, dict[str, int]]
    data_md5: str

    @property
    def compared_on(self) -> dict[str, str]:
        """The tags that name the sides on which this run is scored."""
        return {name: self.tags[name] for name in ("validation_digest", "test_digest")}

    def datasets(self) -> list[DatasetInput]:
        """The sides as inputs of the run."""
        context = {"train": "training", "validation": "validation", "test": "test"}
        return [DatasetInput(f"beats-{side}", context[side], BEATS, self.data_md5, self.counts[side]) for side in SIDES]

    def write(self, path: Path) -> None:
        """Write as JSON, atomically."""
        write_json(path, asdict(self))


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
