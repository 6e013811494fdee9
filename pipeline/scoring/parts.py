"""One recording, one Parquet file: what a worker does, on whichever machine it runs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.scoring.labelling import BeatSource, label
from pipeline.scoring.network import Network, open_network
from pipeline.scoring.output import open_output
from pipeline.scoring.score import Advance, View


@dataclass(frozen=True)
class Work:
    """What is the same for all recordings.

    Attributes:
        model: The content of the ONNX file, so that no other machine needs it.
        model_file: Its path, for messages.
        out: The folder of parts, absolute and the same on every machine.
    """

    model: bytes
    model_file: Path
    source: BeatSource
    view: View | None
    threads: int
    out: Path


@dataclass(frozen=True)
class Task:
    """A recording by its name within the folder of parts, and where it lies."""

    record: str
    path: Path


@dataclass(frozen=True)
class Outcome:
    """What came of a recording: so many beats, or the reason why it was set aside."""

    record: str
    beats: int
    news: str
    reason: str | None = None


Engine = Callable[[Work, Sequence[Task], Advance], Iterator[Outcome]]
"""Yields an outcome for every task, in any order."""


def part_name(record: str) -> str:
    """The file of a recording below the folder of parts.

    Readers of Parquet folders overlook files and folders that start with `.` or `_`, and read `a=b` as a column.
    """
    escaped = [each.replace("%", "%25").replace("=", "%3D") for each in record.split("/")]
    return "/".join(f"%{ord(each[0]):02X}{each[1:]}" if each[0] in "._" else each for each in escaped) + ".parquet"


def score_part(work: Work, task: Task, advance: Advance = lambda share: None) -> Outcome:
    """Label one recording and write its part, unless the part is there.

    Raises:
        UserError: the model cannot be used, or the part cannot be written; a recording that cannot be read is no
            error but an outcome.
    """
    part = work.out / part_name(task.record)
    if part.is_file():
        return Outcome(task.record, pq.read_metadata(part).num_rows, f"{task.record}: was there")
    network = _network(work.model, work.model_file, work.threads)
    try:
        done = label(network, task.path, work.source, work.view, advance)
    except UserError as error:
        return Outcome(task.record, 0, f"{task.record}: set aside", str(error))
    except Exception as error:  # One recording among thousands does not end the others.
        return Outcome(task.record, 0, f"{task.record}: set aside", f"{task.path}: {type(error).__name__}: {error}")
    with open_output(part, "parquet") as write:
        write(done.scored.assign(record=task.record), task.record, done.recording.fs_hz)
    return Outcome(task.record, len(done.scored), done.news)


@lru_cache(maxsize=1)
def _network(model: bytes, model_file: Path, threads: int) -> Network:
    return open_network(model, model_file, threads)
