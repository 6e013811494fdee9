"""Our training on the rivals' terms: the `train` that the pipeline calls, on the same file of beats."""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from pipeline.config import load_config
from pipeline.guard import guarded


def train_on(data: Path, epochs: int, save: Path) -> None:
    """Train with params.yaml but for the number of epochs; save epoch_seconds, macro_f1 by epoch and the device."""
    from pipeline.model.examples import RowExamples
    from pipeline.model.training import train

    config = load_config()
    settings = config.train.model_copy(update={"epochs": epochs, "patience": epochs})
    with np.load(data) as beats, tempfile.TemporaryDirectory() as folder:
        trained = train(
            config.model.model_copy(update={"architecture": "reference"}),
            settings,
            RowExamples(beats["x_train"], beats["y_train"]),
            RowExamples(beats["x_validation"], beats["y_validation"]),
            Path(folder) / "checkpoint.npz",
        )
    history = trained.history
    np.savez(save, epoch_seconds=history.seconds, macro_f1=history.val_macro_f1, device=str(trained.device))


def main() -> None:
    """Entry point, with the rivals' options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--save", type=Path, required=True)
    args = parser.parse_args()
    guarded(lambda: train_on(args.data, args.epochs, args.save))


if __name__ == "__main__":
    main()
