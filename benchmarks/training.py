"""How fast a training step is, ours and the rivals'."""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.contenders import contenders, training_jobs, write_data
from benchmarks.measure import rotated, run_all
from benchmarks.plan import Plan, Result
from benchmarks.summary import compared, figure

TITLE = "Training speed"
ABOUT = (
    "Beats trained in a second, the same network of 168,317 parameters and the same {rows:,} rows, batches of 128: the "
    "second of two epochs, so that neither start nor tracing counts. Each contender runs once a round in a process of "
    "its own, {repeats} rounds in rotating order. The ratio is ours over the rival's, round by round."
)


def run(plan: Plan) -> Result:
    """Measure every contender."""
    rows = 512 if plan.quick else 8192
    with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
        beats = Path(folder) / "beats.npz"
        entrants = contenders(plan.torch_python)
        write_data(beats, rows, 256)
        results = run_all("training", rotated(training_jobs(entrants, beats, rows, epochs=2), plan.repeats))
        with np.load(beats) as arrays:
            rows = len(arrays["y_train"])
    figures = [
        figure(name, "training speed", "beats/s", [rows / float(run["epoch_seconds"][1]) for run in runs])
        for name, runs in results.items()
    ]
    ours, *rivals = figures
    return Result(
        {"rows": rows, "repeats": plan.repeats, "device": str(results[ours["subject"]][0]["device"])},
        [ours, *(compared(ours, rival) for rival in rivals)],
    )
