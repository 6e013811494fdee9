"""Recordings come back as written; each kind of damage is found and named."""

import numpy as np
import pytest
import wfdb

from pipeline.checks.records import RecordFacts, validate_records
from pipeline.ecg.recordings import read_signal
from pipeline.ecg.records import inspect_record, inspect_records, read_record
from pipeline.errors import UserError
from pipeline.scoring.pieces import held


def test_a_recording_comes_back_as_written(write_record, tmp_path):
    adu = write_record(samples=(10, 400, 800), symbols="+NV")
    record = read_record(tmp_path, "r1")
    np.testing.assert_array_equal(record.digital, adu)
    np.testing.assert_allclose(record.physical, (adu - 1024) / 200, atol=1e-6)
    assert record.physical.dtype == np.float32
    assert (record.name, record.fs_hz, record.checksums_ok) == ("r1", 360.0, True)
    assert record.samples.tolist() == [10, 400, 800]
    assert "".join(record.symbols) == "+NV"


def test_a_sound_recording_in_one_row(write_record, tmp_path):
    write_record(samples=(10, 400, 800), symbols="+NV")
    row = inspect_record(tmp_path, "r1")
    assert row["flat_fraction"] < 0.1
    assert row["saturated_fraction"] < 0.05
    assert {key: value for key, value in row.items() if not key.endswith("fraction")} == {
        "record": "r1",
        "n_leads": 2,
        "sampling_rate_hz": 360.0,
        "n_samples": 7200,
        "checksums_ok": True,
        "n_annotations": 3,
        "last_annotation_sample": 800,
        "unknown_symbols": "",
        "n_beats": 2,
        "problem": "",
    }


def write_digital(folder, adu, unit="mV"):
    """Write the record `d1` with two annotated beats."""
    leads = adu.shape[1]
    wfdb.wrsamp(
        "d1",
        fs=360,
        units=[unit] * leads,
        sig_name=[f"lead{i}" for i in range(leads)],
        d_signal=adu,
        fmt=["212"] * leads,
        adc_gain=[200] * leads,
        baseline=[12] * leads,
        write_dir=str(folder),
    )
    wfdb.wrann("d1", "atr", np.array([400, 700]), symbol=["N"] * 2, write_dir=str(folder))


def noise(n_leads=2):
    return np.random.default_rng(0).integers(-900, 900, (3600, n_leads))


INVALID = -2048
"""What format 212 says of a sample that is not there."""


@pytest.mark.parametrize(("unit", "in_mv"), [("mV", 1), ("uV", 1e-3), ("V", 1e3), ("NU", 1)])
def test_training_reads_what_scoring_reads(tmp_path, unit, in_mv):
    adu = noise()
    adu[:5, 0] = adu[100:110, 1] = INVALID
    write_digital(tmp_path, adu, unit)
    record = read_record(tmp_path, "d1")
    np.testing.assert_array_equal(record.physical, held(read_signal(tmp_path / "d1").millivolts))
    assert record.physical[50, 0] == pytest.approx((adu[50, 0] - 12) / 200 * in_mv)
    assert (record.physical[:5, 0] == 0).all()
    assert (record.digital[100:110, 1] == adu[99, 1]).all()
    assert record.checksums_ok


def test_a_recording_without_a_valid_sample_is_named(tmp_path):
    write_digital(tmp_path, np.full((3600, 2), INVALID))
    with pytest.raises(UserError, match=r"d1\.hea: no valid sample; restore"):
        read_record(tmp_path, "d1")


def without_checksum(line):
    return " ".join(line.split()[:6])


@pytest.mark.parametrize("leads", [(0,), (1,), (0, 1)])
def test_a_header_need_not_state_checksums(tmp_path, leads):
    write_digital(tmp_path, noise())
    header = tmp_path / "d1.hea"
    lines = header.read_text().splitlines()
    header.write_text(
        "\n".join(without_checksum(line) if place - 1 in leads else line for place, line in enumerate(lines)) + "\n"
    )
    assert read_record(tmp_path, "d1").checksums_ok
    samples = bytearray((tmp_path / "d1.dat").read_bytes())
    samples[3] ^= 1  # The first lead's second sample.
    (tmp_path / "d1.dat").write_bytes(samples)
    assert read_record(tmp_path, "d1").checksums_ok == (0 in leads)


@pytest.mark.parametrize(
    ("change", "flat", "saturated"),
    [
        (lambda lead: np.zeros_like(lead), 1.0, 0.0),
        (lambda lead: lead.clip(-450, 450), 0.25, 0.5),
    ],
)
def test_the_worst_lead_is_told(tmp_path, change, flat, saturated):
    adu = noise()
    adu[:, 1] = change(adu[:, 1])
    write_digital(tmp_path, adu)
    row = inspect_record(tmp_path, "d1")
    assert row["flat_fraction"] == pytest.approx(flat, abs=0.15)
    assert row["saturated_fraction"] == pytest.approx(saturated, abs=0.05)


def cut(path, n_bytes):
    path.write_bytes(path.read_bytes()[:n_bytes])


@pytest.mark.parametrize("ending", ["hea", "dat", "atr"])
def test_a_missing_file_is_named(write_record, tmp_path, ending):
    write_record()
    (tmp_path / f"r1.{ending}").unlink()
    with pytest.raises(UserError, match=rf"r1\.{ending}: not found; restore it"):
        read_record(tmp_path, "r1")


