"""The MIT-BIH records: the pinned facts, and where the files come from."""

import csv
import hashlib
import os
import re
import socket
from collections import Counter
from pathlib import Path

import pytest
import yaml

from pipeline.config import DownloadConfig
from pipeline.errors import UserError
from pipeline.sources.mitdb import download_mitdb, read_sums

FACTS = Path(__file__).parents[2] / "data" / "reference" / "mitdb"
SETTINGS = DownloadConfig(workers=4, retries=0, timeout_s=5.0)
RECORDS = os.environ.get("MITDB_MIRROR", "")

# De Chazal, O'Dwyer, Reilly 2004, table III.
DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
DS2 = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234"


def sides():
    with (FACTS / "records.csv").open(encoding="utf-8", newline="") as table:
        return {row["record"]: row for row in csv.DictReader(table)}


@pytest.fixture
def dataset(tmp_path):
    """The facts of a database of two files."""
    folder = tmp_path / "facts"
    folder.mkdir()
    lines = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}" for name in ("1.dat", "1.hea")]
    (folder / "SHA256SUMS.txt").write_text("\n".join(lines) + "\n")
    return folder


def test_the_pinned_sums_name_three_files_for_each_record():
    expected = {f"{record}.{kind}" for record in sides() for kind in ("dat", "hea", "atr")}
    assert read_sums(FACTS / "SHA256SUMS.txt").keys() == expected
    assert len(expected) == 144


def test_the_sides_are_those_of_de_chazal():
    by_side = {
        side: {record for record, row in sides().items() if row["side"] == side}
        for side in ("train", "validation", "test", "excluded")
    }
    assert by_side["train"] | by_side["validation"] == set(DS1.split())
    assert by_side["test"] == set(DS2.split())
    assert by_side["excluded"] == {"102", "104", "107", "217"}


def test_only_the_known_overlap_shares_a_patient():
    protocols = yaml.safe_load((FACTS / "dataset.yaml").read_text())["protocols"]
    patients = Counter(row["patient"] for row in sides().values())
    shared = [patient for patient, n_records in patients.items() if n_records > 1]
    records = [record for record, row in sides().items() if row["patient"] in shared]
    assert [records] == protocols["interpatient"]["known_overlaps"]


@pytest.mark.skipif(not Path(RECORDS).is_dir() or not RECORDS, reason="needs MITDB_MIRROR, a folder")
def test_the_real_records_match_the_pinned_sums(tmp_path):
    report = download_mitdb(FACTS, tmp_path, SETTINGS, RECORDS)
    assert len(report.fetched) == len(list(tmp_path.iterdir())) == 144


def test_a_mirror_on_the_web(server, dataset, tmp_path):
    server.files.update({"1.dat": b"1.dat", "1.hea": b"1.hea"})
    download_mitdb(dataset, tmp_path / "raw", SETTINGS, f"{server.url}/mitdb")
    assert {p.name: p.read_bytes() for p in (tmp_path / "raw").iterdir()} == server.files


@pytest.mark.parametrize("mirror", [None, ""])
def test_without_a_mirror_and_a_network_the_error_names_the_ways_out(dataset, tmp_path, monkeypatch, mirror):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    # A proxy that nobody runs stands for a machine without a network.
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
    with pytest.raises(UserError) as caught:
        download_mitdb(dataset, tmp_path / "raw", SETTINGS, mirror)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("https://physionet.org/files/mitdb/1.0.0/1.")
    for way_out in ("MITDB_MIRROR", "mit-bih-arrhythmia-database-1.0.0.zip", "make demo"):
        assert way_out in message


def test_a_mirror_folder_that_lacks_a_file(dataset, tmp_path):
    (tmp_path / "mirror").mkdir()
    with pytest.raises(UserError, match=r"mirror/1\.dat: missing; .*MITDB_MIRROR"):
        download_mitdb(dataset, tmp_path / "raw", SETTINGS, str(tmp_path / "mirror"))


@pytest.mark.parametrize("line", ["deadbeef  1.atr", "no sum at all", "a" * 64 + "  ../1.atr"])
def test_a_bad_line_in_the_sums_is_named(dataset, line):
    sums = dataset / "SHA256SUMS.txt"
    sums.write_text(sums.read_text() + line + "\n")
    with pytest.raises(UserError, match=re.escape(f"{sums}:3: ")):
        read_sums(sums)


def test_missing_sums_are_named(tmp_path):
    with pytest.raises(UserError, match=r"SHA256SUMS\.txt: cannot be read"):
        read_sums(tmp_path / "SHA256SUMS.txt")
