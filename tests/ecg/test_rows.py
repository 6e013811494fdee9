"""The recipe of the Kaggle rows, worked out by hand, and its digests on the real records."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from pipeline.ecg.beats import read_beats, read_lists
from pipeline.ecg.rows import ROW_SAMPLES, at_row_source_rate, beat_rows

PUBLISHED_ROWS = "91a473f8aa67f8ca0908eb69e72d53afae1e5d21a0c7f32e70015962f2552d97"
PUBLISHED_TEST_ROWS = "6f64721ee4fffe369be7e0cd8136ed1a0b9cf7871df1455001ddbfa824b8b6fd"
"""SHA-256 of the rows that were published, by record and annotation, and of the test rows in their list's order."""


def digest(rows):
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<f4").tobytes()).hexdigest()


def rows_of(signal, annotations, beats):
    return beat_rows(np.asarray(signal), np.array(annotations), np.array(beats))


def ramp(n_samples):
    """What a rising line gives: 0 to 1 in equal steps over the window, then zeros."""
    row = np.zeros(ROW_SAMPLES, dtype=np.float32)
    row[:n_samples] = (np.arange(n_samples) / (n_samples - 1))[:ROW_SAMPLES]
    return row


def test_row_ends_a_fifth_into_the_interval_after_the_next_annotation():
    # Beat at 10, next at 40, the one after at 60: up to 40 + 0.2 * 20 = 44, every third of 10, 13, ..., 43.
    row = rows_of(range(200), [10, 40, 60], [0])[0]
    np.testing.assert_array_equal(row, ramp(12))
    assert row.dtype == np.float32


def test_end_of_the_signal_stands_in_for_a_missing_annotation():
    # Beat at 40, next at 60, then the end at 200: up to 60 + 0.2 * 140 = 88.
    np.testing.assert_array_equal(rows_of(range(200), [10, 40, 60], [1])[0], ramp(16))


def test_fifth_is_rounded_down():
    # 0.2 * 19 = 3.8: up to 33, so that sample 33 is not in the row.
    np.testing.assert_array_equal(rows_of(range(100), [0, 30, 49], [0])[0], ramp(11))


def test_scale_is_that_of_the_whole_window_also_where_the_row_is_cut():
    # 0 to 920 by 3 are 307 samples; the 187th of them is at 186 / 306.
    signal = np.arange(2000)
    row = rows_of(signal, [0, 900, 1000], [0])[0]
    assert row[-1] == np.float32(186 / 306)
    assert row[0] == 0


def test_only_the_beats_asked_for_in_their_order():
    both = rows_of(range(500), [10, 40, 60, 100], [2, 0])
    np.testing.assert_array_equal(both[1], ramp(12))
    assert both.shape == (2, ROW_SAMPLES)


def test_unit_and_offset_do_not_matter():
    signal = np.random.default_rng(0).integers(0, 2048, 500)
    np.testing.assert_allclose(
        rows_of(signal, [0, 300, 400], [0]), rows_of((signal - 1024) / 200, [0, 300, 400], [0]), atol=1e-6
    )


def test_flat_window_gives_zeros():
    assert not rows_of(np.full(500, 7), [0, 300, 400], [0]).any()


def test_window_without_samples_gives_zeros():
    assert not rows_of(range(100), [50, 50, 50], [0]).any()


def test_lead_at_the_source_rate_is_left_alone():
    signal, annotations = np.arange(10.0), np.array([3, 9])
    same_signal, same_annotations = at_row_source_rate(signal, annotations, 360)
    assert same_signal is signal
    assert same_annotations is annotations


@pytest.mark.parametrize("fs_hz", [128, 180, 250, 250.5, 999.5, 1000])
def test_other_rates_are_brought_to_360_hz(fs_hz):
    n_samples = round(10 * fs_hz)
    time_s = np.arange(n_samples) / fs_hz
    signal, annotations = at_row_source_rate(np.sin(2 * np.pi * time_s), np.array([2 * fs_hz, n_samples - 1]), fs_hz)
    assert len(signal) == 3600
    assert annotations[0] == 720
    assert annotations[1] < len(signal)
    middle = slice(360, -360)
    expected = np.sin(2 * np.pi * np.arange(3600) / 360)
    np.testing.assert_allclose(signal[middle], expected[middle], atol=0.01)


def test_an_annotation_stays_on_its_beat_for_an_hour_at_a_rate_that_is_no_whole_number():
    fs_hz, beat = 250.4, round(3590 * 250.4)
    lead = np.zeros(round(3600 * fs_hz))
    lead[beat - 2 : beat + 3] = [1, 2, 3, 2, 1]
    signal, annotations = at_row_source_rate(lead, np.array([beat]), fs_hz)
    assert abs(signal.argmax() - annotations[0]) <= 1


@pytest.mark.slow
def test_all_real_rows_are_the_published_ones(real_beats, mitdb_facts):
    assert digest(read_lists(real_beats, "kaggle_row")) == PUBLISHED_ROWS
    counts = read_beats(real_beats, ["aami"]).aami.value_counts().to_dict()
    assert counts == mitdb_facts.counts == {"N": 90589, "S": 2779, "V": 7236, "F": 803, "Q": 8039}


@pytest.mark.slow
def test_real_test_rows_are_the_published_ones_in_the_lists_order(real_beats, mitdb_facts):
    facts = mitdb_facts.protocols.kaggle
    listed = pd.read_csv(mitdb_facts.folder / facts.test_beats, dtype={"record": str})
    beats = read_beats(real_beats, ["record", "sample", "aami"]).reset_index(names="place")
    found = listed.merge(beats, on=["record", "sample"], how="left", validate="one_to_one")
    assert (found.aami == found.label).all()
    assert found.label.value_counts().to_dict() == {"N": 18118, "S": 556, "V": 1448, "F": 162, "Q": 1608}
    assert digest(read_lists(real_beats, "kaggle_row")[found.place]) == PUBLISHED_TEST_ROWS
