"""Work that one process may do at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UserError


@contextmanager
def one_process(lock: Path, what: str) -> Iterator[None]:
    """Hold `lock` while the body works; the kernel lets go of it when the process ends, however it ends.

    Raises:
        UserError: another process holds it; the message says `what` is being done, and by which.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise UserError(f"{what} by process {file.read()}; wait for it or end it") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
