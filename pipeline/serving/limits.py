"""What the service takes at once: how much, how large and for how long."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.requests import ClientDisconnect, Request

T = TypeVar("T")

RETRY_AFTER_S: Final = 1


@dataclass(frozen=True)
class Limits:
    """Bounds of one service.

    Attributes:
        workers: Recordings labelled at once.
        waiting: Requests that may wait for a worker; one more is refused.
        body_bytes: Largest request body; an hour of two leads at 360 Hz takes 9 bytes a number.
        numbers: Most numbers in it; what counts is the commas between them. Reading so many holds Python's lock, and so
            /health and refusals, for a quarter of a second.
        receive_s: Longest time that a body may take to arrive.
        answer_s: Longest time from a body's arrival to its answer.
    """

    workers: int = min(os.cpu_count() or 1, 8)
    waiting: int = 16
    body_bytes: int = 24 * 2**20
    numbers: int = 2 * 3600 * 360 + 20_000
    receive_s: float = 20.0
    answer_s: float = 60.0


LIMITS: Final = Limits()


class Refused(Exception):
    """A request that is answered without labels: HTTP status and one sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Desk:
    """Lets in as many requests as there are workers and waiting places."""

    def __init__(self, limits: Limits, changed: Callable[[int], None]) -> None:
        self._limits, self._changed = limits, changed
        self._inside = 0
        self._workers = ThreadPoolExecutor(limits.workers, thread_name_prefix="label")

    def enter(self) -> None:
        """Take a place, to be given back by `leave`; call it from the event loop alone.

        Raises:
            Refused: all are taken.
        """
        if self._inside >= self._limits.workers + self._limits.waiting:
            raise Refused(503, f"all {self._limits.waiting} waiting places are taken; try again in a second")
        self._inside += 1
        self._changed(self._inside)

    def leave(self) -> None:
        """Give a place back."""
        self._inside -= 1
        self._changed(self._inside)

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` on a worker and give the place back when it has ended, which may be after this has.

        Raises:
            Refused: it took too long; its worker is not stopped.
        """
        loop = asyncio.get_running_loop()
        task: Future[T] = self._workers.submit(work)
        task.add_done_callback(lambda _: loop.call_soon_threadsafe(self.leave))
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(task)), self._limits.answer_s)
        except TimeoutError as error:
            if task.done():
                raise
            task.cancel()  # Helps where it has not begun.
            raise Refused(
                504, f"not labelled within {self._limits.answer_s:g} s; send a shorter recording or beats"
            ) from error

    def close(self) -> None:
        """Take no more work; what runs ends by itself."""
        self._workers.shutdown(wait=False, cancel_futures=True)


async def read_body(request: Request, limits: Limits) -> bytes:
    """The request's body.

    Raises:
        Refused: it is too large, too slow, or its sender went away.
    """
    remedy = "send a shorter stretch, or use `heartbeat score`"
    too_large = Refused(413, f"body: larger than {limits.body_bytes / 2**20:g} MiB; {remedy}")
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limits.body_bytes:
        raise too_large
    parts, size, commas = [], 0, 0
    try:
        async with asyncio.timeout(limits.receive_s):
            async for part in request.stream():
                size += len(part)
                if size > limits.body_bytes:
                    raise too_large
                commas += part.count(b",")
                if commas > limits.numbers:
                    raise Refused(413, f"body: more than {limits.numbers:,} numbers; {remedy}")
                parts.append(part)
    except TimeoutError as error:
        raise Refused(408, f"body: did not arrive within {limits.receive_s:g} s; send it anew") from error
    except ClientDisconnect as error:
        raise Refused(400, "body: ended early; send it anew") from error
    return b"".join(parts)
