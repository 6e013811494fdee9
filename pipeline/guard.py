"""How every command ends: a user's error is one line on stderr and exit code 2, never a traceback."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from pipeline.errors import USER_ERROR_EXIT_CODE, UserError
from pipeline.files import DISK_ERRORS, disk_error

_OTHER_KIND = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR)


def guarded(work: Callable[[], None]) -> None:
    """Run `work`; a UserError ends the process with exit code 2.

    So do a full disk, a file without permission, and a folder where a file belongs or the other way round.
    """
    try:
        work()
    except UserError as error:
        _leave(error)
    except OSError as error:
        if error.filename and error.errno in _OTHER_KIND:
            _leave(UserError(f"{error.filename}: is in the way ({error.strerror}); move it away or name another path"))
        if error.errno not in DISK_ERRORS:
            raise
        path = Path(str(error.filename or "."))
        refused = error.errno in (errno.EACCES, errno.EPERM)  # Of which nobody says whether it was to read or to write.
        _leave(_refused(path, error) if refused else disk_error(path, error))


def _refused(path: Path, error: OSError) -> UserError:
    return UserError(f"{path}: cannot be opened ({error.strerror}); check the permissions of the file and its folder")


def _leave(error: Exception) -> NoReturn:
    print(f"error: {error}", file=sys.stderr, flush=True)
    sys.exit(USER_ERROR_EXIT_CODE)
