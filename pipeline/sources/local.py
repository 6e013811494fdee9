"""Files on this machine's disk: their sums, copies, and the step from a part to the real name."""

import hashlib
import os
import shutil
from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import atomic_path


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal; UserError when it cannot be read."""
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's content, atomically; UserError when it cannot be read or written."""
    try:
        content = source.open("rb")
    except OSError as error:
        raise UserError(f"{source}: cannot be read ({error.strerror})") from error
    with content, atomic_path(target) as temporary, temporary.open("wb") as copy:
        shutil.copyfileobj(content, copy, 1 << 20)


def put_in_place(part: Path, target: Path) -> None:
    """Give a finished part its real name, once it is safe on the disk."""
    with part.open("rb") as content:
        os.fsync(content.fileno())
    os.replace(part, target)
