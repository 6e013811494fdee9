"""What a protocol's stages read: beats with their sides."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.beats import column_names, read_beats, read_lists
from pipeline.ecg.sides import side_digest
from pipeline.errors import UserError
from pipeline.stages.entry import BEATS, SPLITS


@dataclass(frozen=True)
class ProtocolData:
    """The beats of one protocol, in the beat table's order.

    Attributes:
        beats: record, sample, aami, side; rr_prev_s where there are recordings.
        rows: (n, 187) float32.
        windows: (n, 2, 126) float32 in mV, or None where the data set is rows alone.
        labels: (n,) int64, positions in `CLASSES`.
        beats_md5: MD5 of data/beats.parquet, as DVC records it.
    """

    beats: pd.DataFrame
    rows: npt.NDArray[np.float32]
    windows: npt.NDArray[np.float32] | None
    labels: npt.NDArray[np.int64]
    beats_md5: str

    def on(self, side: str) -> npt.NDArray[np.bool_]:
        """(n,) bool, the beats of a side."""
        return (self.beats.side == side).to_numpy()

    def counts(self, side: str) -> dict[str, int]:
        """Beats of each class on a side."""
        found = np.bincount(self.labels[self.on(side)], minlength=len(CLASSES))
        return {name: int(count) for name, count in zip(CLASSES, found, strict=True)}

    def digest(self, side: str) -> str:
        """The identity of a side: equal digests mean the same beats with the same classes."""
        return side_digest(self.beats[self.on(side)])


def load_protocol(protocol: str) -> ProtocolData:
    """Read the beats that the protocol's split names.

    Raises:
        UserError: a file is missing or damaged, or the split names a beat that does not exist.
    """
    path = SPLITS / f"{protocol}.parquet"
    try:
        split = pd.read_parquet(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `dvc repro split@{protocol}`") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: cannot be read ({error}); run `dvc repro split@{protocol}`") from error
    rhythm = ["rr_prev_s"] if "rr_prev_s" in column_names(BEATS) else []
    beats = read_beats(BEATS, ["record", "sample", "aami", *rhythm])
    labelled = beats.merge(split, on=["record", "sample"], how="left", validate="one_to_one")
    kept = labelled.side.notna()
    if int(kept.sum()) != len(split):
        raise UserError(f"{path}: names beats that {BEATS} does not have; run `dvc repro split@{protocol}`")
    labels = labelled.aami[kept].map(CLASSES.index).to_numpy(dtype=np.int64)
    rows = read_lists(BEATS, "kaggle_row")[kept.to_numpy()]
    windows = read_lists(BEATS, "window")[kept.to_numpy()] if rhythm else None
    return ProtocolData(labelled[kept].reset_index(drop=True), rows, windows, labels, _md5(BEATS))


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
