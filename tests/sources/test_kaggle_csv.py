"""The two CSV files: values exactly as printed, and each fault named by line and column."""

import hashlib
import re

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.sources import kaggle_csv
from pipeline.sources.kaggle_csv import copy_csvs, read_rows


def beats(n_rows, seed=0):
    rows = np.random.default_rng(seed).random((n_rows, 187), dtype=np.float32)
    return rows, np.arange(n_rows) % 5


def lines_of(rows, labels):
    return [",".join(f"{value:.18e}" for value in [*row, label]) for row, label in zip(rows, labels, strict=True)]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "kaggle"
    folder.mkdir()
    for seed, name in enumerate(("mitbih_train.csv", "mitbih_test.csv")):
        (folder / name).write_text("\n".join(lines_of(*beats(7, seed))) + "\n")
    return folder


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last_end", [True, False])
def test_rows_and_labels_are_read_exactly(tmp_path, end, last_end):
    rows, labels = beats(11)
    path = tmp_path / "rows.csv"
    path.write_bytes((end.join(lines_of(rows, labels)) + end * last_end).encode())
    read, read_labels = read_rows(path)
    np.testing.assert_array_equal(read, rows)
    np.testing.assert_array_equal(read_labels, labels)
    assert (read.dtype, read_labels.dtype) == (np.float32, np.int64)
    assert read.flags.c_contiguous


def test_a_file_of_several_blocks_keeps_its_order(tmp_path):
    rows, labels = beats(1000)  # about 5 MB, in blocks of 1 MB
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines_of(rows, labels)))
    read, read_labels = read_rows(path)
    np.testing.assert_array_equal(read, rows)
    np.testing.assert_array_equal(read_labels, labels)


@pytest.mark.parametrize(
    ("row", "column", "field", "complaint"),
    [
        (0, 1, "time", ":1: column 1: 'time' is not a number"),
        (3, 5, "nan", ":4: column 5: 'nan' is not a finite number"),
        (3, 5, "NaN", ":4: column 5: 'NaN' is not a finite number"),
        (6, 187, "inf", ":7: column 187: 'inf' is not a finite number"),
        (2, 100, "", ":3: column 100: '' is not a number"),
        (2, 100, "0.5V", ":3: column 100: '0.5V' is not a number"),
        (2, 100, '"0.5"', ":3: column 100: '\"0.5\"' is not a number"),
        (1, 188, "5", ":2: column 188: '5' is no label (0 to 4)"),
        (1, 188, "-1", ":2: column 188: '-1' is no label (0 to 4)"),
        (1, 188, "0.5", ":2: column 188: '0.5' is no label (0 to 4)"),
        (1, 188, "N", ":2: column 188: 'N' is not a number"),
        (4, 2, "0.1,0.2", ":5: has 189 columns, expected 188"),
    ],
)
def test_a_fault_is_named_by_line_and_column(source, row, column, field, complaint):
    path = source / "mitbih_test.csv"
    lines = path.read_text().splitlines()
    fields = lines[row].split(",")
    fields[column - 1] = field
    lines[row] = ",".join(fields)
    path.write_text("\r\n".join(lines))
    with pytest.raises(UserError, match="^" + re.escape(f"{path}{complaint}")):
        read_rows(path)


def test_a_line_too_long_for_csv_is_named(source):
    path = source / "mitbih_test.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "1" * 200_000, *lines[1:]]))
    with pytest.raises(UserError, match=re.escape(f"{path}:2: ")):
        read_rows(path)


def test_a_file_cut_short_is_named_by_its_last_line(source):
    path = source / "mitbih_test.csv"
    path.write_text(path.read_text()[:-1000])
    with pytest.raises(UserError, match=re.escape(f"{path}:7: has ") + r"\d+ columns"):
        read_rows(path)


def test_a_fault_in_a_late_block_is_named_by_its_line_in_the_file(tmp_path):
    lines = lines_of(*beats(1000))
    lines[900] = "oops," + lines[900].partition(",")[2]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match=re.escape(f"{path}:901: column 1: 'oops'")):
        read_rows(path)


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_rows(tmp_path, content):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"rows\.csv: has no rows"):
        read_rows(path)


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(bytes(range(256)) * 100)
    with pytest.raises(UserError, match=r"rows\.csv:1: "):
        read_rows(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"rows\.csv: cannot be read"):
        read_rows(tmp_path / "rows.csv")


def test_both_files_are_copied_with_a_warning_each(source, tmp_path, capsys):
    copy_csvs(source, tmp_path / "raw")
    for name in ("mitbih_train.csv", "mitbih_test.csv"):
        assert (tmp_path / "raw" / name).read_bytes() == (source / name).read_bytes()
    warnings = capsys.readouterr().err.splitlines()
    assert [line.startswith("warning: ") for line in warnings] == [True, True]


def test_a_published_file_is_taken_without_a_warning(source, tmp_path, capsys, monkeypatch):
    content = (source / "mitbih_test.csv").read_bytes()
    known = {len(content): hashlib.sha256(content).hexdigest()}
    monkeypatch.setitem(kaggle_csv.KNOWN_FILES, "mitbih_test.csv", known)
    copy_csvs(source, tmp_path / "raw")
    assert "mitbih_test.csv" not in capsys.readouterr().err


def test_a_published_size_with_another_content_is_not_recognised(source, tmp_path, capsys, monkeypatch):
    size = (source / "mitbih_test.csv").stat().st_size
    monkeypatch.setitem(kaggle_csv.KNOWN_FILES, "mitbih_test.csv", {size: "0" * 64})
    copy_csvs(source, tmp_path / "raw")
    assert "mitbih_test.csv" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["missing", "bad"])
def test_nothing_is_copied_when_one_file_is_missing_or_bad(source, tmp_path, fault):
    path = source / "mitbih_test.csv"
    if fault == "missing":
        path.unlink()
    else:
        path.write_text("1,2,3\n")
    with pytest.raises(UserError, match=r"mitbih_test\.csv"):
        copy_csvs(source, tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
