"""Recordings of any number of leads, unit and rate are read by path; labels are written as WFDB tools read them."""

import numpy as np
import pytest
import wfdb

from pipeline.ecg.recordings import annotation_bytes, read_beat_samples, read_signal
from pipeline.ecg.records import read_record
from pipeline.errors import UserError


def test_the_same_numbers_as_in_training(write_record, tmp_path):
    write_record()
    signal = read_signal(tmp_path / "r1")
    record = read_record(tmp_path, "r1")
    assert (signal.name, signal.fs_hz, signal.millivolts.dtype) == ("r1", 360.0, np.float32)
    np.testing.assert_array_equal(signal.millivolts, record.physical)


@pytest.mark.parametrize("n_leads", [1, 2, 12])
def test_the_first_two_leads(write_record, tmp_path, n_leads):
    adu = write_record(n_leads=n_leads)
    signal = read_signal(tmp_path / "r1")
    np.testing.assert_allclose(signal.millivolts, (adu[:, :2] - 1024) / 200, atol=1e-6)


def physical(folder, millivolts, fs_hz=360.0, unit="mV"):
    leads = millivolts.shape[1]
    wfdb.wrsamp(
        "p1",
        fs=fs_hz,
        units=[unit] * leads,
        sig_name=[f"lead{i}" for i in range(leads)],
        p_signal=millivolts,
        fmt=["16"] * leads,
        adc_gain=[10.0] * leads,
        baseline=[0] * leads,
        write_dir=str(folder),
    )
    return folder / "p1"


@pytest.mark.parametrize(("unit", "in_mv"), [("mV", 1), ("uV", 1e-3), ("V", 1e3), ("NU", 1)])
def test_units_become_millivolts(tmp_path, unit, in_mv):
    values = np.array([[1.0], [2.0], [-3.5]])
    np.testing.assert_allclose(read_signal(physical(tmp_path, values, unit=unit)).millivolts, values * in_mv)


def test_invalid_samples_are_nan(tmp_path):
    values = np.array([[1.0, 1.0], [np.nan, 2.0], [3.0, np.nan]])
    np.testing.assert_array_equal(read_signal(physical(tmp_path, values)).millivolts, values)


def test_a_rate_too_low_is_named(tmp_path):
    with pytest.raises(UserError, match=r"p1\.hea: sampled at 1 Hz; name a recording of at least 50 Hz"):
        read_signal(physical(tmp_path, np.ones((5, 1)), fs_hz=1))


def test_one_sample(tmp_path):
    assert read_signal(physical(tmp_path, np.ones((1, 1)))).millivolts.shape == (1, 1)


def test_an_extension_is_named(write_record, tmp_path):
    write_record()
    for ending in ("hea", "dat", "atr"):
        with pytest.raises(UserError, match=r"named without extension; name .*r1$"):
            read_signal(tmp_path / f"r1.{ending}")


def test_what_is_not_there(write_record, tmp_path):
    with pytest.raises(UserError, match=r"no\.hea: not found; give the path"):
        read_signal(tmp_path / "no")
    write_record()
    (tmp_path / "r1.dat").unlink()
    with pytest.raises(UserError, match=r"r1\.dat: not found; restore"):
        read_signal(tmp_path / "r1")


@pytest.mark.parametrize(
    ("ending", "content"), [("hea", b""), ("hea", b"\xff\x00 no\x07"), ("dat", b""), ("dat", b"123")]
)
def test_what_is_damaged(write_record, tmp_path, ending, content):
    write_record()
    (tmp_path / f"r1.{ending}").write_bytes(content)
    with pytest.raises(UserError, match=r"r1\.(hea|dat): .*restore") as refused:
        read_signal(tmp_path / "r1")
    assert "\n" not in str(refused.value)


def test_beats_are_told_from_other_annotations(write_record, tmp_path):
    write_record(samples=(10, 400, 800, 900, 1000), symbols="+N?~V")
    assert read_beat_samples(tmp_path / "r1", "atr", read_signal(tmp_path / "r1")).tolist() == [400, 800, 1000]


def test_an_unknown_annotator_and_a_beat_past_the_end(write_record, tmp_path):
    write_record(samples=(10, 7200))
    signal = read_signal(tmp_path / "r1")
    with pytest.raises(UserError, match=r"r1\.qrs: not found; name an annotator"):
        read_beat_samples(tmp_path / "r1", "qrs", signal)
    with pytest.raises(UserError, match=r"r1\.atr: beat at sample 7200 lies past the end"):
        read_beat_samples(tmp_path / "r1", "atr", signal)
    with pytest.raises(UserError, match=r"r1\.hea"):
        read_beat_samples(tmp_path / "r1", "hea", signal)


def test_labels_come_back_as_written(tmp_path):
    samples = np.array([0, 5, 5, 2_000, 90_000_000])
    (tmp_path / "r1.hbt").write_bytes(annotation_bytes(samples, list("NSVFQ"), 250.0))
    read = wfdb.rdann(str(tmp_path / "r1"), "hbt")
    assert read.sample.tolist() == samples.tolist()
    assert read.symbol == list("NSVFQ")
    assert read.fs == 250


def test_no_labels_are_an_empty_annotation_file(tmp_path):
    (tmp_path / "r1.hbt").write_bytes(annotation_bytes(np.zeros(0, np.int64), [], 360.0))
    assert len(wfdb.rdann(str(tmp_path / "r1"), "hbt").sample) == 0
