"""Annotated WFDB recordings in, arrays out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import wfdb

from pipeline.ecg.aami import CLASS_OF_SYMBOL, is_known_symbol
from pipeline.errors import UserError

_BYTES_A_SAMPLE = {"8": 1, "16": 2, "24": 3, "32": 4, "61": 2, "80": 1, "160": 2, "212": 1.5}
_MOST_PADDING_BYTES = 3
RECORD_COLUMNS = (
    "record",
    "n_leads",
    "sampling_rate_hz",
    "n_samples",
    "checksums_ok",
    "n_annotations",
    "last_annotation_sample",
    "unknown_symbols",
    "n_beats",
    "flat_fraction",
    "saturated_fraction",
    "problem",
)
"""What the record checks read, whether or not a record could be read."""

TO_MV: Final = {"V": 1e3, "uV": 1e-3, "µV": 1e-3, "nV": 1e-6}
"""As in `recordings`, by which scoring reads."""

READING_ERRORS = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, AssertionError)
"""What wfdb raises on files that are damaged or none of its own."""


@dataclass(frozen=True)
class Record:
    """One recording with its annotations.

    Attributes:
        name: The record's name.
        fs_hz: Sampling rate.
        digital: (n_samples, n_leads) int32, as stored; an invalid sample holds the last valid one of its lead, and the
            baseline before the first.
        gain: (n_leads,) ADU per unit.
        baseline: (n_leads,) ADU at 0 mV.
        unit_mv: (n_leads,) mV in the lead's unit; 1 for units that are not volts.
        checksums_ok: Whether the signal checksums that the header states fit the samples as stored.
        samples: (n_annotations,) int64, sample of every annotation, beats and others.
        symbols: (n_annotations,) WFDB annotation symbols.
    """

    name: str
    fs_hz: float
    digital: npt.NDArray[np.int32]
    gain: npt.NDArray[np.float64]
    baseline: npt.NDArray[np.float64]
    unit_mv: npt.NDArray[np.float64]
    checksums_ok: bool
    samples: npt.NDArray[np.int64]
    symbols: npt.NDArray[np.str_]

    @property
    def physical(self) -> npt.NDArray[np.float32]:
        """(n_samples, n_leads) float32 in mV."""
        return ((self.digital - self.baseline) / self.gain * self.unit_mv).astype(np.float32)


def read_record(folder: Path, name: str, annotator: str = "atr") -> Record:
    """Read `<folder>/<name>.hea`, its signal file and `<name>.<annotator>`.

    Raises:
        UserError: a file is missing, truncated or not WFDB.
    """
    path = folder / name
    header = folder / f"{name}.hea"
    try:
        record = wfdb.rdrecord(str(path), physical=False, return_res=32)
        sums = zip(record.checksum, record.calc_checksum(), strict=True)
        checksums_ok = all((int(told) - int(found)) & 0xFFFF == 0 for told, found in sums if told is not None)
        digital = record.d_signal
        valid = np.isfinite(record.dac())
        gain = np.asarray(record.adc_gain, dtype=np.float64)
        baseline = np.asarray(record.baseline, dtype=np.float64)
        unit_mv = np.array([TO_MV.get(unit, 1.0) for unit in record.units])
        fs_hz = float(record.fs)
    except FileNotFoundError as error:
        raise _missing(Path(str(error.filename or header))) from error
    except READING_ERRORS as error:
        raise UserError(
            f"{header}: the recording cannot be read ({one_line(error)}); "
            "restore its .hea and signal file from the source"
        ) from error
    if digital.ndim != 2 or not len(digital):
        raise UserError(f"{header}: no samples; restore the recording from its source")
    if not valid.any():
        raise UserError(f"{header}: no valid sample; restore the recording from its source")
    check_sizes(path, wfdb.rdheader(str(path)))
    samples, symbols = read_annotations(path, annotator)
    digital = _held(digital, valid, baseline)
    return Record(name, fs_hz, digital, gain, baseline, unit_mv, checksums_ok, samples, symbols)


def _held(
    digital: npt.NDArray[np.int32], valid: npt.NDArray[np.bool_], baseline: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    """Hold in place of each invalid sample what scoring holds there: nothing looks ahead."""
    if valid.all():
        return digital
    frame = pd.DataFrame(np.where(valid, digital, np.nan)).ffill()
    return frame.fillna(dict(enumerate(baseline))).to_numpy(np.int32)


def check_sizes(path: Path, header: wfdb.Record) -> None:
    """Refuse a signal file with more or fewer samples than its header tells of; wfdb lets some of either pass.

    Raises:
        UserError: the header's number of samples does not fit the size of a signal file.
    """
    if header.sig_len is None:
        return
    needed: dict[str, float] = {}
    for file, form, offset, samples_a_frame in zip(
        header.file_name, header.fmt, header.byte_offset, header.samps_per_frame, strict=True
    ):
        size = header.sig_len * samples_a_frame * _BYTES_A_SAMPLE.get(form, float("nan"))
        needed[file] = needed.get(file, offset or 0) + size
    for file, size in needed.items():
        found = (path.parent / file).stat().st_size
        if found > size + _MOST_PADDING_BYTES or found < size - 1:
            raise UserError(
                f"{path.parent / file}: has {found} bytes, but its header tells of {size:.0f}; "
                "restore the .hea and the signal file from the source"
            )


def read_annotations(path: Path, annotator: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """Samples and symbols of all annotations in `<path>.<annotator>`.

    Raises:
        UserError: the file is missing, truncated, out of order or not WFDB.
    """
    file = path.parent / f"{path.name}.{annotator}"
    try:
        complete = file.read_bytes().endswith(b"\0\0")
        annotation = wfdb.rdann(str(path), annotator)
        samples = np.asarray(annotation.sample, dtype=np.int64)
        symbols = np.asarray(annotation.symbol, dtype=np.str_)
    except FileNotFoundError as error:
        raise _missing(file) from error
    except READING_ERRORS as error:
        raise UserError(
            f"{file}: annotations cannot be read ({one_line(error)}); restore it from the source"
        ) from error
    if not complete:
        raise UserError(f"{file}: truncated (no end mark); restore it from the source")
    if np.any(np.diff(samples) < 0):
        raise UserError(f"{file}: annotations are out of order; restore it from the source")
    return samples, symbols


def inspect_record(folder: Path, name: str) -> dict[str, object]:
    """One row of the table that the record checks read; a reading problem becomes the row's `problem`."""
    try:
        record = read_record(folder, name)
    except UserError as error:
        return {"record": name, "problem": str(error)}
    top, bottom = record.digital.max(axis=0), record.digital.min(axis=0)
    # A lead that never moves is flat, and at no limit.
    at_limit = ((record.digital == top) | (record.digital == bottom)) & (top > bottom)
    unknown = sorted({str(s) for s in record.symbols if not is_known_symbol(str(s))})
    return {
        "record": name,
        "n_leads": record.digital.shape[1],
        "sampling_rate_hz": record.fs_hz,
        "n_samples": len(record.digital),
        "checksums_ok": record.checksums_ok,
        "n_annotations": len(record.samples),
        "last_annotation_sample": int(record.samples[-1]) if len(record.samples) else 0,
        "unknown_symbols": " ".join(unknown),
        "n_beats": sum(str(s) in CLASS_OF_SYMBOL for s in record.symbols),
        "flat_fraction": float((np.diff(record.digital, axis=0) == 0).mean(axis=0).max()),
        "saturated_fraction": float(at_limit.mean(axis=0).max()),
        "problem": "",
    }


def inspect_records(folder: Path, names: list[str]) -> pd.DataFrame:
    """The table that the record checks read, one row for each record of `names` found in `folder`."""
    present = [name for name in names if (folder / f"{name}.hea").exists()]
    return pd.DataFrame([inspect_record(folder, name) for name in present], columns=list(RECORD_COLUMNS))


def _missing(path: Path) -> UserError:
    return UserError(f"{path}: not found; restore it from the source or run the download stage again")


def one_line(error: Exception) -> str:
    """The error's message without line breaks."""
    return " ".join(str(error).split()) or type(error).__name__
