"""Requests to an HTTP service: at a steady rate whatever the answers, or many at once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

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
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(limits=limits, timeout=_TIMEOUT_S, trust_env=False) as client:
        start = time.perf_counter() + 0.1
        return await asyncio.gather(*(_one(client, address, body, start + due_s(each)) for each in range(requests)))


async def _one(client: httpx.AsyncClient, address: str, body: bytes, due: float) -> Answer:
    await asyncio.sleep(max(due - time.perf_counter(), 0))
    try:
        answered = await client.post(address, content=body, headers={"content-type": "application/json"})
    except httpx.HTTPError:
        return Answer(0, time.perf_counter() - due)
    return Answer(answered.status_code, time.perf_counter() - due)
