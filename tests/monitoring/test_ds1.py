"""The shipped reference on real recordings: silent on random halves of DS1, loud on what spoils them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.ecg.dataset import load_dataset
from pipeline.ecg.noise import add_noise, muscle_noise
from pipeline.ecg.recordings import Signal, read_beat_samples, read_signal
from pipeline.ecg.records import read_annotations
from pipeline.ecg.windows import beat_windows
from pipeline.monitoring.facts import beat_facts
from pipeline.monitoring.profile import drift, read_profile
from pipeline.scoring.network import load_network
from pipeline.scoring.score import score_recording

RELEASED = Path("models/released/interpatient")
HALVES = 20
SEED = 20_260
"""Limits are calibrated with another seed, `pipeline.monitoring.profile`."""


def _noisy(signal, normal, seed):
    noise = muscle_noise(len(signal.millivolts), round(signal.fs_hz), seed)
    return add_noise(signal.millivolts.astype(np.float64), noise, normal, -6.0, signal.fs_hz)


ALTERED = {
    "as it is": lambda signal, normal, seed: signal.millivolts,
    "half gain": lambda signal, normal, seed: signal.millivolts / 2,
    "swapped leads": lambda signal, normal, seed: signal.millivolts[:, ::-1],
    "-6 dB noise": _noisy,
}


@pytest.fixture(scope="module")
def facts(mitdb_folder, pytestconfig):
    """The facts of each DS1 recording, as it is and altered: way, then name."""
    network = load_network(pytestconfig.rootpath / RELEASED / "model.onnx", 1)
    records = load_dataset(pytestconfig.rootpath / "data/reference/mitdb").records
    names = list(records.record[records.side.isin(["train", "validation"])])
    assert len(names) == 22
    found = {way: {} for way in ALTERED}
    for seed, name in enumerate(names):
        path = mitdb_folder / name
        signal = read_signal(path)
        beats = read_beat_samples(path, "atr", signal)
        samples, symbols = read_annotations(path, "atr")
        normal = samples[np.isin(symbols, list("NLRej"))]
        for way, alter in ALTERED.items():
            changed = Signal(name, signal.fs_hz, np.asarray(alter(signal, normal, seed), np.float32))
            scored = score_recording(network, changed, beats)
            found[way][name] = beat_facts(beat_windows(changed.millivolts, changed.fs_hz, beats), scored)
    return found


def _alarms(profile, facts, names):
    found = drift(profile, pd.concat([facts[name] for name in names]))
    return set(found["fact"][found["alarm"]])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("as it is", None),
        ("half gain", "amplitude_mv_0"),
        ("swapped leads", "upward_1"),
        ("-6 dB noise", "roughness_mv_0"),
    ],
)
def test_random_halves_of_ds1(facts, pytestconfig, way, told):
    profile = read_profile(pytestconfig.rootpath / RELEASED / "profile.json")
    random = np.random.default_rng(SEED)
    for _ in range(HALVES):
        names = random.choice(sorted(facts[way]), 11, replace=False)
        alarms = _alarms(profile, facts[way], names)
        assert told in alarms if told else not alarms
