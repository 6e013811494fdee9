"""A reader never sees half of a file, and a full disk costs nothing that was there."""

import errno
import os
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.files import atomic_path, write_json, write_text


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "out" / "result.json"
    write_text(path, "earlier\n")
    return path


def only(path):
    return list(path.parent.iterdir()) == [path]


def test_earlier_content_stands_until_the_end(target):
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        assert temporary.parent == target.parent
        assert target.read_text() == "earlier\n"
    assert target.read_text() == "half"
    assert only(target)


@pytest.mark.parametrize("error", [KeyError("work"), KeyboardInterrupt(), UserError("no")])
def test_a_failure_leaves_the_earlier_content(target, error):
    def fail_halfway():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail_halfway()
    assert target.read_text() == "earlier\n"
    assert only(target)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_while_writing(target):
    def fill_the_disk():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            Path("/dev/full").write_text("more")

    with pytest.raises(UserError, match=r"result\.json: cannot be written \(No space left.*free some space"):
        fill_the_disk()
    assert target.read_text() == "earlier\n"
    assert only(target)


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_at_the_end(target, monkeypatch, call, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(UserError, match=r"result\.json: cannot be written .*free some space"):
        write_text(target, "new")
    assert target.read_text() == "earlier\n"
    assert only(target)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/result\.json: cannot be written .*permissions"):
        write_text(tmp_path / "file" / "result.json", "new")


def test_a_folder_of_that_name_is_found_before_the_work(target):
    with pytest.raises(UserError, match=r"out: is a folder; name a file"), atomic_path(target.parent):
        pytest.fail("the work began")
    assert only(target)


def test_another_error_of_the_system_is_not_hidden(target):
    with pytest.raises(FileNotFoundError), atomic_path(target):
        Path("/nowhere/input").read_text()
    assert target.read_text() == "earlier\n"


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_is_the_same_whatever_the_order(tmp_path):
    write_json(tmp_path / "a", {"b": [1, 2], "a": None})
    write_json(tmp_path / "b", {"a": None, "b": [1, 2]})
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()
    assert (tmp_path / "a").read_text() == '{\n  "a": null,\n  "b": [\n    1,\n    2\n  ]\n}\n'
