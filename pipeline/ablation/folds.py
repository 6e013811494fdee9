"""The training records of `interpatient` in five fixed folds, and their beats: no other record is ever read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from pipeline.ablation.ideas import BASELINE, IDEAS, PROTOCOL, Idea
from pipeline.config import Config
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import CHANNELS, RHYTHM_FEATURES, ContextInputs, context_inputs
from pipeline.ecg.dataset import Dataset
from pipeline.ecg.windows import WINDOW_LEADS, WINDOW_SAMPLES
from pipeline.errors import UserError
from pipeline.model.examples import Epoch, Recording, RecordingExamples

FOLDS: Final = 5
FOLDS_FILE: Final = Path("data/reference/mitdb_folds.csv")
"""Beside the data set's own facts, on which the stages depend."""

_LEARNED_FROM: Final = ("train", "validation")
_SECOND_LIKENESS: Final = ("likeness_record_1", "likeness_prev_1")


@dataclass(frozen=True)
class Beats:
    """All beats of one record, in order.

    Attributes:
        windows: (n, 2, 126) float32 in mV.
        times_s: (n,) ascending.
        labels: (n,) positions in `CLASSES`.
    """

    windows: npt.NDArray[np.float32]
    times_s: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]


def read_folds(dataset: Dataset, path: Path = FOLDS_FILE) -> dict[str, int]:
    """The fold, 1 to 5, of each training record.

    Raises:
        UserError: the table is missing, names a record of another side or leaves a fold or a record out, or has one
            patient's records in several folds.
    """
    try:
        table = pd.read_csv(path, dtype={"record": str, "fold": int})
        folds = dict(zip(table.record, table.fold, strict=True))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; write a table with the columns record,fold") from error
    except (ValueError, AttributeError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}; needed: columns record,fold") from error
    facts = dataset.records.set_index("record")
    own = set(facts.index[facts.side.isin(_LEARNED_FROM)])
    for record in sorted(own ^ set(folds)):
        what = "has no fold; give it one" if record in own else "is not a training record; take it out"
        raise UserError(f"{path}: record {record} {what}")
    if set(folds.values()) != set(range(1, FOLDS + 1)):
        raise UserError(f"{path}: needs the folds 1 to {FOLDS}, each with a record")
    split = table.fold.groupby(table.record.map(facts.patient)).nunique()
    if (split > 1).any():
        raise UserError(f"{path}: patient {split.idxmax()} is in several folds; put the records into one")
    return {str(record): int(fold) for record, fold in folds.items()}


def read_training_beats(path: Path, records: list[str]) -> dict[str, Beats]:
    """The beats of these records from the beat table; rows of other records are not read.

    Raises:
        UserError: the table is missing, or has no beat of one of them.
    """
    columns = ["record", "aami", "rr_prev_s", "window"]
    try:
        table = pq.read_table(path, columns=columns, filters=[("record", "in", records)])
    except (FileNotFoundError, OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); run `dvc repro segment`") from error
    frame = table.select(columns[:-1]).to_pandas()
    flat = table.column("window").combine_chunks().flatten().to_numpy()
    windows = flat.reshape(-1, WINDOW_LEADS, WINDOW_SAMPLES)
    found = {}
    for record, places in frame.groupby("record", sort=False).indices.items():
        labels = frame.aami.iloc[places].map(CLASSES.index).to_numpy(dtype=np.int64)
        times_s = np.nancumsum(frame.rr_prev_s.to_numpy(dtype=np.float64)[places])
        found[str(record)] = Beats(windows[places], times_s, labels)
    missing = sorted(set(records) - set(found))
    if missing:
        raise UserError(f"{path}: has no beat of record {missing[0]}; run `dvc repro segment`")
    return found


@dataclass(frozen=True)
class MaskedExamples(RecordingExamples):
    """Recordings of which the network sees some inputs as zeros, varied or not."""

    idea: Idea = IDEAS[BASELINE]

    def epoch(self, rng: np.random.Generator) -> Epoch:
        """As of `RecordingExamples`; what variation puts into a hidden input is taken out."""
        epoch = super().epoch(rng)
        for array, places in zip(epoch.inputs, _hidden(self.idea), strict=True):
            array[..., places] = 0
        return epoch


def recordings_of(beats: Iterable[Beats]) -> list[Recording]:
    """Records as recordings of which every beat counts."""
    return [
        Recording(context_inputs(each.windows, each.times_s), each.labels, np.ones(len(each.labels), dtype=bool))
        for each in beats
    ]


def examples_of_fold(config: Config, idea: Idea, recordings: Sequence[Recording]) -> MaskedExamples:
    """These recordings as the idea lets the network see them, varied as params say."""
    channels, features = _hidden(idea)
    if idea.one_lead:
        channels = [*channels, *range(1, CHANNELS, WINDOW_LEADS)]
        features = [*features, *(place for place, name in enumerate(RHYTHM_FEATURES) if name in _SECOND_LIKENESS)]
    shown = []
    for each in recordings:
        beats, rhythm = each.inputs.beats.copy(), each.inputs.rhythm.copy()
        beats[..., channels] = 0
        rhythm[..., features] = 0
        shown.append(replace(each, inputs=ContextInputs(beats, rhythm)))
    settings = config.train
    return MaskedExamples(shown, settings.context.stretch_beats, settings.variation.of(PROTOCOL), idea)


def _hidden(idea: Idea) -> tuple[list[int], list[int]]:
    return list(idea.channels), [RHYTHM_FEATURES.index(name) for name in idea.features]
