"""A side of invented results, of any size, that every test of the evaluation can ask for."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.side import SideResult

MakeSide = Callable[..., SideResult]


@pytest.fixture(scope="session")
def make_side() -> MakeSide:
    """Build a side with the given number of N, S, V, F and Q beats; about one in ten is wrong."""

    def build(supports: Sequence[int], with_rows: bool = False, seed: int = 7) -> SideResult:
        random = np.random.default_rng(seed)
        y_true = np.repeat(np.arange(5), supports)
        n_beats = len(y_true)
        scores = random.normal(size=(n_beats, 5))
        scores[np.arange(n_beats), y_true] += 2.5
        y_prob = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return SideResult(
            records=random.choice(["100", "208", "232"], n_beats),
            samples=random.integers(0, 650_000, n_beats),
            y_true=y_true,
            y_prob=y_prob,
            rows=random.random((n_beats, 187)) if with_rows else None,
        )

    return build


@pytest.fixture(scope="session")
def history() -> pd.DataFrame:
    """Three epochs, the second with the best macro-F1."""
    return pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "loss": [0.9, 0.5, 0.3],
            "val_loss": [0.8, 0.6, 0.7],
            "val_macro_f1": [0.61, 0.85, 0.8],
            "learning_rate": [1e-3, 1e-3, 5e-4],
        }
    )
