"""The two CSV files of the Kaggle "heartbeat" set: one beat a line, 187 samples and a label."""

import csv
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.rows import ROW_SAMPLES
from pipeline.errors import UserError
from pipeline.sources.local import copy_file, file_sha256

N_COLUMNS = ROW_SAMPLES + 1

# As published (lines end in CR LF), and with bare line feeds: size in bytes, then SHA-256.
KNOWN_FILES = {
    "mitbih_train.csv": {
        411_591_354: "241f1e1b398e2ec60274c7b4c2f7c8d18d280a9858b10e8e8bce93afba20c147",
        411_503_800: "ae4c80504ad1d0be5c3f1b3c6ef02851e4d1b05d05805fce2a73374f083a700e",
    },
    "mitbih_test.csv": {
        102_914_292: "6c97b8a2fe4c5b2d6c8168e5e512a8ec00ac103ded2517385a7676672bdf7992",
        102_892_400: "f3fdb3fd318275e653fac082b617d8c1ef09fca619a0606dc22c863451c77333",
    },
}


def copy_csvs(source: Path, folder: Path) -> None:
    """Copy `mitbih_train.csv` and `mitbih_test.csv` from `source` to `folder`.

    A file that is not the published one, by its sum, is read through first and taken with a
    warning on stderr. Raises UserError, before anything is copied, when one is missing or bad.
    """
    for name in KNOWN_FILES:
        path = source / name
        if not path.is_file():
            raise UserError(f"{path}: missing; set data.folder to the folder that holds it")
        if not _is_published(path):
            read_rows(path)
            print(f"warning: {path}: not the published file; taken as it is", file=sys.stderr)
    for name in KNOWN_FILES:
        copy_file(source / name, folder / name)


def read_rows(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read one of the CSV files.

    Returns the rows, float32 (n, 187), as stored, and their labels, int64 (n,), 0 to 4 for
    N S V F Q. Raises UserError naming file, line and column when the number of columns is not
    188, a value is not a finite number, or a label is none of these.
    """
    names = [str(column) for column in range(N_COLUMNS)]
    rows: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.int64]] = []
    try:
        reader = pa.csv.open_csv(
            path,
            read_options=pa.csv.ReadOptions(column_names=names),
            parse_options=pa.csv.ParseOptions(quote_char=False),
            convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float32()), null_values=[]),
        )
        for batch in reader:
            *samples, label = (column.to_numpy() for column in batch.columns)
            block = np.stack(samples, axis=1)
            if not (np.isfinite(block).all() and np.isin(label, range(len(CLASSES))).all()):
                raise _fault(path, "a value or label is out of range")
            rows.append(block)
            labels.append(label.astype(np.int64))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
    except pa.ArrowInvalid as error:
        raise _fault(path, str(error)) from error
    if not rows:
        raise UserError(f"{path}: has no rows; get the file again")
    return np.concatenate(rows), np.concatenate(labels)


def _is_published(path: Path) -> bool:
    known = KNOWN_FILES[path.name].get(path.stat().st_size)
    return known is not None and file_sha256(path) == known


def _fault(path: Path, reason: str) -> UserError:
    """Find the first bad line and column, slowly: the fast reader only says that there is one."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        reader = csv.reader(lines, quoting=csv.QUOTE_NONE)
        try:
            return _first_fault(path, reader, reason)
        except csv.Error as error:  # A line without commas may be longer than csv takes.
            return UserError(f"{path}:{reader.line_num}: {error}; mend the line or get the file again")


def _first_fault(path: Path, reader: Any, reason: str) -> UserError:
    n_rows = 0
    for fields in reader:
        if not fields:
            continue
        n_rows += 1
        if len(fields) != N_COLUMNS:
            return UserError(
                f"{path}:{reader.line_num}: has {len(fields)} columns, expected {N_COLUMNS}: "
                f"{ROW_SAMPLES} samples and a label; mend the line or get the file again"
            )
        for column, field in enumerate(fields, 1):
            complaint = _complaint(field, is_label=column == N_COLUMNS)
            if complaint:
                return UserError(
                    f"{path}:{reader.line_num}: column {column}: {field[:40]!r} is "
                    f"{complaint}; mend the line or get the file again"
                )
    if not n_rows:
        return UserError(f"{path}: has no rows; get the file again")
    return UserError(f"{path}: cannot be read ({' '.join(reason.split())}); get the file again")


def _complaint(field: str, *, is_label: bool) -> str | None:
    try:
        value = float(field)
    except ValueError:
        return "not a number"
    if not math.isfinite(value):
        return "not a finite number"
    if is_label and value not in range(len(CLASSES)):
        return f"no label (0 to {len(CLASSES) - 1})"
    return None
