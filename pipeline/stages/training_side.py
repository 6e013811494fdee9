"""What a network learns from: the training side, varied, with generated patients beside the real ones."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from typing import Final

import numpy as np
from rich.progress import track

from pipeline.config import Config
from pipeline.ecg.aami import CLASS_OF_SYMBOL, CLASSES
from pipeline.ecg.context import context_inputs
from pipeline.ecg.synthetic.profiles import profile_for
from pipeline.ecg.synthetic.records import BASELINE_ADU, GAIN_ADU_PER_MV, synthesise
from pipeline.ecg.windows import beat_windows
from pipeline.model.examples import Examples, Recording, RecordingExamples
from pipeline.stages.examples import examples_of
from pipeline.stages.protocol_data import ProtocolData

_MINUTES: Final = 8.0
_RATE_HZ: Final = 360


def training_side(config: Config, protocol: str, data: ProtocolData) -> Examples:
    """The beats to learn from; of recordings, with the protocol's variation and its generated patients.

    A side that is itself generated gets no further patients.

    Raises:
        UserError: the architecture reads recordings, and the data set has none.
    """
    examples = examples_of(config, data, "train")
    if not isinstance(examples, RecordingExamples):
        return examples
    variation = config.train.variation.of(protocol)
    patients = 0 if config.data.source == "synthetic" else variation.synthetic_patients
    recordings = [*examples.recordings, *synthetic_patients(patients, config.train.seed)]
    return replace(examples, recordings=recordings, variation=variation)


def synthetic_patients(n: int, seed: int) -> list[Recording]:
    """`n` recordings of eight minutes, each of another patient without a pacemaker."""
    names = list(islice(_unpaced(), n))
    return [_recording(name, seed) for name in track(names, "generate patients", transient=True, disable=not n)]


def _unpaced() -> Iterator[str]:
    """Names of patients; EC57 leaves paced recordings out, and so do de Chazal's sides."""
    return (name for name in (f"x{number:03d}" for number in count(1)) if not profile_for(name).paced)


def _recording(name: str, seed: int) -> Recording:
    made = synthesise(name, _MINUTES, seed, _RATE_HZ)
    symbols = np.asarray(made.symbols)
    beats = np.isin(symbols, list(CLASS_OF_SYMBOL))
    samples = made.samples[beats]
    millivolts = ((made.adu - BASELINE_ADU) / GAIN_ADU_PER_MV).astype(np.float32)
    labels = np.array([CLASSES.index(CLASS_OF_SYMBOL[symbol]) for symbol in symbols[beats]], dtype=np.int64)
    inputs = context_inputs(beat_windows(millivolts, _RATE_HZ, samples), samples / _RATE_HZ)
    return Recording(inputs, labels, np.ones(len(labels), dtype=bool), generated=True)
