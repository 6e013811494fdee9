"""params.yaml read once into a frozen, strict model."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.errors import UserError
from pipeline.explained import explained
from pipeline.names import ROW_ARCHITECTURES
from pipeline.names import Architecture as Architecture
from pipeline.names import Protocol as Protocol
from pipeline.plain_yaml import parse_yaml

PARAMS_FILE = Path("params.yaml")

Side = Literal["validation", "test"]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What NumPy's seeds can be."""

_Item = TypeVar("_Item")


def _each_once(items: list[_Item]) -> list[_Item]:
    for place, item in enumerate(items):
        if item in items[:place]:
            raise ValueError(f"{item} stands twice; list it once")
    return items


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DataConfig(_Section):
    """Where recordings come from and which facts they must agree with."""

    source: Literal["mitdb", "synthetic", "wfdb", "kaggle_csv"]
    dataset: str
    folder: str = Field(min_length=1)


class DownloadConfig(_Section):
    """How files are fetched."""

    workers: int = Field(ge=1, le=64)
    retries: int = Field(ge=0, le=100)
    timeout_s: float = Field(gt=0, le=3600)


class SyntheticConfig(_Section):
    """Size and seed of the generated recordings."""

    minutes: float = Field(ge=0.5, le=1440)
    seed: Seed


class SplitConfig(_Section):
    """How validation beats are drawn from the training side."""

    validation_fraction: float = Field(gt=0, lt=0.5)
    seed: Seed


Width = Annotated[int, Field(ge=1, le=4096)]


class _RowNetwork(_Section):
    filters: list[Width] = Field(min_length=1, max_length=5)
    lstm_units: list[Width] = Field(min_length=1, max_length=8)
    dense_units: Width
    dropout: float = Field(ge=0, lt=1)


class ReferenceConfig(_RowNetwork):
    """The shape of the reference network over the samples of one row."""


class ResidualConfig(_RowNetwork):
    """The shape of the residual network over the samples of one row."""


Members = Annotated[int, Field(ge=1, le=16)]


class LikenessConfig(_Section):
    """Whether the network of each protocol is told the likeness of beats."""

    kaggle: bool
    interpatient: bool


class MembersConfig(_Section):
    """How many networks make the mean of each protocol."""

    kaggle: Members
    interpatient: Members


class ContextConfig(_Section):
    """The shape of the network over consecutive beats."""

    filters: list[Width] = Field(min_length=1, max_length=5)
    dense_units: Width
    lstm_units: list[Width] = Field(min_length=1, max_length=8)
    dropout: float = Field(ge=0, lt=1)
    likeness: bool | LikenessConfig
    members: Members | MembersConfig

    def of(self, protocol: str) -> "ContextConfig":
        """A protocol's own, where something is told by protocol."""
        own = {name: value for name, value in self if isinstance(value, LikenessConfig | MembersConfig)}
        return self.model_copy(update={name: getattr(value, protocol) for name, value in own.items()})


class ModelConfig(_Section):
    """The network: which architecture, and the shape of each."""

    architecture: Architecture
    reference: ReferenceConfig
    residual: ResidualConfig
    context: ContextConfig

    def of(self, protocol: str) -> "ModelConfig":
        """A protocol's own, as `build` takes it."""
        return self.model_copy(update={"context": self.context.of(protocol)})


class RowTraining(_Section):
    """How a network over rows is trained: batches of rows."""

    epochs: int = Field(ge=1, le=10_000)
    keep: Literal["best", "last"]
    batch_size: int = Field(ge=1, le=65_536)
    learning_rate: float = Field(gt=0, le=1)


Share = Annotated[float, Field(ge=0, le=1)]


class VariationConfig(_Section):
    """How the beats of a training side are varied: shares of stretches, and spreads of logarithms."""

    lead_swap: Share
    lead_loss: float = Field(ge=0, le=0.5)
    disturbance: Share
    gain: Share
    tempo: Share
    synthetic_patients: int = Field(ge=0, le=1000)
    patients_an_epoch: int = Field(ge=0, le=1000)

    @model_validator(mode="after")
    def _an_epoch_draws_of_those_there_are(self) -> "VariationConfig":
        there, drawn = self.synthetic_patients, self.patients_an_epoch
        if not min(there, 1) <= drawn <= there:
            raise ValueError(
                f"an epoch cannot draw patients_an_epoch: {drawn} of synthetic_patients: {there}; "
                "make it at least 1 and at most as many, or both 0"
            )
        return self


