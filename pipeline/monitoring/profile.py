"""The reference that drift is measured against: histograms of every fact, a row a recording.

Drift is the population stability index, the sum over bins of (q - p) ln(q / p). Patients differ so much that the rule
of thumb (0.25 is a shift) would never be silent. The limit of each fact is what sets of as many of the reference's own
recordings reach against all of them, drawn at random, with a margin.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.errors import UserError
from pipeline.files import write_text
from pipeline.monitoring.facts import CHOICES, FACTS

BINS: Final = 10
FEWEST_RECORDS: Final = 4
_DRAWS: Final = 2000
_SEED: Final = 1
_MARGIN: Final = 1.25
_LEAST_LIMIT: Final = 0.25
_FLOOR: Final = 1e-3
_FORMAT: Final = 1

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Profile:
    """The reference.

    Attributes:
        records: names of the r recordings.
        edges: (k - 1,) ascending inner edges of the bins of each fact that is a number.
        counts: (r, bins) beats of each recording in each bin of each fact; the last bin is for what is missing.
    """

    records: tuple[str, ...]
    edges: Mapping[str, npt.NDArray[np.float64]]
    counts: Mapping[str, Counts]


def make_profile(facts: pd.DataFrame) -> Profile:
    """The profile of `beat_facts` of several recordings; bins are the deciles of all their beats.

    Raises UserError when there are fewer than four recordings.
    """
    names = tuple(sorted(map(str, facts["record"].unique())))
    if len(names) < FEWEST_RECORDS:
        raise UserError(f"a reference of {len(names)} recordings says nothing; name at least {FEWEST_RECORDS}")
    edges = {}
    for fact in FACTS:
        if fact not in CHOICES:
            known = facts[fact].dropna()
            shares = np.arange(1, BINS) / BINS
            edges[fact] = np.unique(np.quantile(known, shares)) if len(known) else np.zeros(0)
    counts = {
        fact: np.stack([_histogram(own[fact], fact, edges) for _, own in facts.groupby("record", sort=True)])
        for fact in FACTS
    }
    return Profile(names, edges, counts)


def drift(profile: Profile, facts: pd.DataFrame) -> pd.DataFrame:
    """A row a fact: `fact`, `psi`, `limit`, `alarm` (psi above limit).

    Args:
        facts: `beat_facts` of the recordings to be judged, at least one beat.
    """
    n_drawn = min(facts["record"].nunique(), len(profile.records) // 2)
    rows = []
    for fact in FACTS:
        whole = profile.counts[fact].sum(axis=0)
        found = float(stability_index(whole, _histogram(facts[fact], fact, profile.edges)))
        limit = _limit(profile.counts[fact], n_drawn)
        rows.append({"fact": fact, "psi": found, "limit": limit, "alarm": found > limit})
    return pd.DataFrame(rows)


def stability_index(reference: Counts, found: Counts) -> npt.NDArray[np.float64]:
    """The population stability index of histograms, (...,) from `found`, (..., bins), against `reference`, (bins,).

    Shares below 0.001 count as that, so that an empty bin is no infinity.
    """
    p = np.maximum(reference / reference.sum(), _FLOOR)
    q = np.maximum(found / found.sum(axis=-1, keepdims=True), _FLOOR)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def write_profile(profile: Profile, path: Path) -> None:
    """Write the profile as JSON."""
    content = {
        "format": _FORMAT,
        "records": list(profile.records),
        "edges": {fact: edges.tolist() for fact, edges in profile.edges.items()},
        "counts": {fact: counts.tolist() for fact, counts in profile.counts.items()},
    }
    write_text(path, json.dumps(content) + "\n")


def read_profile(path: Path) -> Profile:
    """Read what `write_profile` wrote.

    Raises UserError when the file is missing or is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT or set(content["counts"]) != set(FACTS):
            raise ValueError("made for other facts")
        edges = {str(fact): np.asarray(own, np.float64) for fact, own in content["edges"].items()}
        counts = {str(fact): np.asarray(own, np.int64) for fact, own in content["counts"].items()}
        records = tuple(map(str, content["records"]))
        for fact, own in counts.items():
            bins = len(CHOICES[fact]) if fact in CHOICES else len(edges[fact]) + 1
            if own.shape != (len(records), bins + 1) or own.sum() <= 0:
                raise ValueError(f"{fact} is incomplete")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); make one with `heartbeat profile`") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not a reference profile ({error}); make one with `heartbeat profile`") from error
    return Profile(records, edges, counts)


def _limit(counts: Counts, n_drawn: int) -> float:
    """The greatest index of 2000 random sets of `n_drawn` of the reference's recordings, and a quarter more."""
    random = np.random.default_rng(_SEED)
    order = random.random((_DRAWS, len(counts))).argsort(axis=1)[:, : max(n_drawn, 1)]
    reached = stability_index(counts.sum(axis=0), counts[order].sum(axis=1))
    return max(_LEAST_LIMIT, _MARGIN * float(reached.max()))


def _histogram(values: pd.Series, fact: str, edges: Mapping[str, npt.NDArray[np.float64]]) -> Counts:
    if fact in CHOICES:
        choices = CHOICES[fact]
        known = [int((values == choice).sum()) for choice in choices]
        return np.array([*known, len(values) - sum(known)], np.int64)
    numbers = values.to_numpy(np.float64)
    bins = len(edges[fact]) + 1
    place = np.where(np.isnan(numbers), bins, np.searchsorted(edges[fact], numbers, side="right"))
    return np.bincount(place, minlength=bins + 1).astype(np.int64)
