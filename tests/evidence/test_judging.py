"""Calls against annotations: what was missed and what was made up count, each once."""

import numpy as np
import pytest

from pipeline.ecg.recordings import Signal
from pipeline.evidence.judging import NO_BEAT, Calls, calls_at, calls_of_detections, scores
from pipeline.evidence.recordings import Annotated

FS_HZ = 100.0
N, S, V = 0, 1, 2


def case(beats, labels, judged=None):
    count = np.ones(len(beats), dtype=bool) if judged is None else np.array(judged)
    return Annotated(Signal("x", FS_HZ, np.zeros((1000, 2), np.float32)), np.array(beats), np.array(labels), count)


def test_a_detection_matches_within_150_ms_and_once():
    recording = case([100, 200, 300], [N, V, N])
    calls = calls_of_detections(recording, np.array([85, 199, 204, 316]), np.array([N, V, S, S]))
    assert calls.predicted.tolist() == [N, V, NO_BEAT]
    assert calls.extra.tolist() == [S, S]  # The second one near 200, and the one 160 ms beside 300.


def test_an_extra_call_counts_where_the_nearest_beat_is_judged():
    recording = case([100, 300], [N, N], [True, False])
    calls = calls_of_detections(recording, np.array([100, 130, 270, 300]), np.array([N, V, S, N]))
    assert calls.predicted.tolist() == [N]
    assert calls.extra.tolist() == [V]


def test_without_a_detection_every_beat_is_missed():
    calls = calls_of_detections(case([100, 300], [N, V]), np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert calls.predicted.tolist() == [NO_BEAT, NO_BEAT]


def test_missed_beats_lower_recall_and_extra_calls_precision():
    labels = [np.array([N] * 8 + [V] * 2)]
    right = scores(labels, [Calls(labels[0], np.zeros(0, np.int64))])
    assert (right["accuracy"], right["V_f1"], right["macro_f1"]) == (1, 1, pytest.approx(0.4))
    assert right["macro_f1_nsv"] == pytest.approx(2 / 3)
    missed = scores(labels, [Calls(np.array([N] * 8 + [V, NO_BEAT]), np.zeros(0, np.int64))])
    assert missed["V_f1"] == pytest.approx(2 / 3)
    assert (missed["missed"], missed["extra"], missed["accuracy"]) == (1, 0, 0.9)
    extra = scores(labels, [Calls(labels[0], np.array([V]))])
    assert extra["V_f1"] == pytest.approx(0.8)
    assert (extra["missed"], extra["extra"], extra["accuracy"]) == (0, 1, pytest.approx(10 / 11))


def test_only_judged_beats_count():
    calls = calls_at(case([1, 2, 3], [N, S, V], [False, True, False]), np.array([V, N, N]))
    assert calls.predicted.tolist() == [N]
