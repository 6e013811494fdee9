"""What a network learns from and is judged on: bare rows, or recordings with their beats in order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from pipeline.config import VariationConfig
from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import Block, ContextInputs, blocks
from pipeline.model.augmentation import augment

_PREDICTION_BATCH = 512
_BLOCKS_AT_ONCE = 16

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training side, in the order in which it is to be learned.

    Attributes:
        inputs: The network's input, or the list of its inputs.
        labels: Positions in `CLASSES`.
        weights: What each label counts; None for 1 each.
    """

    inputs: Any
    labels: npt.NDArray[np.int64]
    weights: Floats | None


class Examples(Protocol):
    """Beats to learn from or to be judged on."""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """(n,) positions in `CLASSES`."""
        ...

    @property
    def n_inputs(self) -> int:
        """About how many inputs an epoch has."""
        ...

    def epoch(self, rng: np.random.Generator) -> Epoch:
        """The beats, in an order that `rng` decides."""
        ...

    def predict(self, model: keras.Model) -> Floats:
        """Class probabilities, (n, 5), in the order of `labels`."""
        ...

    def example(self, n: int) -> Floats | dict[str, Floats]:
        """The network's input for the first `n` beats."""
        ...


@dataclass(frozen=True)
class RowExamples:
    """Rows and their classes.

    Attributes:
        rows: (n, 187) float32.
        labels: (n,) positions in `CLASSES`.
    """

    rows: Floats
    labels: npt.NDArray[np.int64]

    @property
    def n_inputs(self) -> int:
        """Rows."""
        return len(self.labels)

    def epoch(self, rng: np.random.Generator) -> Epoch:
        """All rows once, shuffled."""
        order = rng.permutation(len(self.labels))
        return Epoch(self.rows[order][..., None], self.labels[order], None)

    def predict(self, model: keras.Model) -> Floats:
        """Class probabilities, (n, 5) float32."""
        return np.asarray(model.predict(self.rows[..., None], batch_size=_PREDICTION_BATCH, verbose=0), np.float32)

    def example(self, n: int) -> Floats:
        """(n, 187, 1)."""
        return self.rows[:n, :, None]


@dataclass(frozen=True)
class Recording:
    """One recording's beats in order, and which of them count.

    Attributes:
        inputs: What the network reads.
        labels: (n,) positions in `CLASSES`.
        counts: (n,) bool; the other beats are context alone.
        generated: Whether the patient is a generated one.
    """

    inputs: ContextInputs
    labels: npt.NDArray[np.int64]
    counts: npt.NDArray[np.bool_]
    generated: bool = False


@dataclass(frozen=True)
class RecordingExamples:
    """Recordings, learned in stretches of consecutive beats and judged whole.

    Attributes:
        recordings: In the order of the beat table; each has a beat that counts.
        stretch_beats: Beats in a stretch.
        variation: How stretches are varied in training, if at all, and how many generated patients each epoch draws.
    """

    recordings: Sequence[Recording]
    stretch_beats: int
    variation: VariationConfig | None = None

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """(n,) positions in `CLASSES` of the beats that count."""
        return np.concatenate([each.labels[each.counts] for each in self.recordings])

    @property
    def n_inputs(self) -> int:
        """Stretches, but for those that a random offset adds, and for what lots decide."""
        stretches = [-(-len(each.labels) // self.stretch_beats) for each in self.recordings]
        generated = [n for n, each in zip(stretches, self.recordings, strict=True) if each.generated]
        learned = sum(generated) * self._drawn / max(len(generated), 1)
        return sum(stretches) - sum(generated) + round(learned)

    def epoch(self, rng: np.random.Generator) -> Epoch:
        """Stretches that cover recordings from a random offset on, varied and shuffled.

        All real ones, and as many generated ones as are drawn. A stretch reaches past the ends of its recording with
        zeros that do not count.
        """
        places = [
            (number, start)
            for number in self._lots(rng)
            for start in range(
                -int(rng.integers(self.stretch_beats)), len(self.recordings[number].labels), self.stretch_beats
            )
        ]
        stretches = [self._stretch(*places[place]) for place in rng.permutation(len(places))]
        beats, rhythm, labels, weights = (np.stack(arrays) for arrays in zip(*stretches, strict=True))
        if self.variation is not None:
            augment(beats, rhythm, self.variation, rng)
        return Epoch([beats, rhythm], labels, weights)

    def predict(self, model: keras.Model) -> Floats:
        """Class probabilities, (n, 5) float32, of the beats that count."""
        judged = predict_recordings(model, [each.inputs for each in self.recordings])
        return np.concatenate([found[each.counts] for found, each in zip(judged, self.recordings, strict=True)])

    def example(self, n: int) -> dict[str, Floats]:
        """One sequence of `n` beats."""
        inputs = self.recordings[0].inputs
        return {"beats": inputs.beats[None, :n], "rhythm": inputs.rhythm[None, :n]}

    @property
    def _drawn(self) -> int:
        """Generated recordings in an epoch."""
        there = sum(each.generated for each in self.recordings)
        return there if self.variation is None else min(self.variation.patients_an_epoch, there)

    def _lots(self, rng: np.random.Generator) -> list[int]:
        """Positions of an epoch's recordings."""
        generated = [number for number, each in enumerate(self.recordings) if each.generated]
        if self._drawn == len(generated):
            return list(range(len(self.recordings)))
        drawn = rng.choice(generated, self._drawn, replace=False)
        return [number for number, each in enumerate(self.recordings) if not each.generated or number in drawn]

    def _stretch(self, number: int, start: int) -> tuple[Floats, Floats, npt.NDArray[np.int64], Floats]:
        recording = self.recordings[number]
        places = np.arange(start, start + self.stretch_beats)
        inside = (places >= 0) & (places < len(recording.labels))
        places = np.clip(places, 0, len(recording.labels) - 1)
        weights = (inside & recording.counts[places]).astype(np.float32)
        there = inside.astype(np.float32)
        beats = recording.inputs.beats[places] * there[:, None, None]
        # A label that does not count may be a test beat's: it never leaves this method.
        labels = np.where(weights > 0, recording.labels[places], 0)
        return beats, recording.inputs.rhythm[places] * there[:, None], labels, weights


def predict_recordings(model: keras.Model, recordings: Sequence[ContextInputs]) -> list[Floats]:
    """Class probabilities, (n, 5) float32, of all beats of each recording, block by block."""
    results = [np.empty((len(each.beats), len(CLASSES)), np.float32) for each in recordings]
    by_length: dict[int, list[tuple[int, Block]]] = defaultdict(list)
    for number, each in enumerate(recordings):
        for block in blocks(len(each.beats)):
            by_length[block.stop - block.start].append((number, block))
    for together in by_length.values():
        for first in range(0, len(together), _BLOCKS_AT_ONCE):
            batch = together[first : first + _BLOCKS_AT_ONCE]
            beats = np.stack([recordings[number].beats[block.start : block.stop] for number, block in batch])
            rhythm = np.stack([recordings[number].rhythm[block.start : block.stop] for number, block in batch])
            judged = np.asarray(model.predict_on_batch([beats, rhythm]))
            for (number, block), result in zip(batch, judged, strict=True):
                kept = slice(block.keep_from - block.start, block.keep_to - block.start)
                results[number][block.keep_from : block.keep_to] = result[kept]
    return results
