"""What five epochs give, ours and the rivals'."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import contenders, training_jobs, write_data
from benchmarks.measure import run_all
from benchmarks.plan import Plan, Result
from benchmarks.summary import compared, figure
from pipeline.ecg.scores import macro_f1

TITLE = "Quality after {epochs} epochs"
ABOUT = (
    "Macro-F1 on the validation side of protocol kaggle ({validation:,} beats) after the last of {epochs} epochs on "
    "its training side ({train:,} beats). Ours is params.yaml with epochs: "
    "{epochs}; the scripts train with Adam at 0.001 throughout. One run each with seed 1, which says nothing of the "
    "spread over seeds. The test side is not read. The ratio is ours over the rival's."
)


def run(plan: Plan) -> Result:
    """Train every contender once."""
    epochs = 2 if plan.quick else 5
    with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
        beats = Path(folder) / "beats.npz"
        entrants = contenders(plan.torch_python)
        write_data(beats, 512 if plan.quick else None, 256 if plan.quick else None)
        with np.load(beats) as arrays:
            train, truth = len(arrays["y_train"]), arrays["y_validation"]
        results = run_all("quality", training_jobs(entrants, beats, train, epochs))
    ours, *rivals = [
        figure(name, "validation macro-F1", "", [_last_macro_f1(saved, truth) for saved in runs])
        for name, runs in results.items()
    ]
    settings = {"epochs": epochs, "train": train, "validation": len(truth)}
    return Result(settings, [ours, *(compared(ours, rival) for rival in rivals)])


def _last_macro_f1(saved: dict[str, Any], truth: Any) -> float:
    return float(saved["macro_f1"][-1]) if "macro_f1" in saved else macro_f1(truth, saved["predicted"])
