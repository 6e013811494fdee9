"""Any WFDB recording, annotated or not, by its path without extension: signal in, labels out."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import wfdb

from pipeline.ecg.aami import CLASS_OF_SYMBOL
from pipeline.ecg.records import READING_ERRORS, TO_MV, check_sizes, one_line, read_annotations
from pipeline.ecg.windows import WINDOW_LEADS
from pipeline.errors import UserError

LOWEST_RATE_HZ: Final = 50.0
"""Below it a QRS complex is a sample or two."""

Floats = npt.NDArray[np.float32]

BEAT_SYMBOLS: Final = frozenset(CLASS_OF_SYMBOL) | {"?"}
"""WFDB symbols of beats, with the one of a beat that nobody has classified."""


class Recording(Protocol):
    """The leads of one recording that scoring reads, piece by piece."""

    @property
    def name(self) -> str:
        """The record's name."""

    @property
    def fs_hz(self) -> float:
        """Sampling rate."""

    @property
    def n_samples(self) -> int:
        """Samples of each lead."""

    def read(self, start: int, stop: int) -> Floats:
        """(stop - start, 1 or 2) float32 in mV, NaN where a sample is invalid; UserError where the file is damaged."""


@dataclass(frozen=True)
class FileRecording:
    """A recording in a file, none of which is in memory.

    Attributes:
        leads_in_file: How many there are; the first two are read.
        read: See `Recording`.
    """

    name: str
    fs_hz: float
    n_samples: int
    leads_in_file: int
    read: Callable[[int, int], Floats]


@dataclass(frozen=True)
class Signal:
    """A recording in memory.

    Attributes:
        name: The record's name.
        fs_hz: Sampling rate.
        millivolts: (n_samples, 1 or 2) float32, the first two leads; NaN where a sample is invalid. Units that are
            not volts are taken as they are.
    """

    name: str
    fs_hz: float
    millivolts: Floats

    @property
    def n_samples(self) -> int:
        """Samples of each lead."""
        return len(self.millivolts)

    def read(self, start: int, stop: int) -> Floats:
        """A piece of `millivolts`."""
        return self.millivolts[start:stop]


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
    recording = open_wfdb(path)
    return Signal(recording.name, recording.fs_hz, recording.read(0, recording.n_samples))


def open_wfdb(path: Path) -> FileRecording:
    """Read `<path>.hea` and check that the signal files fit it.

    Raises:
        UserError: a file is missing, truncated or not WFDB, or the sampling rate is below 50 Hz.
    """
    check_present(path)
    header_file = path.with_name(f"{path.name}.hea")
    with _wfdb_errors(header_file):
        header = wfdb.rdheader(str(path))
        if not header.n_sig:
            raise UserError(f"{header_file}: has no signal; name a recording with at least one lead")
        if isinstance(header, wfdb.Record):
            check_sizes(path, header)
        fs_hz = float(header.fs)
        leads = list(range(min(header.n_sig, WINDOW_LEADS)))
        # Format 8 holds differences, which can only be added up from the start.
        differences = "8" in (getattr(header, "fmt", None) or [])
        if header.sig_len is None or differences:
            whole = _read_wfdb(path, leads, 0, None)
            n_samples, read = len(whole), lambda start, stop: whole[start:stop]
        else:
            n_samples, read = header.sig_len, partial(_read_wfdb, path, leads)
    check_usable(header_file, n_samples, fs_hz)
    return FileRecording(path.name, fs_hz, n_samples, header.n_sig, read)


def check_usable(file: Path, n_samples: int, fs_hz: float) -> None:
    """Raise a UserError for a recording without samples or of too low a rate."""
    if not n_samples:
        raise UserError(f"{file}: no samples; restore the recording from its source")
    if not fs_hz >= LOWEST_RATE_HZ:
        raise UserError(
            f"{file}: sampled at {fs_hz:g} Hz; name a recording of at least {LOWEST_RATE_HZ:g} Hz "
            "(models are trained on 360 Hz)"
        )


def _read_wfdb(path: Path, leads: list[int], start: int, stop: int | None) -> Floats:
    with _wfdb_errors(path.with_name(f"{path.name}.hea")):
        # In double precision, as `Record.physical` does it: training and scoring see the same numbers.
        record = wfdb.rdrecord(str(path), channels=leads, sampfrom=start, sampto=stop, return_res=64)
        millivolts: npt.NDArray[np.float64] = record.p_signal
        scale = [TO_MV.get(unit, 1.0) for unit in record.units]
        if scale != [1.0] * len(scale):
            millivolts = millivolts * scale
        return millivolts.astype(np.float32)


@contextmanager
def _wfdb_errors(header_file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{error.filename or header_file}: not found; restore it from the source") from error
    except READING_ERRORS as error:
        raise UserError(
            f"{header_file}: the recording cannot be read ({one_line(error)}); "
            "restore its .hea and signal file from the source"
        ) from error


def read_beat_samples(path: Path, annotator: str, recording: Recording) -> npt.NDArray[np.int64]:
    """Samples of the beats in `<path>.<annotator>`; annotations of other things are left out.

    Raises:
        UserError: the file is missing or damaged, or a beat lies past the end of the signal.
    """
    file = path.with_name(f"{path.name}.{annotator}")
    if not file.is_file():
        raise UserError(f"{file}: not found; name an annotator that the record has, or find beats with --detect")
    samples, symbols = read_annotations(path, annotator)
    beats = samples[np.isin(symbols, list(BEAT_SYMBOLS))]
    past = beats[beats >= recording.n_samples]
    if len(past):
        raise UserError(
            f"{file}: beat at sample {past[0]} lies past the end of the signal ({recording.n_samples} samples); "
            "restore it from the source"
        )
    return beats


def annotation_bytes(samples: npt.NDArray[np.int64], symbols: list[str], fs_hz: float) -> bytes:
    """The content of an annotation file, with the sampling rate in it; no beats, no annotations."""
    if not len(samples):
        return b"\0\0"
    with tempfile.TemporaryDirectory() as scratch:
        # A name of our own: wfdb refuses spaces and dots, which recordings may have.
        wfdb.wrann("beats", "hbt", samples, symbol=symbols, fs=fs_hz, write_dir=scratch)
        return (Path(scratch) / "beats.hbt").read_bytes()
