"""Stage `validate_beats`: the beats against published counts and against physiology."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.checks.beats import BeatFacts, validate_beats
from pipeline.config import Config
from pipeline.ecg.beats import read_beats, read_lists
from pipeline.ecg.dataset import load_dataset
from pipeline.stages.checked import conclude
from pipeline.stages.entry import BEATS, DATA_DOCS, run_stage


def main(config: Config) -> None:
    """Check one summary row a beat; stop the pipeline on a critical failure."""
    rows_only = config.data.source == "kaggle_csv"
    scalars = ["record", "sample", "symbol", "aami"]
    frame = read_beats(BEATS, scalars if rows_only else [*scalars, "rr_prev_s", "rr_next_s"])
    rows = read_lists(BEATS, "kaggle_row")
    frame["row_min"], frame["row_max"] = rows.min(axis=1), rows.max(axis=1)
    frame["row_finite"] = _all_finite(rows)
    if not rows_only:
        windows = read_lists(BEATS, "window").reshape(len(frame), -1)
        frame["window_min_mv"], frame["window_max_mv"] = windows.min(axis=1), windows.max(axis=1)
        frame["window_finite"] = _all_finite(windows)
    facts = BeatFacts(counts=load_dataset(Path(config.data.dataset)).counts or {}, rows_only=rows_only)
    conclude(validate_beats(frame, facts, DATA_DOCS / "beats"), "beats")


def _all_finite(values: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(values).all(axis=1))


if __name__ == "__main__":
    run_stage(main)