class VariationsConfig(_Section):
    """The variation of each protocol."""

    kaggle: VariationConfig
    interpatient: VariationConfig

    def of(self, protocol: str) -> VariationConfig:
        """A protocol's own."""
        return self.kaggle if protocol == "kaggle" else self.interpatient


class ContextTraining(_Section):
    """How the network over consecutive beats is trained: batches of stretches of recordings."""

    epochs: int = Field(ge=1, le=10_000)
    keep: Literal["best", "last"]
    batch_size: int = Field(ge=1, le=4096)
    stretch_beats: int = Field(ge=8, le=1024)
    learning_rate: float = Field(gt=0, le=1)


class TrainConfig(_Section):
    """How the network is trained."""

    seed: Seed
    epochs: int | None = Field(ge=1, le=10_000)
    patience: int = Field(ge=1, le=10_000)
    device: Literal["auto", "cpu", "gpu"]
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"]
    deterministic: bool
    reference: RowTraining
    residual: RowTraining
    context: ContextTraining
    variation: VariationsConfig

    def of(self, architecture: Architecture) -> RowTraining | ContextTraining:
        """The architecture's own settings."""
        settings: RowTraining | ContextTraining = getattr(self, architecture)
        return settings

    def epochs_of(self, architecture: Architecture) -> int:
        """`epochs`, or the architecture's own number where that is null."""
        return self.epochs or self.of(architecture).epochs


class FloorsConfig(_Section):
    """The least scores on the validation side."""

    macro_f1: Share
    N: Share
    S: Share
    V: Share


class MarginsConfig(_Section):
    """How far the F1 of a class may fall behind the champion's."""

    N: Share
    S: Share
    V: Share
    F: Share
    Q: Share


class PromotionConfig(_Section):
    """What a version must show to become champion."""

    floors: FloorsConfig
    margins: MarginsConfig
    size_mb: float = Field(gt=0, le=1000)
    strip_ms: float = Field(gt=0, le=60_000)


class EvaluateConfig(_Section):
    """Which sides are opened."""

    sides: Annotated[list[Side], AfterValidator(_each_once)]

    @field_validator("sides")
    @classmethod
    def _validation_decides(cls, sides: list[Side]) -> list[Side]:
        if "validation" not in sides:
            raise ValueError("validation must be among them: runs are compared on it")
        return sides


class Config(_Section):
    """All of params.yaml."""

    data: DataConfig
    download: DownloadConfig
    synthetic: SyntheticConfig
    protocols: Annotated[list[Protocol], Field(min_length=1), AfterValidator(_each_once)]
    split: SplitConfig
    model: ModelConfig
    train: TrainConfig
    evaluate: EvaluateConfig
    promotion: PromotionConfig

    @model_validator(mode="after")
    def _rows_have_no_patients(self) -> "Config":
        if self.data.source == "kaggle_csv" and self.protocols != ["kaggle"]:
            raise ValueError("source kaggle_csv names no patients: set protocols: [kaggle]")
        if self.data.source == "kaggle_csv" and self.model.architecture not in ROW_ARCHITECTURES:
            raise ValueError(
                "source kaggle_csv has rows alone, no recordings: set model.architecture: residual or reference"
            )
        return self


def load_config(path: Path = PARAMS_FILE) -> Config:
    """Read and check `path`.

    Raises:
        UserError: the file is missing, is not YAML, or has an unknown key, a wrong type or a value out of range;
            the message names the file, the key and what is allowed.
    """
    try:
        content: Any = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run from the folder that holds dvc.yaml") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise UserError(f"{path}{line}: not valid YAML; mend the indentation or quotes there") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); put the file in its place") from error
    return checked_config(content, str(path))


def checked_config(content: object, where: str) -> Config:
    """The configuration that `content`, such as a parsed params.yaml, tells.

    Raises:
        UserError: as `load_config` does; the message begins with `where`.
    """
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{where}: " + "; ".join(explained(e, Config) for e in error.errors())) from error
