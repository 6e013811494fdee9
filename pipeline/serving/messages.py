"""The JSON that the service takes and gives."""

import json
from typing import Annotated, Final

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.ecg.recordings import LOWEST_RATE_HZ
from pipeline.ecg.windows import WINDOW_LEADS
from pipeline.errors import UserError
from pipeline.scoring.strips import HIGHEST_RATE_HZ, Strip, example_strip
from pipeline.serving.served import Served

Sample = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Lead = Annotated[list[float | None], Field(fail_fast=True)]
"""A complaint for each of a million samples would take seconds and gigabytes."""

_MOST_PARTS: Final = 1000
"""Fields and lists of a body; a recording has fewer than ten, and colons and brackets in its name."""


class Recording(BaseModel):
    """A stretch of ECG."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"example": vars(example_strip())})

    record: str = Field(default="recording", max_length=200, description="A name of your own; it comes back.")
    fs_hz: float = Field(description=f"Sampling rate in Hz, {LOWEST_RATE_HZ:g} to {HIGHEST_RATE_HZ:g}.")
    signal_mv: Annotated[list[Lead], Field(fail_fast=True)] = Field(
        max_length=WINDOW_LEADS,
        description="One list of samples in mV for each of one or two leads, of one length, at most an hour; null "
        "where a sample is invalid: it holds the last valid one.",
    )
    beats: Annotated[list[int], Field(fail_fast=True, max_length=20_000)] | None = Field(
        default=None, description="Ascending samples of the beats (R peaks), counted from 0; without it they are found."
    )


class Model(BaseModel):
    """The model that answered."""

    name: str
    version: str


class Beat(BaseModel):
    """One beat with its class (AAMI EC57) and the probability of each."""

    sample: Sample
    time_s: float
    predicted: str
    p_N: Probability  # noqa: N815  # The columns of `heartbeat score`.
    p_S: Probability  # noqa: N815
    p_V: Probability  # noqa: N815
    p_F: Probability  # noqa: N815
    p_Q: Probability  # noqa: N815


class Labelled(BaseModel):
    """The beats of a recording in their order."""

    record: str
    model: Model
    beats: list[Beat]


class Problem(BaseModel):
    """What was wrong, where, and what to do."""

    detail: str


def read_recording(body: bytes) -> Strip:
    """The recording that a request's body holds.

    Raises:
        UserError: it is not JSON, or not of the form of `Recording`; one sentence that names the field.
    """
    if body.count(b":") + body.count(b"[") > _MOST_PARTS:
        raise UserError(
            "body: has more fields and lists than a recording; signal_mv is one list a lead, not one a sample; "
            "/openapi.json describes it"
        )
    try:
        read = Recording.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "body"
        raise UserError(f"{place}: {first['msg']}; /openapi.json describes a recording") from error
    return Strip(**dict(read))


def write_labelled(beats: pd.DataFrame, record: str, model: Served) -> bytes:
    """The answer, in the form of `Labelled`."""
    columns = {name: beats[name].tolist() for name in Beat.model_fields}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    answer = {"record": record, "model": {"name": model.name, "version": model.version}, "beats": rows}
    return json.dumps(answer, allow_nan=False).encode()
