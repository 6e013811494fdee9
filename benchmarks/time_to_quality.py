"""How long it takes to be as good as the published reference: our default training and the plain Keras script."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.contenders import KERAS_SCRIPT, OURS, write_data
from benchmarks.measure import Job, rotated, run_all, run_command
from benchmarks.plan import Plan, Result
from benchmarks.summary import compared, figure

TITLE = "Time to the reference's published quality"
ABOUT = (
    "Seconds from the start of the program to the end of the first epoch after which the validation side of protocol "
    "kaggle is judged with an accuracy of at least {accuracy} and a macro-F1 of at least {macro_f1}, which is what the "
    "reference has published for the test side; the test side is not read. Ours is the default training, recordings "
    "with their context, of params.yaml; the rival is the plain Keras script of the reference on rows, for at most "
    "{epochs} epochs, its judging not counted (ours is). {reached}. Seed 1. The ratio is ours over the rival's."
)
_ACCURACY, _MACRO_F1, _EPOCHS = 0.9843, 0.9127, 40
_PLAIN = "plain Keras script"


def run(plan: Plan) -> Result:
    """Train both until they are that good."""
    reach = ["--reach", "0.5", "0.1"] if plan.quick else ["--reach", str(_ACCURACY), str(_MACRO_F1)]
    with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
        beats = Path(folder) / "beats.npz"
        write_data(beats, 512 if plan.quick else None, 256 if plan.quick else None)
        script = [sys.executable, str(KERAS_SCRIPT), str(beats), "--epochs", "1" if plan.quick else str(_EPOCHS)]
        ours = [sys.executable, "-m", "benchmarks.default_training"]
        jobs = [
            Job(OURS, 90, lambda: _quality([*ours, *reach])),
            Job(_PLAIN, 1500, lambda: _quality([*script, *reach])),
        ]
        results: dict[str, list[npt.NDArray[np.float64]]] = run_all("time to quality", rotated(jobs, 1))
    rows = {name: [each[-1] for each in runs] for name, runs in results.items()}
    mine, rival = (figure(name, "time", "s", [float(row[0]) for row in rows[name]]) for name in (OURS, _PLAIN))
    settings: dict[str, Any] = {"accuracy": _ACCURACY, "macro_f1": _MACRO_F1, "epochs": _EPOCHS}
    ends = "; ".join(_end(name, runs[-1]) for name, runs in results.items())
    return Result({**settings, "reached": ends[0].upper() + ends[1:]}, [mine, compared(mine, rival)])


def _quality(command: list[str]) -> npt.NDArray[np.float64]:
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "saved.npz"
        run_command([*command, "--save", str(saved)])
        with np.load(saved) as arrays:
            return np.asarray(arrays["quality"])


def _end(name: str, quality: npt.NDArray[np.float64]) -> str:
    """What a training was worth when it ended."""
    _, accuracy, macro_f1 = quality[-1]
    return f"{name} ended after epoch {len(quality)} with {accuracy:.4f} and {macro_f1:.4f}"
