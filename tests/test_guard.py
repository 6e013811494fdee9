"""How a command ends: one line and exit code 2 for the user's errors, a traceback for ours."""

import errno
import os

import pytest

from pipeline.errors import UserError
from pipeline.guard import guarded


def told(capsys, error):
    def fail():
        raise error

    with pytest.raises(SystemExit) as ended:
        guarded(fail)
    assert ended.value.code == 2
    return capsys.readouterr().err


def of_system(number):
    return OSError(number, os.strerror(number), "data/raw/100.dat")


def test_a_users_error_is_its_line(capsys):
    assert told(capsys, UserError("mend it")) == "error: mend it\n"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_refusal_does_not_guess_whether_it_was_to_read_or_to_write(capsys, number):
    line = told(capsys, of_system(number))
    assert line.startswith("error: data/raw/100.dat: cannot be opened (")
    assert "permissions" in line


def test_a_full_disk_is_told(capsys):
    assert "data/raw/100.dat: cannot be written (No space left" in told(capsys, of_system(errno.ENOSPC))


@pytest.mark.parametrize("number", [errno.EEXIST, errno.EISDIR, errno.ENOTDIR])
def test_a_path_of_another_kind_is_the_users_to_move(capsys, number):
    line = told(capsys, of_system(number))
    assert (
        line == f"error: data/raw/100.dat: is in the way ({os.strerror(number)}); move it away or name another path\n"
    )


def test_an_error_without_a_path_is_ours():
    def fail():
        raise OSError(errno.ENOTDIR, "Not a directory")

    with pytest.raises(OSError, match="Not a directory"):
        guarded(fail)


def test_another_error_is_ours():
    def fail():
        raise of_system(errno.EIO)

    with pytest.raises(OSError, match="100"):
        guarded(fail)