@pytest.mark.parametrize("ending", ["hea", "atr"])
def test_a_dot_in_a_records_name_is_part_of_it(write_record, tmp_path, ending):
    write_record("plain")
    for each in ("hea", "atr"):
        (tmp_path / f"plain.{each}").rename(tmp_path / f"p.9.{each}")
    assert read_record(tmp_path, "p.9").samples.tolist() == [360, 720, 1080, 1440, 1800]
    cut(tmp_path / f"p.9.{ending}", 5)
    with pytest.raises(UserError, match=rf"p\.9\.{ending}: .*restore"):
        read_record(tmp_path, "p.9")


@pytest.mark.parametrize(
    ("ending", "n_bytes"),
    [
        ("hea", 0),
        ("hea", 8),
        ("hea", 30),
        ("dat", 0),
        ("dat", 3000),
        ("dat", 21597),
        ("atr", 0),
        ("atr", 4),
        ("atr", 11),
    ],
)
def test_a_truncated_file_is_named(write_record, tmp_path, ending, n_bytes):
    write_record()
    cut(tmp_path / f"r1.{ending}", n_bytes)
    with pytest.raises(UserError, match=rf"r1\.{'atr' if ending == 'atr' else 'hea'}: .*restore"):
        read_record(tmp_path, "r1")


@pytest.mark.parametrize("ending", ["hea", "atr"])
def test_a_file_of_another_kind_is_named(write_record, tmp_path, ending):
    write_record()
    (tmp_path / f"r1.{ending}").write_bytes(b"\xff\x00 no WFDB \x07" * 5)
    with pytest.raises(UserError, match=rf"r1\.{ending}"):
        read_record(tmp_path, "r1")


def test_annotations_out_of_order_are_named(write_record, tmp_path):
    write_record()
    content = bytearray((tmp_path / "r1.atr").read_bytes())
    # A SKIP of -1000 samples (code 59, then the interval in PDP-11 order) before the end mark.
    skip = (59 << 10).to_bytes(2, "little") + (0xFFFF).to_bytes(2, "little") + (0xFC18).to_bytes(2, "little")
    content[-2:-2] = skip + (1 << 10).to_bytes(2, "little")
    (tmp_path / "r1.atr").write_bytes(content)
    with pytest.raises(UserError, match=r"r1\.atr: annotations are out of order"):
        read_record(tmp_path, "r1")


FAULTY = {
    "bitflip": "checksums",
    "short_dat": "readable",
    "long_dat": "readable",
    "no_dat": "readable",
    "short_atr": "readable",
    "no_atr": "readable",
    "bad_header": "readable",
    "past_end": "annotations_inside",
    "one_lead": "leads",
    "other_rate": "sampling_rate",
    "too_short": "length",
    "symbol": "known_symbols",
    "no_beats": "has_beats",
    "no_header": "record_present",
}


@pytest.fixture
def faulty_folder(write_record, tmp_path):
    """Each record with one fault, named after it; `sound` with none."""
    odd = {
        "past_end": {"samples": (360, 7200)},
        "one_lead": {"n_leads": 1},
        "other_rate": {"fs_hz": 300, "seconds": 24, "samples": (300, 600)},
        "too_short": {"seconds": 19},
        "symbol": {"samples": (360, 720), "symbols": "N?"},
        "no_beats": {"samples": (360, 720), "symbols": "+~"},
    }
    for name in ("sound", *FAULTY):
        write_record(name, **odd.get(name, {}))
    flipped = bytearray((tmp_path / "bitflip.dat").read_bytes())
    flipped[5000] ^= 0x10
    (tmp_path / "bitflip.dat").write_bytes(flipped)
    with (tmp_path / "long_dat.dat").open("ab") as file:
        file.write(b"\x01" * 300)
    cut(tmp_path / "short_dat.dat", 9000)
    cut(tmp_path / "short_atr.atr", 5)
    cut(tmp_path / "bad_header.hea", 20)
    for name in ("no_dat.dat", "no_atr.atr", "no_header.hea"):
        (tmp_path / name).unlink()
    return tmp_path


def test_each_fault_is_found_by_its_check(faulty_folder):
    names = ["sound", *FAULTY]
    facts = RecordFacts(records=tuple(names), n_leads=2, sampling_rate_hz=360, n_samples=7200)
    report = validate_records(inspect_records(faulty_folder, names), facts, faulty_folder / "docs")
    found = {
        name: finding.expectation
        for finding in report.failures
        for name in FAULTY
        if any(row.startswith(f"record {name}:") for row in finding.rows)
    }
    missing = next(finding for finding in report.failures if finding.expectation == "record_present")
    assert "no_header" in missing.line()
    assert found | {"no_header": "record_present"} == FAULTY
    assert not any(row.startswith("record sound") for finding in report.failures for row in finding.rows)


FACTS = RecordFacts(records=("r1", "r2"), n_leads=2, sampling_rate_hz=360, n_samples=None)


def test_records_none_of_which_can_be_read_are_named(write_record, tmp_path):
    for name in FACTS.records:
        write_record(name)
        cut(tmp_path / f"{name}.dat", 3000)
    report = validate_records(inspect_records(tmp_path, ["r1", "r2"]), FACTS, tmp_path / "docs")
    [finding] = report.failures
    assert finding.expectation == "readable"
    assert [row.split(":")[0] for row in finding.rows] == ["record r1", "record r2"]


def test_a_folder_without_any_header_misses_every_record(tmp_path):
    report = validate_records(inspect_records(tmp_path, []), FACTS, tmp_path / "docs")
    assert [finding.expectation for finding in report.failures] == ["record_present"]
    assert report.failures[0].rows == ("record r1: missing", "record r2: missing")
