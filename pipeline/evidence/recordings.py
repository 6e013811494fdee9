"""Whole recordings that hold validation beats, read from their files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipeline.ecg.aami import CLASS_OF_SYMBOL, CLASSES
from pipeline.ecg.recordings import Signal
from pipeline.ecg.records import read_record
from pipeline.ecg.windows import WINDOW_LEADS
from pipeline.errors import UserError
from pipeline.stages.entry import SPLITS


@dataclass(frozen=True)
class Annotated:
    """A recording with all of its beats, and which of them are judged.

    Attributes:
        signal: Two leads in mV; a second one that the recording lacks is all zeros.
        beats: (n,) samples of the annotated beats, ascending.
        labels: (n,) positions in `CLASSES`.
        judged: (n,) bool, the validation beats; the others are context alone.
    """

    signal: Signal
    beats: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    judged: npt.NDArray[np.bool_]


def validation_beats(protocol: str) -> dict[str, npt.NDArray[np.int64]]:
    """Samples of the protocol's validation beats, by record.

    Raises:
        UserError: the split is missing, damaged or without a validation side.
    """
    path = SPLITS / f"{protocol}.parquet"
    try:
        split = pd.read_parquet(path, filters=[("side", "==", "validation")])
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `dvc repro split@{protocol}`") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: cannot be read ({error}); run `dvc repro split@{protocol}`") from error
    if split.empty:
        raise UserError(f"{path}: has no validation beats; run `dvc repro split@{protocol}`")
    return {str(record): own["sample"].to_numpy(np.int64) for record, own in split.groupby("record")}


def read_annotated(folder: Path, judged: dict[str, npt.NDArray[np.int64]]) -> Iterator[Annotated]:
    """Read the recordings one after the other.

    Args:
        folder: Holds the WFDB records.
        judged: Samples of the beats to judge, by record.

    Raises:
        UserError: a recording cannot be read, or lacks a beat that is to be judged.
    """
    for name, samples in judged.items():
        record = read_record(folder, name)
        is_beat = np.array([str(symbol) in CLASS_OF_SYMBOL for symbol in record.symbols], dtype=bool)
        beats, symbols = record.samples[is_beat], record.symbols[is_beat]
        counts = np.isin(beats, samples)
        if counts.sum() != len(samples):
            raise UserError(
                f"{folder / name}.atr: lacks beats that data/splits names; name the folder of the records "
                "that the split was made of"
            )
        millivolts = np.zeros((len(record.digital), WINDOW_LEADS), np.float32)
        leads = record.physical[:, :WINDOW_LEADS]
        millivolts[:, : leads.shape[1]] = leads
        labels = np.array([CLASSES.index(CLASS_OF_SYMBOL[str(symbol)]) for symbol in symbols], dtype=np.int64)
        yield Annotated(Signal(name, record.fs_hz, millivolts), beats, labels, counts)
