"""Our default training of protocol kaggle until it is good enough: `python -m benchmarks.default_training`."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from pipeline.guard import guarded

_STARTED = time.monotonic()


class _Reached(Exception):
    pass


def train_until(accuracy: float, macro_f1: float, epochs: int | None, save: Path) -> None:
    """Train as params.yaml says, and stop once the validation side is judged that well.

    Args:
        accuracy: Of validation beats, wanted of the same epoch as `macro_f1`.
        macro_f1: Of validation beats.
        epochs: Instead of those of params.yaml.
        save: Gets `quality`, (epochs, 3): seconds since the start, accuracy, macro-F1.
    """
    from pipeline.config import load_config
    from pipeline.model.training import train
    from pipeline.stages.examples import examples_of
    from pipeline.stages.protocol_data import load_protocol
    from pipeline.stages.training_side import training_side

    config, data = load_config(), load_protocol("kaggle")
    rows: list[tuple[float, float, float]] = []

    def judged(_: int, row: dict[str, float]) -> None:
        rows.append((time.monotonic() - _STARTED, row["val_accuracy"], row["val_macro_f1"]))
        if row["val_accuracy"] >= accuracy and row["val_macro_f1"] >= macro_f1:
            raise _Reached

    training, validation = training_side(config, "kaggle", data), examples_of(config, data, "validation")
    settings = config.train.model_copy(update={"epochs": epochs or config.train.epochs})
    with tempfile.TemporaryDirectory() as folder:
        try:
            train(
                config.model.of("kaggle"),
                settings,
                training,
                validation,
                Path(folder) / "checkpoint.npz",
                on_epoch=judged,
            )
        except _Reached:
            print(f"reached after epoch {len(rows)}")
    np.savez(save, quality=np.array(rows))


def main() -> None:
    """Entry point, with the rival script's options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reach", type=float, nargs=2, metavar=("ACCURACY", "MACRO_F1"), required=True)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--save", type=Path, required=True)
    args = parser.parse_args()
    guarded(lambda: train_until(*args.reach, args.epochs, args.save))


if __name__ == "__main__":
    main()
