"""The gate: every check that a version must pass to become champion, and what it said."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

from pipeline.config import Config
from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.evaluation.confusions import overall_scores, record_confusions
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.paired import paired_differences
from pipeline.promotion import checks
from pipeline.promotion.checks import Check
from pipeline.promotion.subject import Subject, labels, load_subject, probabilities
from pipeline.promotion.trial import early_rises, judged, strip_ms, unchanged_by_gain, validation_recordings
from pipeline.stages.entry import VALIDATION
from pipeline.stages.protocol_data import ProtocolData
from pipeline.tracking.registry import VersionRecord
from pipeline.tracking.store import Store, experiment_name

_BEAT = ["record", "sample"]
_ALONE = 8
"""The number of checks that need no other version."""


@dataclass(frozen=True)
class Verdict:
    """What the gate said of a version.

    Attributes:
        version: Of the candidate.
        champion: The champion when the gate began; None without one.
        checks: In the order in which they were made.
        looked: Whether figures of the test side were read.
    """

    version: int
    champion: int | None
    checks: tuple[Check, ...]
    looked: bool

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


def examine(
    store: Store,
    protocol: str,
    candidate: VersionRecord,
    champion: VersionRecord | int | None,
    config: Config,
    data: ProtocolData,
    *,
    look: bool,
) -> Verdict:
    """Make every check on a candidate; the one on the test side, whose looks are counted, only where `look`.

    Of a champion that was deleted `champion` is the number alone; nothing can be compared with it, so the gate fails.

    Raises:
        UserError: the candidate cannot be examined: it has no exported network, kept no predictions, or is about other
            beats than the workspace holds.
    """
    model = experiment_name(protocol)
    with tempfile.TemporaryDirectory() as folder:
        subject = load_subject(store, model, candidate, Path(folder))
        rival = _champion(store, model, champion, candidate, Path(folder))
        total = _ALONE + (1 + look) * isinstance(rival, Subject)
        found = list(track(_checks(subject, rival, config, data, look), "examine", total=total, transient=True))
    looked = look and isinstance(rival, Subject) and all(_test_scores(subject, rival))
    number = champion.version if isinstance(champion, VersionRecord) else champion
    return Verdict(candidate.version, number, tuple(found), looked)


def _champion(
    store: Store, model: str, champion: VersionRecord | int | None, candidate: VersionRecord, folder: Path
) -> Subject | UserError | None:
    """The champion to compare with, or the reason why it cannot be read, as when it reads rows."""
    if champion is None or champion == candidate:
        return None
    if isinstance(champion, int):
        return UserError(f"version {champion} was deleted; go back to one that is there with `heartbeat rollback`")
    try:
        return load_subject(store, model, champion, folder)
    except UserError as error:
        return error


def _checks(
    subject: Subject, rival: Subject | UserError | None, config: Config, data: ProtocolData, look: bool
) -> Iterator[Check]:
    asked = config.promotion
    yield _serves_the_same(rival)
    yield checks.clean_commit(subject.run.tags)
    yield checks.valid_data(_failed_expectations(), data.beats_md5 in subject.run.data_digests.values())
    recordings = validation_recordings(data)
    again = judged(subject.network, recordings)
    kept = subject.on("validation")
    if not again[_BEAT].equals(kept[_BEAT]):
        raise UserError(
            f"version {subject.version.version}: was judged on other validation beats than data/ holds now; "
            "run `dvc repro` so that the workspace has the beats of its run"
        )
    yield checks.in_parity(probabilities(again), probabilities(kept))
    yield checks.above_floors(_scores(kept), asked.floors.model_dump())
    yield checks.in_budget(subject.size_bytes, strip_ms(subject.network, recordings), asked)
    yield checks.invariant(unchanged_by_gain(subject.network, recordings, again))
    yield checks.early_beats_rise(early_rises(subject.network, recordings))
    if isinstance(rival, Subject):
        others = rival.on("validation")
        if not others[_BEAT].equals(kept[_BEAT]):
            others = judged(rival.network, recordings)
        yield checks.not_worse(_differences(others, kept), asked.margins.model_dump())
        if look:
            yield checks.no_veto(*_test_scores(subject, rival), asked.margins.model_dump())


def _test_scores(subject: Subject, rival: Subject) -> tuple[dict[str, float], dict[str, float]]:
    """F1 of both on the test side, where they were evaluated on the same beats of it; else none."""
    digests = {each.run.tags.get("test_digest", "") for each in (subject, rival)}
    if len(digests) > 1 or "" in digests:
        return {}, {}
    return subject.test_scores(), rival.test_scores()


def _serves_the_same(rival: Subject | UserError | None) -> Check:
    """Networks are opened under one contract of inputs and classes, this code's."""
    name = "serves the champion's clients"
    if rival is None:
        return Check(name, True, "there is no other champion")
    if isinstance(rival, UserError):
        return Check(name, False, f"the champion takes other inputs, or cannot be read: {rival}")
    return Check(name, True, f"inputs and classes are those of version {rival.version.version}")


def _scores(beats: pd.DataFrame) -> dict[str, float]:
    _, counts = record_confusions(
        beats.record.to_numpy(), labels(beats), probabilities(beats).argmax(axis=1).astype(np.int64)
    )
    scores = overall_scores(counts.sum(axis=0))
    return {"macro_f1": float(scores["macro_f1"])} | {name: float(scores[f"{name}_f1"]) for name in CLASSES}


def _differences(others: pd.DataFrame, own: pd.DataFrame) -> dict[str, Estimate]:
    calls = [probabilities(beats).argmax(axis=1) for beats in (others, own)]
    return paired_differences(own.record.to_numpy(), labels(own), *calls)


def _failed_expectations() -> list[str]:
    """The critical expectations that the workspace's data did not meet."""
    failed = []
    for name in ("records", "beats"):
        path = VALIDATION / f"{name}.json"
        try:
            told = json.loads(path.read_text(encoding="utf-8"))["expectations"]
        except FileNotFoundError as error:
            raise UserError(f"{path}: not found; run `dvc repro validate_{name}`") from error
        except (ValueError, KeyError) as error:
            raise UserError(f"{path}: damaged; run `dvc repro -f validate_{name}`") from error
        failed += [each["name"] for each in told if each["severity"] == "critical" and not each["success"]]
    return failed
