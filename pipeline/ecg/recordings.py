"""Any WFDB recording, annotated or not, by its path without extension: signal in, labels out."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import wfdb

from pipeline.ecg.aami import CLASS_OF_SYMBOL
from pipeline.ecg.records import READING_ERRORS, check_sizes, one_line, read_annotations
from pipeline.ecg.windows import WINDOW_LEADS
from pipeline.errors import UserError
from pipeline.files import atomic_path

LOWEST_RATE_HZ: Final = 50.0
"""Below it a QRS complex is a sample or two."""

BEAT_SYMBOLS: Final = frozenset(CLASS_OF_SYMBOL) | {"?"}
"""WFDB symbols of beats, with the one of a beat that nobody has classified."""

_TO_MV: Final = {"V": 1e3, "uV": 1e-3, "µV": 1e-3, "nV": 1e-6}


@dataclass(frozen=True)
class Signal:
    """The leads of one recording that scoring reads.

    Attributes:
        name: The record's name.
        fs_hz: Sampling rate.
        millivolts: (n_samples, 1 or 2) float32, the first two leads; NaN where a sample is invalid. Units that are
            not volts are taken as they are.
    """

    name: str
    fs_hz: float
    millivolts: npt.NDArray[np.float32]


def check_present(path: Path) -> None:
    """Raise a UserError unless `<path>.hea` is there."""
    header = path.with_name(f"{path.name}.hea")
    if header.is_file():
        return
    if path.suffix in (".hea", ".dat", ".atr") and path.with_suffix(".hea").is_file():
        raise UserError(f"{path}: a WFDB record is named without extension; name {path.with_suffix('')}")
    raise UserError(f"{header}: not found; give the path of a WFDB record, without extension")


def read_signal(path: Path) -> Signal:
    """Read the first two leads of `<path>.hea` and its signal files.

    Raises:
        UserError: a file is missing, truncated or not WFDB, or the sampling rate is below 50 Hz.
    """
    check_present(path)
    header_file = path.with_name(f"{path.name}.hea")
    try:
        header = wfdb.rdheader(str(path))
        if not header.n_sig:
            raise UserError(f"{header_file}: has no signal; name a recording with at least one lead")
        if isinstance(header, wfdb.Record):
            check_sizes(path)
        leads = list(range(min(header.n_sig, WINDOW_LEADS)))
        # In double precision, as `Record.physical` does it: training and scoring see the same numbers.
        record = wfdb.rdrecord(str(path), channels=leads, return_res=64)
        scale = [_TO_MV.get(unit, 1.0) for unit in record.units]
        millivolts = (record.p_signal * scale).astype(np.float32)
        fs_hz = float(record.fs)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename or header_file}: not found; restore it from the source") from error
    except READING_ERRORS as error:
        raise UserError(
            f"{header_file}: the recording cannot be read ({one_line(error)}); "
            "restore its .hea and signal file from the source"
        ) from error
    if not len(millivolts):
        raise UserError(f"{header_file}: no samples; restore the recording from its source")
    if not fs_hz >= LOWEST_RATE_HZ:
        raise UserError(
            f"{header_file}: sampled at {fs_hz:g} Hz; name a recording of at least {LOWEST_RATE_HZ:g} Hz "
            "(models are trained on 360 Hz)"
        )
    return Signal(path.name, fs_hz, millivolts)


def read_beat_samples(path: Path, annotator: str, signal: Signal) -> npt.NDArray[np.int64]:
    """Samples of the beats in `<path>.<annotator>`; annotations of other things are left out.

    Raises:
        UserError: the file is missing or damaged, or a beat lies past the end of the signal.
    """
    file = path.with_name(f"{path.name}.{annotator}")
    if not file.is_file():
        raise UserError(f"{file}: not found; name an annotator that the record has, or find beats with --detect")
    samples, symbols = read_annotations(path, annotator)
    beats = samples[np.isin(symbols, list(BEAT_SYMBOLS))]
    past = beats[beats >= len(signal.millivolts)]
    if len(past):
        raise UserError(
            f"{file}: beat at sample {past[0]} lies past the end of the signal ({len(signal.millivolts)} samples); "
            "restore it from the source"
        )
    return beats


def write_annotations(
    folder: Path, name: str, annotator: str, samples: npt.NDArray[np.int64], symbols: list[str], fs_hz: float
) -> Path:
    """Write `<folder>/<name>.<annotator>`, with the sampling rate in it, atomically; no beats, no annotations."""
    path = folder / f"{name}.{annotator}"
    content = b"\0\0"
    if len(samples):
        with tempfile.TemporaryDirectory() as scratch:
            wfdb.wrann(name, annotator, samples, symbol=symbols, fs=fs_hz, write_dir=scratch)
            content = (Path(scratch) / path.name).read_bytes()
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return path
