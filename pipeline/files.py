"""Writing files so that a reader never sees half of one."""

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UserError

_SPACE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DISK_ERRORS = (*_SPACE_ERRORS, errno.EACCES, errno.EROFS, errno.EPERM)
"""What a full disk, a read-only folder or missing permission says."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on failure it is removed.

    Raises UserError when `path` is a folder, the disk is full or the folder cannot be written.
    """
    refuse_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise disk_error(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in DISK_ERRORS:
            raise disk_error(path, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def refuse_folder(path: Path) -> None:
    """Raise a UserError where a folder has the name of a file that is to be written."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a file")


def write_json(path: Path, content: object) -> None:
    """Write `content` as indented JSON with sorted keys, atomically."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def disk_error(path: Path, error: OSError) -> UserError:
    """The message for a file that cannot be written: full disk, no permission, read-only folder."""
    remedy = (
        "free some space and run the command again"
        if error.errno in _SPACE_ERRORS
        else "check the folder's permissions"
    )
    return UserError(f"{path}: cannot be written ({error.strerror}); {remedy}")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
