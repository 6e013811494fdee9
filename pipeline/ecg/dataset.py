"""Facts of a data set: its records, their patients and sides, and what is published about it."""

import csv
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.plain_yaml import parse_yaml

RECORD_COLUMNS = ["record", "patient", "side"]
RECORD_SIDES = ("train", "validation", "test", "excluded")


class LeftOut(BaseModel):
    """Records that a second set of figures does without, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    records: tuple[str, ...] = Field(min_length=1)
    reason: str = Field(min_length=1)


class Ec57Facts(BaseModel):
    """What ANSI/AAMI EC57 leaves out of this data set: the first seconds of each record, and whole records."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    learning_period_s: float = Field(default=0, ge=0)
    excluded: tuple[LeftOut, ...] = ()


class KaggleFacts(BaseModel):
    """Which beats are the test side of the `kaggle` protocol: a list, a share drawn by class, or one record."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    test_beats: str | None = None
    test_fraction: float | None = Field(default=None, gt=0, lt=1)
    test_record: str | None = None
    report_without: tuple[LeftOut, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> "KaggleFacts":
        named = [key for key in ("test_beats", "test_fraction", "test_record") if getattr(self, key) is not None]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} exclude each other; keep one")
        return self


class InterpatientFacts(BaseModel):
    """Pairs of records of one patient that the published split puts on both sides; what to report without."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    known_overlaps: list[list[str]] = []
    report_without: tuple[LeftOut, ...] = ()


class ProtocolFacts(BaseModel):
    """What each protocol needs to know of the data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kaggle: KaggleFacts = KaggleFacts()
    interpatient: InterpatientFacts = InterpatientFacts()


@dataclass(frozen=True)
class ReportingFacts:
    """What the report of one protocol needs to know of the data set.

    Attributes:
        sampling_rate_hz: Rate at which the samples of annotations are counted.
        ec57: What the standard leaves out.
        report_without: Each gives a further set of figures, without its records.
    """

    sampling_rate_hz: float
    ec57: Ec57Facts = field(default_factory=Ec57Facts)
    report_without: tuple[LeftOut, ...] = ()


class Dataset(BaseModel):
    """The content of `dataset.yaml`, with the tables that lie beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    folder: Path
    name: str
    url: str | None = None
    licence: str | None = None
    sampling_rate_hz: float = Field(ge=1, allow_inf_nan=False)
    n_leads: int = Field(ge=1)
    n_samples: int | None = None
    counts: dict[str, int] | None = None
    ec57: Ec57Facts = Ec57Facts()
    protocols: ProtocolFacts = ProtocolFacts()

    @field_validator("counts")
    @classmethod
    def _counts_of_classes(cls, counts: dict[str, int] | None) -> dict[str, int] | None:
        unknown = [name for name in counts or {} if name not in CLASSES]
        if unknown:
            raise ValueError(f"{unknown[0]} is no AAMI class; use {', '.join(CLASSES)}")
        return counts

    def reporting(self, protocol: str) -> ReportingFacts:
        """What the report of `protocol` leaves out."""
        facts = self.protocols.kaggle if protocol == "kaggle" else self.protocols.interpatient
        return ReportingFacts(self.sampling_rate_hz, self.ec57, facts.report_without)

    @cached_property
    def records(self) -> pd.DataFrame:
        """One row a record: record, patient, side (of the `interpatient` protocol), all strings.

        Raises:
            UserError: records.csv is missing or empty or has a wrong column, an empty cell, a record twice or an
                unknown side.
        """
        return _read_records(self.folder / "records.csv")


def load_dataset(folder: Path) -> Dataset:
    """Read the facts in `folder`.

    Raises:
        UserError: dataset.yaml is missing or wrong.
    """
    path = folder / "dataset.yaml"
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and "folder" in content:
            raise UserError(f"{path}: folder: no fact; take it out, since params.yaml's data.dataset names the folder")
        return Dataset.model_validate({**content, "folder": folder})
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; params.yaml's data.dataset names its folder") from error
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); params.yaml's data.dataset names its folder"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except (yaml.YAMLError, TypeError) as error:
        raise UserError(f"{path}: not valid YAML; compare data/reference/mitdb/dataset.yaml") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {key}: {first['msg']}") from error


def _read_records(path: Path) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, cells) for cells in reader if len(cells) > 1 or "".join(cells).strip()]
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; write a table with the columns record,patient,side") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); put the table in its place") from error
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}; mend the table") from error
    columns = lines[0][1] if lines else []
    if columns != RECORD_COLUMNS:
        raise UserError(f"{path}: columns are {columns}; needed: {','.join(RECORD_COLUMNS)}")
    if not lines[1:]:
        raise UserError(f"{path}: lists no record; add one")
    listed: set[str] = set()
    for line, cells in lines[1:]:
        complaint = _complaint(cells, listed)
        if complaint:
            raise UserError(f"{path}, line {line}: {complaint}")
        listed.add(cells[0])
    return pd.DataFrame([cells for _, cells in lines[1:]], columns=columns, dtype="str")


def _complaint(cells: list[str], listed: set[str]) -> str | None:
    if len(cells) > len(RECORD_COLUMNS):
        return f"has {len(cells)} cells, needed: {','.join(RECORD_COLUMNS)}; mend the table"
    if len(cells) < len(RECORD_COLUMNS) or not all(cells):
        return "an empty cell; fill in record, patient and side"
    record, _, side = cells
    if record in listed:
        return f"record {record!r}; list it once"
    return None if side in RECORD_SIDES else f"side {side!r}; use one of {', '.join(RECORD_SIDES)}"
