"""What `evaluate` refuses before it writes anything, so that the earlier report and predictions stay."""

import pytest

from pipeline.errors import UserError
from pipeline.stages import evaluate as stage
from pipeline.stages.manifest import Manifest


@pytest.fixture
def evaluate_run(tmp_path, monkeypatch, config):
    """The stage on a trained `reference`, in a workspace that holds an earlier report and earlier predictions."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    Manifest("0" * 32, {"model.architecture": "reference"}, {}, {}, "").write(tmp_path / "models" / "run.json")
    report, predictions = tmp_path / "report", tmp_path / "predictions.parquet"
    report.mkdir()
    for path in (report / "metrics.json", predictions):
        path.write_text("earlier")

    def write(*_):
        pytest.fail("written before the check")

    monkeypatch.setattr(stage, "read_history", lambda _: None)
    monkeypatch.setattr(stage, "load_protocol", lambda _: None)
    monkeypatch.setattr(stage, "load_model", lambda _: None)
    monkeypatch.setattr(stage, "load_dataset", write)
    monkeypatch.setattr(stage, "_score", lambda *_: None)
    return lambda changed=config: stage.evaluate_run(changed, "kaggle", tmp_path / "models", report, predictions)


def left(tmp_path):
    return [path.read_text() for path in (tmp_path / "report" / "metrics.json", tmp_path / "predictions.parquet")]


@pytest.mark.parametrize(
    ("address", "complaint"),
    [("http://127.0.0.1:9", "connection refused"), ("sqlite:////proc/none/mlflow.db", "MLflow store: ")],
)
def test_a_store_that_cannot_be_written_costs_no_output(evaluate_run, tmp_path, monkeypatch, address, complaint):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(UserError, match=complaint):
        evaluate_run()
    assert left(tmp_path) == ["earlier", "earlier"]


def test_a_training_of_another_architecture_is_named(evaluate_run, tmp_path, config):
    other = config.model_copy(update={"model": config.model.model_copy(update={"architecture": "context"})})
    with pytest.raises(UserError, match=r"architecture reference, .*architecture: context; .*`dvc repro train@kaggle`"):
        evaluate_run(other)
    assert left(tmp_path) == ["earlier", "earlier"]
