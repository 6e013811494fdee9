"""How every command ends: a user's error is one line on stderr and exit code 2, never a traceback."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import USER_ERROR_EXIT_CODE, UserError
from pipeline.files import DISK_ERRORS, disk_error


def guarded(work: Callable[[], None]) -> None:
    """Run `work`; a UserError, a full disk or a file without permission ends the process with exit code 2."""
    try:
        work()
    except UserError as error:
        _leave(error)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        path = Path(str(error.filename or "."))
        refused = error.errno in (errno.EACCES, errno.EPERM)  # Of which nobody says whether it was to read or to write.
        _leave(_refused(path, error) if refused else disk_error(path, error))


def _refused(path: Path, error: OSError) -> UserError:
    return UserError(f"{path}: cannot be opened ({error.strerror}); check the permissions of the file and its folder")


def _leave(error: Exception) -> None:
    print(f"error: {error}", file=sys.stderr, flush=True)
    sys.exit(USER_ERROR_EXIT_CODE)
