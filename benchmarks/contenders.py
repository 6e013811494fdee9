"""Who trains the network: our pipeline, the plain Keras script and, if there is one, the PyTorch script."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Job, run_command
from pipeline.errors import UserError

OURS = "ours"
_RIVALS = Path(__file__).parent / "rivals"
KERAS_SCRIPT = _RIVALS / "keras_script.py"


@dataclass(frozen=True)
class Contender:
    """A program that trains on a file of beats, and about how fast it does so on two cores (beats/s)."""

    name: str
    command: tuple[str, ...]
    guessed_beats_per_s: float


def contenders(torch_python: str | None) -> list[Contender]:
    """Ours first. Without `torch_python`, PyTorch is left out and a line says so.

    Raises:
        UserError: `torch_python` cannot import torch.
    """
    found = [
        Contender(OURS, (sys.executable, "-m", "benchmarks.ours"), 1100),
        Contender("plain Keras script", (sys.executable, str(KERAS_SCRIPT)), 500),
    ]
    if torch_python is None:
        print("PyTorch is skipped: name an interpreter that has torch and numpy with --torch-python or TORCH_PYTHON")
        return found
    script = str(_RIVALS / "torch_script.py")
    return [*found, Contender(f"PyTorch {_torch_version(torch_python)} script", (torch_python, script), 800)]


def training_jobs(
    entrants: Sequence[Contender], beats: Path, trained_beats: int, epochs: int, startup_s: float = 15
) -> list[Job]:
    """One job a contender; its result is a dict of wall_s, peak_rss_mib and the arrays that the contender saved."""

    def job(entrant: Contender) -> Job:
        expected_s = startup_s + trained_beats * epochs / entrant.guessed_beats_per_s
        return Job(entrant.name, expected_s, lambda: _train(entrant, beats, epochs))

    return [job(entrant) for entrant in entrants]


def write_data(path: Path, train: int | None, validation: int | None) -> None:
    """Write the contenders' beats, in a process of its own so that this one stays small."""
    sizes = [f"--{name}={size}" for name, size in (("train", train), ("validation", validation)) if size]
    finished = subprocess.run([sys.executable, "-m", "benchmarks.data", str(path), *sizes], check=False)
    if finished.returncode:
        raise UserError("there are no beats to train on, see above")


def _train(entrant: Contender, beats: Path, epochs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "saved.npz"
        measured = run_command([*entrant.command, str(beats), "--epochs", str(epochs), "--save", str(saved)])
        with np.load(saved) as arrays:
            return {"wall_s": measured.wall_s, "peak_rss_mib": measured.peak_rss_mib, **arrays}


def _torch_version(python: str) -> str:
    try:
        asked = [python, "-c", "import numpy, torch; print(torch.__version__)"]
        return subprocess.run(asked, capture_output=True, encoding="utf-8", check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"--torch-python {python}: cannot import torch and numpy; name another interpreter") from error
