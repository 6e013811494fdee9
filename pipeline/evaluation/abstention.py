"""What a model gains when it leaves its least certain beats to a person."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.evaluation.confusions import overall_scores, record_confusions

SHARES: Final = (0.0, 0.01, 0.05, 0.1)
CURVE_SHARES: Final = tuple(percent / 100 for percent in range(31))


def abstention(y_true: NDArray[Any], y_prob: NDArray[Any], shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """Score the beats that are kept when the given shares of least certain beats are left out.

    Certainty is a beat's top probability; of equal ones the first are left out. One row a share: `left_out`
    (the share asked), `beats` (kept), `least` (the lowest top probability kept), and the scores of
    `confusions.overall_scores` on the kept.

    Args:
        y_true: (n,) int class indexes.
        y_prob: (n, 5) probabilities.
        shares: Each from 0 to below 1.
    """
    top, y_pred = y_prob.max(axis=1), y_prob.argmax(axis=1)
    order = np.argsort(top, kind="stable")
    rows = []
    for share in shares:
        kept = order[min(round(share * len(order)), len(order) - 1) :]
        _, counts = record_confusions(np.zeros(len(kept)), y_true[kept], y_pred[kept])
        scores = {name: float(value) for name, value in overall_scores(counts[0]).items()}
        rows.append({"left_out": share, "beats": len(kept), "least": float(top[kept[0]]), **scores})
    return pd.DataFrame(rows)
