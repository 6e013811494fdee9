"""A recording's path in, its labelled beats out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.formats import as_record, open_recording
from pipeline.ecg.recordings import FileRecording, Recording, read_beat_samples
from pipeline.ecg.windows import WINDOW_LEADS
from pipeline.errors import UserError
from pipeline.scoring.network import Network
from pipeline.scoring.pieces import detected
from pipeline.scoring.score import Advance, View, score_recording

USUAL_ANNOTATOR: Final = "atr"


@dataclass(frozen=True)
class BeatSource:
    """Where beat positions come from; without either: `<record>.atr` where it is there, else detection.

    Raises:
        UserError: the annotator is a path.
    """

    annotator: str | None = None
    detect: bool = False

    def __post_init__(self) -> None:
        """Check the annotator."""
        if self.annotator is not None and Path(self.annotator).name != self.annotator:
            raise UserError(f"annotator {self.annotator}: is a path; name the end of the files' names, such as atr")


EITHER: Final = BeatSource()


@dataclass(frozen=True)
class Labelled:
    """The beats of one recording, as `score_recording` gives them, and in words how they came about."""

    scored: pd.DataFrame
    recording: FileRecording
    news: str


def label(
    network: Network, path: Path, source: BeatSource, view: View | None, advance: Advance = lambda share: None
) -> Labelled:
    """Read one recording and label its beats.

    Raises:
        UserError: the recording or its annotation file cannot be used.
    """
    recording = open_recording(path)
    beats, origin = find_beats(path, recording, source)
    scored = score_recording(network, recording, beats, view, advance)
    more = recording.leads_in_file > WINDOW_LEADS
    leads = f" ({WINDOW_LEADS} of {recording.leads_in_file} leads read)" if more else ""
    return Labelled(scored, recording, f"{path.name}: {len(scored):,} beats {origin}{leads}")


def find_beats(path: Path, recording: Recording, source: BeatSource) -> tuple[npt.NDArray[np.int64], str]:
    """Samples of a recording's beats, and in words where they come from.

    Raises:
        UserError: the annotation file is missing or damaged.
    """
    annotator, record = source.annotator, as_record(path)
    if annotator is None and not source.detect and record.with_name(f"{record.name}.{USUAL_ANNOTATOR}").is_file():
        annotator = USUAL_ANNOTATOR
    if annotator is None:
        return detected(recording), "detected"
    return read_beat_samples(record, annotator, recording), f"of {record.name}.{annotator}"
