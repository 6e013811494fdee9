"""Which files are recordings, and how each is opened: WFDB records, named without extension, and EDF files."""

from pathlib import Path
from typing import Final

from pipeline.ecg.recordings import FileRecording, open_wfdb

_EDF: Final = ".edf"


def open_recording(path: Path) -> FileRecording:
    """Open a recording by its path.

    Raises:
        UserError: it is missing or damaged, or its sampling rate is too low.
    """
    if is_edf(path):
        from pipeline.ecg.edf import open_edf

        return open_edf(path)
    return open_wfdb(path)


def is_edf(path: Path) -> bool:
    """Whether a recording is an EDF file, by its name."""
    return path.suffix.lower() == _EDF


def as_record(path: Path) -> Path:
    """The path that annotation files share with a recording: without extension."""
    return path.with_suffix("") if is_edf(path) else path


def recording_of(file: Path) -> Path | None:
    """The recording that a file of a folder stands for: a header its WFDB record, an EDF file itself."""
    if is_edf(file):
        return file
    return file.with_suffix("") if file.suffix == ".hea" else None
