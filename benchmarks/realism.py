"""How real the synthetic recordings are: a model that has seen nothing else, on real patients."""

import tempfile
from pathlib import Path

from benchmarks.plan import Plan, Result
from benchmarks.stages import run_stage
from benchmarks.summary import figure

TITLE = "Realism of the synthetic records"
ABOUT = (
    "The {architecture} network trained on {minutes} minutes each of the synthetic patients alone, with the settings "
    "of `make demo` and {epochs} epochs, then scored on DS2, the test side of protocol interpatient: {beats:,} real "
    "beats of patients that it has not seen. One training."
)
_SUBJECT = "trained on synthetic records"


def run(plan: Plan) -> Result:
    """Generate, train and score; the project's own data are only read."""
    from pipeline.config import PARAMS_FILE, load_config
    from pipeline.demo import DEMO_SETTINGS, QUICK_SETTINGS, prepare_workspace
    from pipeline.ecg.aami import CLASSES
    from pipeline.evaluation.metrics import classification_metrics
    from pipeline.model.training import load_model
    from pipeline.stages.examples import examples_of
    from pipeline.stages.protocol_data import load_protocol

    data = load_protocol("interpatient")
    settings = [DEMO_SETTINGS, QUICK_SETTINGS] if plan.quick else [DEMO_SETTINGS]
    with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
        workspace = Path(folder)
        prepare_workspace(Path.cwd(), workspace, settings)
        for stage in ("download", "segment", "split interpatient", "train interpatient"):
            run_stage(workspace, *stage.split())
        model = load_model(workspace / "models/interpatient/model.keras")
        config = load_config(workspace / PARAMS_FILE)
    test = examples_of(config, data, "test")
    scores = classification_metrics(test.labels, test.predict(model).argmax(axis=1))
    figures = [figure(_SUBJECT, f"{name} F1", "", [scores["per_class"][name]["f1"]]) for name in CLASSES]
    figures += [figure(_SUBJECT, name, "", [scores[name]]) for name in ("accuracy", "macro_f1")]
    described = {
        "architecture": config.model.architecture,
        "minutes": config.synthetic.minutes,
        "epochs": config.train.epochs_of(config.model.architecture),
    }
    return Result({**described, "beats": len(test.labels)}, figures)
