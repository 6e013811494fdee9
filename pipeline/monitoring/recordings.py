"""The facts of scored recordings: the table that scoring wrote, and the recordings that it was written of."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype, is_string_dtype
from rich.console import Console
from rich.progress import track

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.formats import open_recording
from pipeline.errors import UserError
from pipeline.monitoring.facts import beat_facts
from pipeline.scoring.output import recordings_in
from pipeline.scoring.pieces import windows_of
from pipeline.scoring.selection import selected

_COLUMNS: Final[dict[str, tuple[str, Callable[[Any], bool]]]] = {
    "record": ("text", is_string_dtype),
    "sample": ("whole numbers", is_integer_dtype),
    "time_s": ("decimal numbers", is_float_dtype),
    "predicted": ("text", is_string_dtype),
    **{f"p_{name}": ("decimal numbers", is_float_dtype) for name in CLASSES},
}


@dataclass(frozen=True)
class ScoredFacts:
    """`beat_facts` of all beats, and of how many recordings they are.

    Attributes:
        recordings: All that were scored.
        without_beats: Those of them that no beat was found in.
    """

    facts: pd.DataFrame
    recordings: int
    without_beats: int


def scored_facts(tables: Sequence[Path], arguments: Sequence[Path]) -> ScoredFacts:
    """`beat_facts` of every beat in `tables`.

    Args:
        tables: Tables and folders of `heartbeat score`.
        arguments: The recordings in them, by paths, folders and patterns. A name in a table is the end of a path.

    Raises:
        UserError: a table is none of scoring's, all are empty, or a recording is missing, unscored, named or scored
            twice or cannot be read.
    """
    read = [_read_scored(path) for path in tables]
    scored = pd.concat([table for table, _ in read], ignore_index=True)
    names: set[str] = set()
    for path, (_, own) in zip(tables, read, strict=True):
        if twice := sorted(own & names):
            raise UserError(f"{path}: {twice[0]} is in another table, too; name one of them with --scored")
        names |= own
    if scored.empty:
        raise UserError(f"{tables[0]}: has no beats; nothing can be said of it")
    paths = _paths(names, selected(arguments).recordings)
    with_beats = sorted(scored["record"].unique())
    console = Console(stderr=True)
    watched = track(with_beats, "signal facts", console=console, disable=not console.is_terminal)
    facts = pd.concat([_of_recording(paths[name], scored[scored["record"] == name]) for name in watched])
    return ScoredFacts(facts, len(names), len(names) - len(with_beats))


def _paths(names: set[str], recordings: Sequence[Path]) -> dict[str, Path]:
    """The recording of each name: the path that ends with it, and with no longer name."""
    found: dict[str, Path] = {}
    for path in dict.fromkeys(Path(os.path.abspath(each)) for each in recordings):
        endings = ("/".join(path.parts[first:]) for first in range(len(path.parts)))
        name = next((ending for ending in endings if ending in names), None)
        if name is None:
            raise UserError(f"{path}: not scored; score it first, or leave it out")
        if name in found:
            raise UserError(f"{name}: may be {found[name]} or {path}; name the one that was scored")
        found[name] = path
    if missing := sorted(names - set(found)):
        raise UserError(f"{missing[0]}: scored, but not named as a recording; name its path")
    return found


def _of_recording(path: Path, scored: pd.DataFrame) -> pd.DataFrame:
    recording, scored = open_recording(path), scored.sort_values("sample", kind="stable")
    beats = scored["sample"].to_numpy(np.int64)
    outside = beats[(beats < 0) | (beats >= recording.n_samples)]
    if len(outside):
        raise UserError(f"{path}: has no sample {outside[0]}, which is scored; name the recording that was scored")
    return beat_facts(np.concatenate(list(windows_of(recording, beats))), scored)


def _read_scored(path: Path) -> tuple[pd.DataFrame, set[str]]:
    """The beats of a table, and the names of its recordings."""
    remedy = "name a table that `heartbeat score` wrote"
    try:
        table, names = pd.read_parquet(path), recordings_in(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or 'not Parquet'}); {remedy}") from error
    except (ValueError, TypeError, NotImplementedError) as error:
        raise UserError(f"{path}: not a Parquet table; {remedy}") from error
    for column, (kind, is_kind) in _COLUMNS.items():
        if column not in table:
            raise UserError(f"{path}: lacks the column {column}; {remedy}")
        if table[column].isna().any() or not (table.empty or is_kind(table[column])):
            raise UserError(f"{path}: the column {column} is not {kind} in every row; {remedy}")
    return table, names | set(table["record"])
