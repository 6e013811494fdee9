"""How a stage starts: params.yaml checked, the protocol known; and where stages read and write."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.config import Config, load_config
from pipeline.errors import UserError
from pipeline.guard import guarded

RAW = Path("data/raw")
BEATS = Path("data/beats.parquet")
VALIDATION = Path("data/validation")
SPLITS = Path("data/splits")
MODELS = Path("models")
REPORTS = Path("reports")
DATA_DOCS = REPORTS / "data_docs"


def run_stage(stage: Callable[[Config], None]) -> None:
    """Run a stage that all protocols share."""
    guarded(lambda: stage(load_config()))


def run_protocol_stage(stage: Callable[[Config, str], None]) -> None:
    """Run a stage for the protocol that is the command's one argument."""

    def work() -> None:
        config = load_config()
        asked = sys.argv[1] if len(sys.argv) == 2 else ""
        if asked not in config.protocols:
            raise UserError(f"params.yaml: protocols has no {asked!r}; it lists {', '.join(config.protocols)}")
        stage(config, asked)

    guarded(work)


def workspace() -> Path:
    """The folder that holds dvc.yaml."""
    return Path(os.environ.get("DVC_ROOT", ".")).resolve()
