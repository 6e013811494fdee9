"""The table of beats as a file: written as Parquet with the same bytes each time, read by column."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ecg.rows import ROW_SAMPLES
from pipeline.ecg.windows import WINDOW_LEADS, WINDOW_SAMPLES
from pipeline.errors import UserError
from pipeline.files import atomic_path

_WINDOW_VALUES = WINDOW_LEADS * WINDOW_SAMPLES


def write_beats(path: Path, tables: Iterable[pa.Table]) -> int:
    """Write the tables one after the other, a row group each, and return the number of beats."""
    written = 0
    writer: pq.ParquetWriter | None = None
    with atomic_path(path) as temporary:
        for table in tables:
            writer = writer or pq.ParquetWriter(temporary, table.schema, compression="zstd", compression_level=1)
            writer.write_table(table, row_group_size=max(len(table), 1))
            written += len(table)
        if writer is None:
            raise UserError(f"{path}: there is no record to segment; check records.csv")
        writer.close()
    return written


def read_beats(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read scalar columns of the beat table, in its order."""
    frame: pd.DataFrame = _read(path, columns).to_pandas()
    return frame


def column_names(path: Path) -> list[str]:
    """The columns of the beat table."""
    return [str(name) for name in _opened(pq.read_schema, path).names]


def read_lists(path: Path, column: str) -> npt.NDArray[np.float32]:
    """Read `kaggle_row` as (n, 187) or `window` as (n, 2, 126) float32, in the table's order."""
    chunks = _read(path, [column]).column(column).chunks
    width = ROW_SAMPLES if column == "kaggle_row" else _WINDOW_VALUES
    flat = np.concatenate([chunk.flatten().to_numpy() for chunk in chunks])
    lists = flat.reshape(-1, width)
    return lists if column == "kaggle_row" else lists.reshape(-1, WINDOW_LEADS, WINDOW_SAMPLES)


def _read(path: Path, columns: Sequence[str]) -> pa.Table:
    return _opened(lambda file: pq.read_table(file, columns=list(columns)), path)


def _opened(read: Callable[[Path], Any], path: Path) -> Any:
    try:
        return read(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `dvc repro segment`") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: cannot be read ({error}); run `dvc repro segment`") from error
