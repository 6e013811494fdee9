"""Where labelled beats go: one Parquet table, or an annotation file for each recording."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final, Literal, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.formats import as_record
from pipeline.ecg.recordings import annotation_bytes
from pipeline.errors import UserError
from pipeline.files import atomic_path, disk_error

ANNOTATOR: Final = "hbt"
"""The extension of annotation files that this project writes."""

Format = Literal["parquet", "wfdb"]

SCHEMA: Final = pa.schema(
    [
        ("record", pa.string()),
        ("sample", pa.int64()),
        ("time_s", pa.float64()),
        ("predicted", pa.string()),
        *((f"p_{name}", pa.float32()) for name in CLASSES),
    ]
)


_RECORDINGS: Final = b"heartbeat.recordings"
"""Where a table's metadata names its recordings: one without beats has no row."""


class Write(Protocol):
    """Takes the rows of one recording, its name and its sampling rate."""

    def __call__(self, scored: pd.DataFrame, name: str, fs_hz: float) -> None: ...


def open_output(out: Path, form: Format) -> AbstractContextManager[Write]:
    """Where to write recording by recording; nothing stays in `out` when one of them fails.

    Raises:
        UserError: `out` is a folder where a file is needed or the other way round, or cannot be written.
    """
    if form == "parquet":
        if out.is_dir():
            raise UserError(f"{out}: is a folder; name a file with --out, such as {out / 'beats.parquet'}")
        return _parquet(out)
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; --format wfdb writes a file for each recording, name a folder with --out")
    return _annotations(out)


def recordings_in(table: Path) -> set[str]:
    """Names of the recordings of a table or a folder of parts, those without beats included; none if it names none.

    Raises:
        OSError, ValueError: a file is no Parquet table.
    """
    files = table.rglob("*.parquet") if table.is_dir() else [table]
    told = (pq.read_metadata(file).metadata or {} for file in files)
    return {name for each in told for name in json.loads(each.get(_RECORDINGS, b"[]"))}


@contextmanager
def _parquet(out: Path) -> Iterator[Write]:
    names: list[str] = []
    with atomic_path(out) as temporary, pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:

        def write(scored: pd.DataFrame, name: str, fs_hz: float) -> None:
            names.append(name)
            writer.write_table(pa.Table.from_pandas(scored, SCHEMA, preserve_index=False))

        yield write
        writer.add_key_value_metadata({_RECORDINGS.decode(): json.dumps(names)})


@contextmanager
def _annotations(out: Path) -> Iterator[Write]:
    """All recordings are labelled and all files are on the disk before the first has its name."""
    contents: dict[str, bytes] = {}

    def write(scored: pd.DataFrame, name: str, fs_hz: float) -> None:
        samples, symbols = scored["sample"].to_numpy(), list(scored["predicted"])
        contents[as_record(Path(name)).name] = annotation_bytes(samples, symbols, fs_hz)

    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise disk_error(out, error) from error
    yield write
    with ExitStack() as files:
        for name, content in contents.items():
            files.enter_context(atomic_path(out / f"{name}.{ANNOTATOR}")).write_bytes(content)
