"""Requests to an HTTP service on loopback: at a steady rate whatever the answers, or many at once.

Each has a connection of its own and is as plain as can be, so that the time is the service's and not the client's.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Answer:
    """One request: its status, 0 without an answer, and the seconds from when it was due to its answer."""

    status: int
    seconds: float


def offered(address: str, body: bytes, per_s: float, requests: int) -> list[Answer]:
    """Send requests at a steady rate; one that is late counts from when it was due, so that no wait is hidden."""
    return asyncio.run(_gathered(address, body, requests, lambda number: number / per_s))


def burst(address: str, body: bytes, requests: int) -> list[Answer]:
    """Send all requests at once."""
    return asyncio.run(_gathered(address, body, requests, lambda number: 0.0))


async def _gathered(address: str, body: bytes, requests: int, due_s: Callable[[int], float]) -> list[Answer]:
    parts = urlsplit(address)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    sent = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    place = (parts.hostname or "", parts.port or 80)
    start = time.perf_counter() + 0.1
    return await asyncio.gather(*(_one(place, sent, start + due_s(number)) for number in range(requests)))


async def _one(place: tuple[str, int], sent: bytes, due: float) -> Answer:
    await asyncio.sleep(max(due - time.perf_counter(), 0))
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(*place)
            writer.write(sent)
            answered = await reader.read()
            writer.close()
        status = int(answered.split(maxsplit=2)[1])
    except (OSError, IndexError, ValueError):  # Refused, cut off, timed out; no HTTP.
        status = 0
    return Answer(status, time.perf_counter() - due)
