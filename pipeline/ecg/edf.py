"""Recordings as EDF and EDF+ files."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from edfio import read_edf

from pipeline.ecg.recordings import FileRecording, Floats, check_usable
from pipeline.ecg.records import READING_ERRORS, TO_MV, one_line
from pipeline.ecg.windows import WINDOW_LEADS
from pipeline.errors import UserError

_ECG_LABELS: Final = ("ECG", "EKG")


def open_edf(path: Path) -> FileRecording:
    """Open an EDF file: the first two signals of one rate whose label tells of ECG, or the first two if none does.

    Raises:
        UserError: the file is missing, truncated, discontinuous or no EDF, or the sampling rate is below 50 Hz.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # edfio warns of a truncated file and reads what is left.
            edf = read_edf(path, lazy_load_data=True)
        signals = list(edf.signals)
        discontinuous = edf.reserved.startswith("EDF+D")
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; give the path of an EDF file") from error
    except (*READING_ERRORS, Warning) as error:
        raise UserError(f"{path}: not a whole EDF file ({one_line(error)}); restore it from the source") from error
    if discontinuous:
        raise UserError(f"{path}: is discontinuous (EDF+D), its samples have gaps in time; save it as EDF or EDF+C")
    leads = _ecg_leads(signals)
    if not leads:
        raise UserError(f"{path}: has no signal; name a recording with at least one lead")
    fs_hz = float(leads[0].sampling_frequency)
    n_samples = edf.num_data_records * leads[0].samples_per_data_record
    check_usable(path, n_samples, fs_hz)

    def read(start: int, stop: int) -> Floats:
        try:
            return np.stack([_millivolts(lead, start / fs_hz, stop / fs_hz) for lead in leads], axis=1)
        except READING_ERRORS as error:
            raise UserError(f"{path}: cannot be read ({one_line(error)}); restore it from the source") from error

    return FileRecording(path.name, fs_hz, n_samples, len(signals), read)


def _ecg_leads(signals: Sequence[Any]) -> list[Any]:
    named = [each for each in signals if any(word in each.label.upper() for word in _ECG_LABELS)]
    candidates = named or list(signals)
    return [each for each in candidates if each.sampling_frequency == candidates[0].sampling_frequency][:WINDOW_LEADS]


def _millivolts(lead: Any, start_s: float, stop_s: float) -> Floats:
    values: Floats = (lead.get_data_slice(start_s, stop_s) * TO_MV.get(lead.physical_dimension, 1.0)).astype(np.float32)
    return values
