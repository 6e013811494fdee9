"""Figures that others have published, to stand beside ours where the test beats are the same."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.evaluation.metrics import Metrics


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scores(_Strict):
    """Precision, recall and F1 as published, rounded as they are."""

    precision: float = Field(ge=0, le=1)
    recall: float = Field(ge=0, le=1)
    f1: float = Field(ge=0, le=1)


class SupportedScores(Scores):
    """The scores of one class and the number of its beats."""

    support: int = Field(ge=0)


class Published(_Strict):
    """One published table: what it is of, and its figures."""

    name: str
    protocol: str
    side: str
    accuracy: float = Field(ge=0, le=1)
    macro: Scores
    weighted: Scores
    per_class: dict[Literal["N", "S", "V", "F", "Q"], SupportedScores]

    def is_about(self, protocol: str, side: str, metrics: Metrics) -> bool:
        """Whether `metrics` judge the very beats of this table: same side, same supports."""
        ours = {name: scores["support"] for name, scores in metrics["per_class"].items()}
        theirs = {name: scores.support for name, scores in self.per_class.items()}
        return (self.protocol, self.side) == (protocol, side) and ours == theirs


def load_published(path: Path) -> Published:
    """Read a published table. Raises UserError when the file is missing or not such a table."""
    try:
        published = Published.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the published figures cannot be read ({error}); restore the file from Git") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"{path}: {place}: {first['msg']}; restore the file from Git or correct that entry") from error
    missing = [name for name in CLASSES if name not in published.per_class]
    if missing:
        raise UserError(f"{path}: per_class: add the figures of {', '.join(missing)}")
    return published
