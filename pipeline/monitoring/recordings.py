"""The facts of scored recordings: the table that scoring wrote, and the recordings that it was written of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.recordings import read_signal
from pipeline.ecg.windows import beat_windows
from pipeline.errors import UserError
from pipeline.monitoring.facts import beat_facts
from pipeline.scoring.pieces import held

_COLUMNS = ("record", "sample", "time_s", "predicted", *(f"p_{name}" for name in CLASSES))


def scored_facts(tables: Sequence[Path], recordings: Sequence[Path]) -> pd.DataFrame:
    """`beat_facts` of every beat in `tables`.

    Args:
        tables: Parquet files of `heartbeat score`.
        recordings: WFDB records without extension, one for each `record` in the tables.

    Raises:
        UserError: a table is none of scoring's or is empty, or a recording is missing, unscored or cannot be read.
    """
    scored = pd.concat([_read_scored(path) for path in tables], ignore_index=True)
    paths = {path.name: path for path in recordings}
    names = sorted(map(str, scored["record"].unique()))
    missing = [name for name in names if name not in paths]
    unscored = sorted(set(paths) - set(names))
    if missing or unscored:
        which, remedy = (missing, "name its path") if missing else (unscored, "score it first, or leave it out")
        raise UserError(f"{which[0]}: {'scored, but not named as a recording' if missing else 'not scored'}; {remedy}")
    console = Console(stderr=True)
    watched = track(names, "signal facts", console=console, disable=not console.is_terminal)
    return pd.concat([_of_recording(paths[name], scored[scored["record"] == name]) for name in watched])


def _of_recording(path: Path, scored: pd.DataFrame) -> pd.DataFrame:
    signal = read_signal(path)
    beats = scored["sample"].to_numpy(np.int64)
    if beats.min() < 0 or beats.max() >= len(signal.millivolts):
        raise UserError(f"{path}: has no sample {beats.max()}, which is scored; name the recording that was scored")
    return beat_facts(beat_windows(held(signal.millivolts), signal.fs_hz, beats), scored)


def _read_scored(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except OSError as error:
        reason = error.strerror or "not Parquet"
        raise UserError(f"{path}: cannot be read ({reason}); name a table that `heartbeat score` wrote") from error
    except ValueError as error:
        raise UserError(f"{path}: not a Parquet table; name one that `heartbeat score` wrote") from error
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise UserError(f"{path}: lacks the column {missing[0]}; name a table that `heartbeat score` wrote")
    if table.empty:
        raise UserError(f"{path}: has no beats; nothing can be said of it")
    return table
