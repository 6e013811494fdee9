"""A user's own records: which files belong to one, and what is said when one is missing."""

import pytest

from pipeline.errors import UserError
from pipeline.sources.wfdb_folder import copy_records

HEADER = """# a comment first
a1 2 360 1000
{first} 212 200 11 1024 995 -22131 0 MLII
{second} 212 200 11 1024 1011 20052 0 V5

# 69 M
"""


@pytest.fixture
def source(tmp_path):
    """Record a1 with both leads in one file, a2 with a file each."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a1.hea").write_text(HEADER.format(first="a1.dat", second="a1.dat"))
    (folder / "a2.hea").write_text(HEADER.format(first="a2_MLII.dat", second="a2_V5.dat"))
    for name in ("a1.dat", "a1.atr", "a2_MLII.dat", "a2_V5.dat", "a2.atr", "other.dat"):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "raw"


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_files_of_the_named_records_are_copied(source, raw):
    copy_records(source, ["a2"], raw)
    assert names(raw) == ["a2.atr", "a2.hea", "a2_MLII.dat", "a2_V5.dat"]
    assert all((raw / name).read_bytes() == (source / name).read_bytes() for name in names(raw))


@pytest.mark.parametrize("name", ["a1.hea", "a1.dat", "a1.atr", "a2_V5.dat"])
def test_a_missing_file_is_named_and_nothing_is_copied(source, raw, name):
    (source / name).unlink()
    with pytest.raises(UserError, match=rf"mine/{name}: missing"):
        copy_records(source, ["a1", "a2"], raw)
    assert names(raw) == []


def test_earlier_copies_stay_when_a_file_is_missing(source, raw):
    copy_records(source, ["a1"], raw)
    (source / "a1.dat").write_bytes(b"changed")
    (source / "a2.atr").unlink()
    with pytest.raises(UserError, match=r"a2\.atr"):
        copy_records(source, ["a1", "a2"], raw)
    assert (raw / "a1.dat").read_bytes() == b"a1.dat"


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("", "not a WFDB header"),
        ("\x00\x01\x02", "not a WFDB header"),
        ("a1 two 360\n", "not a WFDB header"),
        ("a1 2 360 1000\na1.dat 212\n", "names 2 signals, but has 1 lines"),
        ("a1/3 2 360 1000\ns1 500\ns2 500\n", "several segments"),
        (HEADER.format(first="../b.dat", second="a1.dat"), r"\.\./b\.dat is outside the folder"),
    ],
)
def test_a_header_that_cannot_be_understood_is_named(source, raw, header, complaint):
    (source / "a1.hea").write_text(header)
    with pytest.raises(UserError, match=rf"a1\.hea: .*{complaint}"):
        copy_records(source, ["a1"], raw)


def test_a_folder_that_is_not_there(tmp_path, raw):
    with pytest.raises(UserError, match=r"nowhere: .*data\.folder"):
        copy_records(tmp_path / "nowhere", ["a1"], raw)
