"""Beats as rows of a table: cut from a recording, or from rows that came without one."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.ecg.aami import CLASS_OF_SYMBOL, CLASSES
from pipeline.ecg.records import Record, read_record
from pipeline.ecg.rows import ROW_SAMPLES, at_row_source_rate, beat_rows
from pipeline.ecg.windows import WINDOW_LEADS, WINDOW_SAMPLES, beat_windows, rhythm_features
from pipeline.errors import UserError


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
    columns["window"] = _lists(windows, WINDOW_LEADS * WINDOW_SAMPLES)
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


def _lists(values: npt.NDArray[np.float32], width: int) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1), pa.float32()), width)
