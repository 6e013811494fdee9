"""What a model made of one side's beats: the input of every figure and table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.ecg.aami import CLASSES


@dataclass(frozen=True)
class SideResult:
    """What the model made of one side's beats.

    Attributes:
        records: (n,) record names.
        samples: (n,) int annotation samples, at the record's own rate.
        y_true: (n,) int class indexes.
        y_prob: (n, 5) probabilities.
        rows: (n, 187) float beats for the examples, or None where there are none to show.
    """

    records: NDArray[Any]
    samples: NDArray[Any]
    y_true: NDArray[Any]
    y_prob: NDArray[Any]
    rows: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.records), len(self.samples), len(self.y_true), len(self.y_prob)}
        lengths |= set() if self.rows is None else {len(self.rows)}
        if len(lengths) != 1 or self.y_prob.shape[1:] != (len(CLASSES),):
            raise ValueError(
                f"a side needs one row a beat and {len(CLASSES)} probabilities; lengths "
                f"{sorted(lengths)}, probabilities {self.y_prob.shape}"
            )

    @property
    def y_pred(self) -> NDArray[np.intp]:
        """(n,) the most probable class of each beat."""
        classes: NDArray[np.intp] = self.y_prob.argmax(axis=1)
        return classes
