"""The tables behind the plots, as CSV: for `dvc plots` and for whoever wants to draw anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.evaluation.assessment import Assessment
from pipeline.evaluation.curves import pr_curves
from pipeline.evaluation.metrics import confusion, per_record
from pipeline.evaluation.side import SideResult
from pipeline.files import atomic_path

_DECIMALS: Final = 6


def write_plot_data(
    folder: Path, sides: Mapping[str, SideResult], assessments: Mapping[str, Assessment], history: pd.DataFrame
) -> list[Path]:
    """Write the tables, each with a column `side` but the training's; return their paths."""
    frames = {
        "confusion.csv": _by_side({name: _counts(side) for name, side in sides.items()}),
        "pr_curves.csv": _by_side({name: pr_curves(side.y_true, side.y_prob) for name, side in sides.items()}).round(
            _DECIMALS
        ),
        "records.csv": _by_side(
            {name: per_record(side.records, side.y_true, side.y_pred) for name, side in sides.items()}
        ).round(_DECIMALS),
        "ec57_records.csv": _by_side({name: each.by_record for name, each in assessments.items()}).round(_DECIMALS),
        "learning.csv": history,
    }
    for name, frame in frames.items():
        with atomic_path(folder / name) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n")
    return [folder / name for name in frames]


def _by_side(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(
        [frame.assign(side=name)[["side", *frame.columns]] for name, frame in frames.items()],
        ignore_index=True,
    )


def _counts(side: SideResult) -> pd.DataFrame:
    counts = confusion(side.y_true, side.y_pred)
    return pd.DataFrame(
        [
            {"actual": actual, "predicted": predicted, "beats": int(counts[row, column])}
            for row, actual in enumerate(CLASSES)
            for column, predicted in enumerate(CLASSES)
        ]
    )
