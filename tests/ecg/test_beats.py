"""The beat table: which beats it has, and that its bytes depend on the recordings alone."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.ecg.beats import read_beats, read_lists, write_beats
from pipeline.ecg.rows import beat_rows
from pipeline.ecg.segmentation import row_table, segment_record
from pipeline.errors import UserError

SCALARS = ["record", "sample", "symbol", "aami"]


def test_every_beat_but_one_that_nothing_follows(write_record, tmp_path):
    write_record(samples=(100, 400, 760, 1120, 1480), symbols="+NVAN")
    table = segment_record(tmp_path, "r1").to_pandas()
    assert table[SCALARS].to_numpy().tolist() == [
        ["r1", 400, "N", "N"],
        ["r1", 760, "V", "V"],
        ["r1", 1120, "A", "S"],
    ]


def test_an_annotation_that_is_no_beat_saves_the_last_one(write_record, tmp_path):
    write_record(samples=(400, 760, 1120), symbols="NN~")
    assert segment_record(tmp_path, "r1").column("sample").to_pylist() == [400, 760]


def test_other_annotations_bound_rows_but_not_intervals(write_record, tmp_path):
    adu = write_record(samples=(360, 500, 720, 1080), symbols="N~NN")
    table = segment_record(tmp_path, "r1").to_pandas()
    np.testing.assert_array_equal(table.rr_next_s, np.array([1, 1], dtype=np.float32))
    expected = beat_rows(adu[:, 0], np.array([360, 500, 720, 1080]), np.array([0, 2]))
    np.testing.assert_array_equal(np.stack(table.kaggle_row), expected)


def test_the_interval_to_a_beat_without_a_row_counts(write_record, tmp_path):
    write_record(samples=(360, 720, 1440))
    assert segment_record(tmp_path, "r1").column("rr_next_s").to_pylist() == [1.0, 2.0]


def test_windows_are_in_millivolt(write_record, tmp_path):
    adu = write_record()
    windows = np.stack(segment_record(tmp_path, "r1").column("window").to_numpy()).reshape(-1, 2, 126)
    expected = (adu.mean(axis=0) - 1024) / 200
    np.testing.assert_allclose(windows.mean(axis=(0, 2)), expected, atol=0.05)


@pytest.mark.parametrize(("fs_hz", "n_leads"), [(250, 2), (360, 1)])
def test_a_users_own_rate_and_leads(write_record, tmp_path, fs_hz, n_leads):
    write_record(samples=np.arange(1, 6) * fs_hz, fs_hz=fs_hz, n_leads=n_leads)
    table = segment_record(tmp_path, "r1").to_pandas()
    assert table["sample"].tolist() == [fs_hz, 2 * fs_hz, 3 * fs_hz, 4 * fs_hz]
    assert (table.rr_next_s == 1.0).all()
    assert np.isfinite(np.stack(table.kaggle_row)).all()


def test_annotation_past_the_end_is_named(write_record, tmp_path):
    write_record(samples=(360, 720, 7200))
    with pytest.raises(UserError, match=r"r1\.atr: annotation at sample 7200 .*7200 samples.*restore"):
        segment_record(tmp_path, "r1")


def test_a_recording_without_beats_gives_no_rows(write_record, tmp_path):
    write_record("r1", samples=(10, 20), symbols="+~")
    write_record("r2")
    assert write_beats(tmp_path / "b.parquet", (segment_record(tmp_path, name) for name in ("r1", "r2"))) == 4
    assert read_lists(tmp_path / "b.parquet", "window").shape == (4, 2, 126)


def test_same_recordings_same_bytes(write_record, tmp_path):
    for name in ("r1", "r22"):
        write_record(name)
    for target in ("a", "b"):
        write_beats(tmp_path / target, (segment_record(tmp_path, name) for name in ("r1", "r22")))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert pq.ParquetFile(tmp_path / "a").num_row_groups == 2


def test_what_is_written_is_read_back_in_order(write_record, tmp_path):
    tables = []
    for name in ("r2", "r1"):
        write_record(name)
        tables.append(segment_record(tmp_path, name))
    path = tmp_path / "beats.parquet"
    assert write_beats(path, tables) == 8
    expected = pd.concat([table.to_pandas() for table in tables], ignore_index=True)
    pd.testing.assert_frame_equal(read_beats(path, SCALARS), expected[SCALARS])
    np.testing.assert_array_equal(read_lists(path, "kaggle_row"), np.stack(expected.kaggle_row))
    np.testing.assert_array_equal(read_lists(path, "window").reshape(8, -1), np.stack(expected.window))


def test_a_failure_leaves_the_earlier_table(write_record, tmp_path):
    write_record("r1")
    path = tmp_path / "out" / "beats.parquet"
    write_beats(path, [segment_record(tmp_path, "r1")])
    before = path.read_bytes()
    with pytest.raises(UserError, match="gone"):
        write_beats(path, (segment_record(tmp_path, name) for name in ("r1", "gone")))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_no_record_at_all(tmp_path):
    with pytest.raises(UserError, match=r"no record to segment; check records\.csv"):
        write_beats(tmp_path / "beats.parquet", [])


def test_bare_rows(tmp_path):
    rows = np.random.default_rng(0).random((3, 187), dtype=np.float32)
    write_beats(tmp_path / "b", [row_table(rows, np.array([0, 4, 2]), "mitbih_test")])
    found = read_beats(tmp_path / "b", SCALARS)
    classes = ("N", "Q", "V")
    assert found.to_numpy().tolist() == [["mitbih_test", row, name, name] for row, name in enumerate(classes)]
    np.testing.assert_array_equal(read_lists(tmp_path / "b", "kaggle_row"), rows)


@pytest.mark.parametrize(("content", "complaint"), [(None, "not found"), (b"PAR1 no more", "cannot be read")])
def test_a_missing_or_damaged_table_names_the_remedy(tmp_path, content, complaint):
    path = tmp_path / "beats.parquet"
    if content:
        path.write_bytes(content)
    for read in (lambda: read_beats(path, ["aami"]), lambda: read_lists(path, "window")):
        with pytest.raises(UserError, match=rf"beats\.parquet: {complaint}.*dvc repro segment"):
            read()


@pytest.mark.slow
def test_real_table_has_the_beats_of_ds2(real_beats, mitdb_facts):
    beats = read_beats(real_beats, ["record", "sample"])
    sides = mitdb_facts.records.set_index("record").side
    assert (beats.record.map(sides) == "test").sum() == 49_690
    assert not beats.duplicated().any()
