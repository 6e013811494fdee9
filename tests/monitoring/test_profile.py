"""Drift of invented recordings: silent on more of the same, loud on what changed."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.monitoring.facts import FACTS, beat_facts
from pipeline.monitoring.profile import drift, make_profile, read_profile, stability_index, write_profile

RECORDS = 20
SHAPE = np.exp(-(((np.arange(126) - 48) / 4) ** 2)) - 0.2 * np.exp(-(((np.arange(126) - 60) / 6) ** 2))


def _recording(name, patient, beats=150):
    """Windows and scores of one invented patient."""
    random = np.random.default_rng(patient)
    height = np.exp(random.normal(scale=0.15, size=2)) * [1.2, -0.8]
    windows = height[:, None] * SHAPE * random.normal(1, 0.05, (beats, 1, 1))
    windows = windows + random.normal(scale=0.01, size=(beats, 2, 126)) + random.normal(scale=0.05, size=(beats, 2, 1))
    scores = random.dirichlet([60, 1, 2, 1, 1], beats)
    table = pd.DataFrame({"record": name, "time_s": np.cumsum(random.normal(0.8, 0.05, beats))})
    table["predicted"] = np.asarray(CLASSES)[scores.argmax(axis=1)]
    return windows.astype(np.float32), table.join(pd.DataFrame(scores, columns=[f"p_{name}" for name in CLASSES]))


def _facts(seeds, altered=lambda windows: windows):
    pieces = []
    for seed in seeds:
        windows, table = _recording(f"r{seed:03}", seed)
        pieces.append(beat_facts(altered(windows), table))
    return pd.concat(pieces)


@pytest.fixture(scope="module")
def profile():
    return make_profile(_facts(range(RECORDS)))


def _alarms(found):
    return set(found["fact"][found["alarm"]])


def test_more_of_the_same_is_silent(profile):
    assert _alarms(drift(profile, _facts(range(100, 112)))) == set()


@pytest.mark.parametrize(
    ("altered", "told"),
    [
        (lambda windows: windows / 2, "amplitude_mv_0"),
        (lambda windows: windows[:, ::-1], "upward_0"),
        (lambda windows: -windows, "upward_1"),
        (lambda windows: windows * [[1], [0]], "lead_correlation"),
        (lambda windows: windows + np.random.default_rng(0).normal(scale=0.3, size=windows.shape), "roughness_mv_1"),
    ],
    ids=["half gain", "swapped leads", "polarity", "lost lead", "noise"],
)
def test_what_the_network_overlooks_is_noticed(profile, altered, told):
    assert told in _alarms(drift(profile, _facts(range(100, 112), altered)))


def test_another_mix_of_classes_is_noticed(profile):
    facts = _facts(range(100, 112))
    facts.loc[facts.index % 3 == 0, "predicted"] = "V"
    assert "predicted" in _alarms(drift(profile, facts))


def test_fewer_recordings_are_allowed_more(profile):
    few, many = (drift(profile, _facts(range(100, 100 + number))).set_index("fact")["limit"] for number in (1, 8))
    assert (few >= many).all()
    assert few["amplitude_mv_0"] > many["amplitude_mv_0"]


def test_the_index_is_the_sum_over_bins():
    wanted = (0.5 - 0.25) * np.log(0.5 / 0.25) + (0.5 - 0.75) * np.log(0.5 / 0.75)
    assert stability_index(np.array([1, 3]), np.array([[2, 2], [1, 3]])) == pytest.approx([wanted, 0])
    assert np.isfinite(stability_index(np.array([4, 0]), np.array([0, 4])))


def test_a_missing_lead_is_measured_as_missing():
    facts = _facts([1], lambda windows: windows * [[1], [0]])
    assert facts[["upward_1", "likeness_1", "lead_correlation"]].isna().all().all()
    assert (facts["amplitude_mv_1"] == 0).all()
    assert facts["likeness_0"].median() > 0.9


def test_a_profile_survives_its_file(profile, tmp_path):
    path = tmp_path / "profile.json"
    write_profile(profile, path)
    facts = _facts(range(100, 106))
    pd.testing.assert_frame_equal(drift(read_profile(path), facts), drift(profile, facts))
    assert path.stat().st_size < 100_000


def test_a_profile_that_is_none(profile, tmp_path):
    path = tmp_path / "profile.json"
    with pytest.raises(UserError, match=r"profile.json: cannot be read"):
        read_profile(path)
    write_profile(profile, path)
    content = json.loads(path.read_text())
    content["counts"]["confidence"] = content["counts"]["confidence"][1:]
    for text in (json.dumps(content), "[]", "{}", "no JSON", json.dumps(content | {"counts": {}})):
        path.write_text(text)
        with pytest.raises(UserError, match="not a reference profile"):
            read_profile(path)


def test_three_recordings_are_no_reference():
    with pytest.raises(UserError, match="3 recordings says nothing"):
        make_profile(_facts(range(3)))


def test_every_fact_is_measured(profile):
    assert tuple(drift(profile, _facts([1]))["fact"]) == FACTS
