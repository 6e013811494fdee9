"""The table of beats: built from recordings, written as Parquet with the same bytes each time."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ecg.aami import CLASS_OF_SYMBOL, CLASSES
from pipeline.ecg.records import Record, read_record
from pipeline.ecg.rows import ROW_SAMPLES, at_row_source_rate, beat_rows
from pipeline.ecg.windows import WINDOW_LEADS, WINDOW_SAMPLES, beat_windows, rhythm_features
from pipeline.errors import UserError
from pipeline.files import atomic_path

_WINDOW_VALUES = WINDOW_LEADS * WINDOW_SAMPLES


def segment_record(folder: Path, name: str) -> pa.Table:
    """All beats of one recording that have a Kaggle row, in order: every beat but one that nothing follows.

    Raises:
        UserError: the recording cannot be read, or an annotation lies past its end.
    """
    record = read_record(folder, name)
    past = record.samples[record.samples >= len(record.digital)]
    if len(past):
        raise UserError(
            f"{folder / name}.atr: annotation at sample {past[0]} lies past the end of the signal "
            f"({len(record.digital)} samples); restore the .dat or the .atr from the source"
        )
    return _table(record)


def _table(record: Record) -> pa.Table:
    is_beat = np.array([str(symbol) in CLASS_OF_SYMBOL for symbol in record.symbols], dtype=bool)
    beats = np.flatnonzero(is_beat)
    rhythm = rhythm_features(record.samples[beats], record.fs_hz)
    has_row = beats + 1 < len(record.samples)
    beats, rhythm = beats[has_row], rhythm[has_row]
    samples, symbols = record.samples[beats], record.symbols[beats]
    lead, places = at_row_source_rate(record.digital[:, 0].astype(np.float64), record.samples, record.fs_hz)
    columns: dict[str, pa.Array] = {
        "record": pa.array([record.name] * len(beats), pa.string()),
        "sample": pa.array(samples, pa.int64()),
        "symbol": pa.array(symbols.tolist(), pa.string()),
        "aami": pa.array([CLASS_OF_SYMBOL[str(s)] for s in symbols], pa.string()),
    }
    columns |= {name: pa.array(rhythm[name].to_numpy(), pa.float32()) for name in rhythm.columns}
    columns["kaggle_row"] = _lists(beat_rows(lead, places, beats), ROW_SAMPLES)
    windows = beat_windows(record.physical, record.fs_hz, samples)
    columns["window"] = _lists(windows, _WINDOW_VALUES)
    return pa.table(columns)


def row_table(rows: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], name: str) -> pa.Table:
    """A table of bare rows, without recording or rhythm: `sample` is the row's number in its file.

    Args:
        rows: (n, 187) float32.
        labels: (n,) positions in `CLASSES`.
        name: Stands in the column `record`.
    """
    classes = np.asarray(CLASSES)[labels].tolist()
    return pa.table(
        {
            "record": pa.array([name] * len(rows), pa.string()),
            "sample": pa.array(np.arange(len(rows)), pa.int64()),
            "symbol": pa.array(classes, pa.string()),
            "aami": pa.array(classes, pa.string()),
            "kaggle_row": _lists(rows, ROW_SAMPLES),
        }
    )


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


def read_lists(path: Path, column: str) -> npt.NDArray[np.float32]:
    """Read `kaggle_row` as (n, 187) or `window` as (n, 2, 126) float32, in the table's order."""
    chunks = _read(path, [column]).column(column).chunks
    width = ROW_SAMPLES if column == "kaggle_row" else _WINDOW_VALUES
    flat = np.concatenate([chunk.flatten().to_numpy() for chunk in chunks])
    lists = flat.reshape(-1, width)
    return lists if column == "kaggle_row" else lists.reshape(-1, WINDOW_LEADS, WINDOW_SAMPLES)


def _read(path: Path, columns: Sequence[str]) -> pa.Table:
    try:
        return pq.read_table(path, columns=list(columns))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `dvc repro segment`") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: cannot be read ({error}); run `dvc repro segment`") from error


def _lists(values: npt.NDArray[np.float32], width: int) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1), pa.float32()), width)
