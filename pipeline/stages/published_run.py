"""One repeat of a published row: a training and its evaluation on both sides, outside of the DAG's outputs."""

import sys
from pathlib import Path

from pipeline.config import Config, checked_config, load_config
from pipeline.guard import guarded
from pipeline.stages.evaluate import evaluate_run
from pipeline.stages.train import train_run


def published_config(config: Config, architecture: str, seed: int) -> Config:
    """The committed params with this architecture and training seed, and both sides open.

    Raises:
        UserError: the seed is out of range.
    """
    content = config.model_dump()
    content["model"]["architecture"] = architecture
    content["train"]["seed"] = seed
    content["evaluate"]["sides"] = ["validation", "test"]
    return checked_config(content, f"seed {seed}")


def folder_of(protocol: str, architecture: str, seed: int) -> Path:
    """Where a repeat's model and report lie."""
    return Path(".heartbeat") / "results" / f"{protocol}-{architecture}-{seed}"


def main() -> None:
    """Train and evaluate protocol `argv[1]` with architecture `argv[2]` and seed `argv[3]`."""
    protocol, architecture, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    config = published_config(load_config(), architecture, seed)
    folder = folder_of(protocol, architecture, seed)
    train_run(config, protocol, folder)
    evaluate_run(config, protocol, folder, folder / "report", folder / "predictions.parquet")


if __name__ == "__main__":
    guarded(main)
