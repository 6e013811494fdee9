"""The gate's checks: numbers in, a verdict of one sentence out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.config import PromotionConfig
from pipeline.evaluation.intervals import Estimate

PARITY = 1e-4
UNCHANGED = 0.99
RAISED = 0.9


@dataclass(frozen=True)
class Check:
    """One check: whether it passed, and its numbers in a sentence."""

    name: str
    passed: bool
    said: str

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)


def above_floors(scores: Mapping[str, float], floors: Mapping[str, float]) -> Check:
    """Scores on validation reach the floors; a class without beats there has a NaN score and is left out."""
    told, failed = [], False
    for name, floor in floors.items():
        score = scores[name]
        if np.isnan(score):
            told.append(f"{name} has no beats")
            continue
        failed |= score < floor
        told.append(f"{name} {score:.4f} (floor {floor:g})")
    return Check("floors on validation", not failed, ", ".join(told))


def not_worse(differences: Mapping[str, Estimate], margins: Mapping[str, float]) -> Check:
    """The 95 % interval of each class's F1 difference to the champion stays above minus its margin.

    Non-inferiority by paired bootstrap over validation records. With a single record there is no interval, and the
    difference itself is judged; a class that neither calls nor has is left out.
    """
    told, failed = [], False
    for name, margin in margins.items():
        difference = differences[f"{name}_f1"]
        if np.isnan(difference.value):
            continue
        low = difference.value if np.isnan(difference.low) else difference.low
        failed |= low < -margin
        told.append(f"{name} {difference.value:+.4f} (at least {low:+.4f}, margin {margin:g})")
    return Check("not worse than the champion on validation", not failed, ", ".join(told))


def no_veto(candidate: Mapping[str, float], champion: Mapping[str, float], margins: Mapping[str, float]) -> Check:
    """On the test side no class falls behind the champion by more than its margin; a better one earns nothing."""
    behind = {name: candidate[name] - champion[name] for name in margins if name in candidate and name in champion}
    told = ", ".join(f"{name} {difference:+.4f} (margin {margins[name]:g})" for name, difference in behind.items())
    failed = any(difference < -margins[name] for name, difference in behind.items())
    return Check("no veto from the test side", not failed, told or "not evaluated there by both on the same beats")


def in_parity(onnx: npt.NDArray[np.float32], keras: npt.NDArray[np.float32]) -> Check:
    """ONNX and Keras give the same classes, and probabilities within 1e-4, on the same beats: (n, 5) each."""
    furthest = float(np.abs(onnx - keras).max())
    others = int((onnx.argmax(axis=1) != keras.argmax(axis=1)).sum())
    said = f"{len(onnx):,} validation beats: {others} of another class, probabilities at most {furthest:.1e} apart"
    return Check("ONNX equals Keras", others == 0 and furthest <= PARITY, said)


def in_budget(size_bytes: int, p50_ms: float, config: PromotionConfig) -> Check:
    """The file is small and a ten-second strip is judged fast."""
    size_mb = size_bytes / 1e6
    said = (
        f"{size_mb:.2f} MB (at most {config.size_mb:g}), {p50_ms:.1f} ms a strip of 10 s (at most {config.strip_ms:g})"
    )
    return Check("size and latency", size_mb <= config.size_mb and p50_ms <= config.strip_ms, said)


def invariant(unchanged: Mapping[str, float]) -> Check:
    """Gain and polarity leave at least 99 % of the classes as they are."""
    said = ", ".join(f"{name} {share:.2%} unchanged" for name, share in unchanged.items())
    return Check("gain and polarity do not matter", min(unchanged.values()) >= UNCHANGED, said)


def early_beats_rise(rises: npt.NDArray[np.float64]) -> Check:
    """Normal beats that come 30 % early get a higher probability of S: the changes of that probability."""
    if not len(rises):
        return Check("an early beat looks premature", False, "no normal beat among normal ones on validation")
    share = float((rises > 0).mean())
    said = f"p(S) rises for {share:.0%} of {len(rises)} normal beats that come 30 % early, by {np.median(rises):.3f}"
    return Check("an early beat looks premature", share >= RAISED, said)


def valid_data(failed: list[str], same_beats: bool) -> Check:
    """The data passed validation, and the beats validated are those that the run read."""
    if failed:
        return Check("data validation", False, f"failed: {', '.join(failed)}")
    said = "passed on the beats of the run" if same_beats else "passed, but on other beats than the run read"
    return Check("data validation", same_beats, said)


def clean_commit(tags: Mapping[str, str]) -> Check:
    """The run is all of one commit."""
    commit = tags.get("git_commit", "")
    clean = bool(commit) and tags.get("git_dirty") == "false"
    said = f"commit {commit[:10] or 'unknown'}" + ("" if clean else ", with changes that were not committed")
    return Check("commit clean", clean, said)
