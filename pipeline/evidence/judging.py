"""A model's calls against annotated beats, when beats may also be missed or made up."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from pipeline.ecg.aami import CLASSES
from pipeline.evidence.recordings import Annotated

NO_BEAT: Final = -1
"""In place of a class: of a beat that was missed, or of a call where there is no beat."""

MATCH_S: Final = 0.15
"""How far a detected beat may lie from the annotated one (ANSI/AAMI EC57)."""

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Calls:
    """What a model said on the judged beats of one recording.

    Attributes:
        predicted: (n,) positions in `CLASSES`, or `NO_BEAT`, a call for each judged beat.
        extra: (m,) the calls where no beat is annotated.
    """

    predicted: Labels
    extra: Labels


def calls_at(case: Annotated, predicted: Labels) -> Calls:
    """The calls of a model that was given the annotated positions: one for each beat."""
    return Calls(predicted[case.judged], np.zeros(0, np.int64))


def calls_of_detections(case: Annotated, found: Labels, predicted: Labels) -> Calls:
    """The calls of a model that was given detected positions.

    A detection and a beat match when each is the other's nearest and they lie within 150 ms. A beat without a match is
    missed. A detection without one is an extra call, of the nearest beat's side: it counts where that beat is judged.

    Args:
        found: (m,) ascending samples of the detected beats.
        predicted: (m,) the call at each.
    """
    matched = np.full(len(case.beats), NO_BEAT, np.int64)
    if not len(found):
        return calls_at(case, matched)
    of_beat, of_call = _nearest(case.beats, found), _nearest(found, case.beats)
    mutual = of_call[of_beat] == np.arange(len(case.beats))
    near = np.abs(found[of_beat] - case.beats) <= MATCH_S * case.signal.fs_hz
    matches = mutual & near
    matched[matches] = predicted[of_beat[matches]]
    unmatched = np.setdiff1d(np.arange(len(found)), of_beat[matches])
    extra = unmatched[case.judged[of_call[unmatched]]]
    return Calls(matched[case.judged], predicted[extra])


def scores(labels: list[Labels], calls: list[Calls]) -> dict[str, Any]:
    """Macro-F1 of all classes and of N, S and V, F1 of S and V, and accuracy over all recordings.

    A missed beat counts against the recall of its class, an extra call against the precision of its class; accuracy is
    the share of right calls among beats and extra calls together.
    """
    n_extra = sum(len(each.extra) for each in calls)
    true = np.concatenate([*labels, np.full(n_extra, NO_BEAT, np.int64)])
    called = np.concatenate([*(each.predicted for each in calls), *(each.extra for each in calls)])
    f1 = f1_score(true, called, labels=range(len(CLASSES)), average=None, zero_division=0)
    return {
        "macro_f1": float(np.mean(f1)),
        "macro_f1_nsv": float(np.mean([f1[CLASSES.index(name)] for name in "NSV"])),
        **{f"{name}_f1": float(f1[CLASSES.index(name)]) for name in ("S", "V")},
        "accuracy": float(np.mean(true == called)),
        "missed": int((called == NO_BEAT).sum()),
        "extra": n_extra,
    }


def _nearest(places: Labels, among: Labels) -> Labels:
    """For each place the position of the nearest in `among`, which ascends and is not empty."""
    after = np.clip(np.searchsorted(among, places), 0, len(among) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(among[before] - places) <= np.abs(among[after] - places)
    return np.where(nearer, before, after).astype(np.int64)
