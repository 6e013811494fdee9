"""The beats that every contender reads: `python -m benchmarks.data beats.npz [--train N] [--validation N]`."""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.guard import guarded
from pipeline.stages.protocol_data import ProtocolData, load_protocol

_SEED = 1


def write_beats(path: Path, train: int | None, validation: int | None) -> None:
    """Write rows and labels of protocol kaggle's training and validation sides, or a drawn part; never the test side.

    Raises:
        UserError: `dvc repro` has not made the beats and the split.
    """
    data = load_protocol("kaggle")
    x_train, y_train = _drawn(data, "train", train)
    x_validation, y_validation = _drawn(data, "validation", validation)
    np.savez(path, x_train=x_train, y_train=y_train, x_validation=x_validation, y_validation=y_validation)


def _drawn(data: ProtocolData, side: str, wanted: int | None) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    chosen = np.flatnonzero(data.on(side))
    if wanted is not None and wanted < len(chosen):
        chosen = np.sort(np.random.default_rng(_SEED).choice(chosen, wanted, replace=False))
    return data.rows[chosen], data.labels[chosen]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--train", type=int, help="beats to draw of the training side; all by default")
    parser.add_argument("--validation", type=int, help="beats to draw of the validation side; all by default")
    args = parser.parse_args()
    guarded(lambda: write_beats(args.path, args.train, args.validation))


if __name__ == "__main__":
    main()
