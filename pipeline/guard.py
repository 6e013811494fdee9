"""How every command ends: a user's error is one line on stderr and exit code 2, never a traceback."""

import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import USER_ERROR_EXIT_CODE, UserError
from pipeline.files import DISK_ERRORS, disk_error


def guarded(work: Callable[[], None]) -> None:
    """Run `work`; a UserError, or a disk that cannot be written, ends the process with exit code 2."""
    try:
        work()
    except UserError as error:
        _leave(error)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        _leave(disk_error(Path(str(error.filename or ".")), error))


def _leave(error: Exception) -> None:
    print(f"error: {error}", file=sys.stderr, flush=True)
    sys.exit(USER_ERROR_EXIT_CODE)
