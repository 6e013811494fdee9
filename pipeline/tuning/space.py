"""What a search may vary, around the settings in params.yaml."""

from typing import Any, Final

from optuna import Trial

from pipeline.config import Config, checked_config

WIDTHS: Final = (0.5, 1.0, 2.0)
LSTM_UNITS: Final = (32, 64, 96)
DROPOUT: Final = (0.1, 0.5)
RATE_FACTOR: Final = (0.25, 4.0)
"""Of the architecture's own learning rate, drawn on a logarithmic scale."""


def suggested(config: Config, trial: Trial, epochs: int) -> Config:
    """The config of a trial: another learning rate, dropout, width of the convolutions, units of each LSTM layer.

    Args:
        epochs: How long each trial trains; the learning rate decays over them.
    """
    architecture = config.model.architecture
    content: dict[str, Any] = config.model_dump()
    shape, training = content["model"][architecture], content["train"][architecture]
    low, high = (factor * training["learning_rate"] for factor in RATE_FACTOR)
    width = trial.suggest_categorical("width", WIDTHS)
    units = trial.suggest_categorical("lstm_units", LSTM_UNITS)
    training["learning_rate"] = min(trial.suggest_float("learning_rate", low, high, log=True), 1.0)
    shape["dropout"] = trial.suggest_float("dropout", *DROPOUT)
    shape["filters"] = [max(1, round(width * filters)) for filters in shape["filters"]]
    shape["lstm_units"] = [units for _ in shape["lstm_units"]]
    content["train"]["epochs"] = epochs
    content["evaluate"]["sides"] = ["validation"]
    return checked_config(content, f"trial {trial.number}")
