"""What an exported model and the code that feeds it must agree on, as text to be kept in the model's file."""

from typing import Final

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import CHANNELS, RHYTHM_FEATURES
from pipeline.ecg.windows import AFTER_SAMPLES, BEFORE_SAMPLES, WINDOW_LEADS, WINDOW_RATE_HZ

_INPUTS_VERSION: Final = "1"
"""Count up whenever `beat_windows` or `context_inputs` gives other numbers for the same recording."""


def context_contract() -> dict[str, str]:
    """How to make the inputs of a network that reads context, and how to read its output."""
    return {
        "input": "context",
        "inputs_version": _INPUTS_VERSION,
        "classes": ",".join(CLASSES),
        "window_rate_hz": str(WINDOW_RATE_HZ),
        "window_before_samples": str(BEFORE_SAMPLES),
        "window_after_samples": str(AFTER_SAMPLES),
        "leads": str(WINDOW_LEADS),
        "channels": str(CHANNELS),
        "normalisation": "median beat of the recording: level off, peak-to-peak 1, larger deflection up",
        "rhythm_features": ",".join(RHYTHM_FEATURES),
    }
