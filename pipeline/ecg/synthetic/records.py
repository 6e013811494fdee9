"""Synthetic records as WFDB files, in the form of the MIT-BIH Arrhythmia Database."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray

from pipeline.ecg.synthetic.patient import Patient, draw_patient
from pipeline.ecg.synthetic.profiles import profile_for
from pipeline.ecg.synthetic.rhythm import draw_beats
from pipeline.ecg.synthetic.signals import render
from pipeline.errors import UserError
from pipeline.files import atomic_path, disk_error

GAIN_ADU_PER_MV = 200
BASELINE_ADU = 1024
_HIGHEST_ADU = 2047
_SUFFIXES = (".dat", ".atr", ".hea")
"""In the order of writing: a record is there once its header is."""


@dataclass(frozen=True)
class Recording:
    """A record as it is stored.

    Attributes:
        lead_names: what the header calls the two leads.
        adu: the signals, shape (samples, 2), int64, in steps of the converter (0 to 2047).
        samples: where the annotations are, shape (annotations,), int64, ascending.
        symbols: their WFDB symbols; the first is `+`, which names the rhythm at the start.
        rhythm: that name, as in `(N`.
    """

    lead_names: tuple[str, str]
    adu: NDArray[np.int64]
    samples: NDArray[np.int64]
    symbols: tuple[str, ...]
    rhythm: str


def write_records(
    folder: Path,
    records: Sequence[str],
    minutes: float,
    seed: int,
    fs_hz: int = 360,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Write `<record>.dat`, `.atr` and `.hea` for each record into `folder`.

    A record's bytes depend on its name, `minutes`, `seed` and `fs_hz` only, not on its company.
    `progress` is called with each record's name once its files are there.

    Raises UserError for a name that WFDB cannot store and when a file cannot be written.
    """
    for record in records:
        if not re.fullmatch(r"[-\w]+", record, re.ASCII):
            raise UserError(f"{folder}: {record!r} cannot name a record; use letters, digits, '-' and '_'")
    for record in records:
        _write(folder, record, synthesise(record, minutes, seed, fs_hz), fs_hz)
        if progress is not None:
            progress(record)


def synthesise(record: str, minutes: float, seed: int, fs_hz: int = 360) -> Recording:
    """The patient, rhythm and signals of one record."""
    digest = hashlib.sha256(record.encode()).digest()
    patient_rng, rhythm_rng, signal_rng = (
        np.random.default_rng(child) for child in np.random.SeedSequence([seed, *digest]).spawn(3)
    )
    patient = draw_patient(profile_for(record), patient_rng)
    beats = draw_beats(patient, minutes * 60.0, rhythm_rng)
    samples = round(minutes * 60.0 * fs_hz)
    signal_mv, marks = render(patient, beats, samples, fs_hz, signal_rng)
    adu = np.rint(signal_mv * GAIN_ADU_PER_MV).astype(np.int64) + BASELINE_ADU
    return Recording(
        lead_names=patient.lead_names,
        adu=np.clip(adu, 0, _HIGHEST_ADU),
        samples=np.concatenate([[round(0.05 * fs_hz)], marks]),
        symbols=("+", *(beat.symbol for beat in beats)),
        rhythm=_rhythm(patient),
    )


def _rhythm(patient: Patient) -> str:
    """The rhythm a record starts with, in the words of the MIT-BIH annotations."""
    return "(AFIB" if patient.profile.fibrillation else "(N"


def _write(folder: Path, record: str, recording: Recording, fs_hz: int) -> None:
    try:
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            _write_wfdb(scratch, record, recording, fs_hz)
            for suffix in _SUFFIXES:
                with atomic_path(folder / f"{record}{suffix}") as temporary:
                    temporary.write_bytes((scratch / f"{record}{suffix}").read_bytes())
    except OSError as error:
        raise disk_error(folder / record, error) from error


def _write_wfdb(folder: Path, record: str, recording: Recording, fs_hz: int) -> None:
    leads = len(recording.lead_names)
    wfdb.wrsamp(
        record,
        fs=fs_hz,
        units=["mV"] * leads,
        sig_name=list(recording.lead_names),
        d_signal=recording.adu,
        fmt=["212"] * leads,
        adc_gain=[GAIN_ADU_PER_MV] * leads,
        baseline=[BASELINE_ADU] * leads,
        write_dir=str(folder),
    )
    wfdb.wrann(
        record,
        "atr",
        recording.samples,
        symbol=list(recording.symbols),
        aux_note=[recording.rhythm] + [""] * (len(recording.symbols) - 1),
        write_dir=str(folder),
    )
