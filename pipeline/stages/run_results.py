"""What a training leaves in its run: for `train`, and for `evaluate` where the store does not know the run."""

from typing import Any

import pandas as pd

from pipeline.model.examples import Examples
from pipeline.tracking.failures import explained
from pipeline.tracking.models import log_model
from pipeline.tracking.runs import backfill_history
from pipeline.tracking.store import Store

_EXAMPLES = 2


def enter_results(store: Store, run_id: str, model: Any, history: pd.DataFrame, validation: Examples) -> None:
    """Log the history, and the model with its signature."""
    backfill_history(store, run_id, history)
    with explained(store.uri):
        store.client.log_metric(run_id, "parameters", model.count_params())
        store.client.log_metric(run_id, "train_seconds", float(history.seconds.sum()))
    example = validation.example(_EXAMPLES)
    log_model(store, run_id, model, example, model.predict(example, verbose=0))
