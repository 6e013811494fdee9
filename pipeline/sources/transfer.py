"""One file over HTTP: resumed by byte range, retried with back-off, checked, then put in place."""

import hashlib
import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from pipeline.errors import UserError
from pipeline.files import disk_error
from pipeline.sources.local import put_in_place
from pipeline.sources.progress import FetchProgress

if TYPE_CHECKING:
    from hashlib import _Hash

LONGEST_PAUSE_S = 30.0
LONGEST_RETRY_AFTER_S = 300.0
_TOO_MANY_OR_SLOW = (408, 429)


class Stopped(Exception):
    """The batch has ended, by Ctrl-C or another file's failure; what arrived stays in the part."""


class _Busy(Exception):
    """The server asks to come back later."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Batch:
    """What all downloads of one batch share.

    `retries` counts the attempts in a row that bring a file no further, after the first;
    `backoff_s` is the first pause between them, doubled each time; `remedy` ends the messages.
    """

    client: httpx.Client
    retries: int
    backoff_s: float
    remedy: str
    progress: FetchProgress
    stop: threading.Event


@dataclass(frozen=True)
class RemoteFile:
    """One file to fetch; it grows in `part` and gets its own name when its sum is right."""

    url: str
    target: Path
    sha256: str

    @property
    def part(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")


def download(batch: Batch, file: RemoteFile) -> None:
    """Fetch one file, continuing a part that an earlier run left.

    Raises UserError when the server cannot be reached, refuses, or twice sends other content than
    `sha256` says, and when the disk is full; Stopped when the batch has ended.
    """
    try:
        for _ in range(2):
            actual = _receive(batch, file)
            if actual == file.sha256:
                put_in_place(file.part, file.target)
                batch.progress.finished(file.target.name)
                return
            file.part.unlink()
    except OSError as error:
        raise disk_error(file.target, error) from error
    raise UserError(
        f"{file.url}: sha256 is {actual}, expected {file.sha256}, twice in a row: "
        f"another file is served there; {batch.remedy}"
    )


def retry_after_s(value: str | None, now: datetime) -> float:
    """Seconds that a Retry-After header (a number or an HTTP date; RFC 9110) asks to wait."""
    if value is None:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):  # not a date, or one without a time zone
        return 0.0


def _receive(batch: Batch, file: RemoteFile) -> str:
    """Fill the part, over as many attempts as it takes, and return its sha256."""
    failures = 0
    furthest = _size(file.part)
    while True:
        try:
            return _attempt(batch, file)
        except (httpx.TransportError, _Busy) as error:
            failures = failures + 1 if _size(file.part) <= furthest else 1
            furthest = max(furthest, _size(file.part))
            asked_s = error.retry_after_s if isinstance(error, _Busy) else 0.0
            if failures > batch.retries or asked_s > LONGEST_RETRY_AFTER_S:
                raise _gave_up(batch, file, failures, error, asked_s) from error
            pause_s = min(batch.backoff_s * 2 ** (failures - 1), LONGEST_PAUSE_S)
            if batch.stop.wait(max(asked_s, pause_s * random.uniform(0.5, 1.5))):
                raise Stopped from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise UserError(f"{file.url}: {_reason(error)}; {batch.remedy}") from error


def _attempt(batch: Batch, file: RemoteFile) -> str:
    """Ask once for what the part still lacks, write it, and return the sha256 of the whole."""
    digest = _part_digest(file.part)
    start = _size(file.part)
    if start and digest.hexdigest() == file.sha256:
        return file.sha256
    headers = {"Range": f"bytes={start}-"} if start else {}
    with batch.client.stream("GET", file.url, headers=headers) as response:
        code = response.status_code
        continues = code == 206 and _first_byte(response) == start
        if not start or continues or code not in (206, 416):
            _refuse_unless_ok(batch, response)
            if not continues:
                digest, start = hashlib.sha256(), 0
            _write(batch, file, response, digest, start)
            return digest.hexdigest()
    file.part.unlink()  # the server has no such range: what is here is not the start of its file
    return _attempt(batch, file)


def _write(batch: Batch, file: RemoteFile, response: httpx.Response, digest: "_Hash", position: int) -> None:
    length = response.headers.get("Content-Length", "")
    size = position + int(length) if length.isdecimal() else None
    with file.part.open("ab" if position else "wb") as part:
        for chunk in response.iter_raw():
            part.write(chunk)
            part.flush()  # so that a kill loses nothing that arrived
            digest.update(chunk)
            position += len(chunk)
            batch.progress.received(file.target.name, len(chunk), position, size)
            if batch.stop.is_set():
                raise Stopped


def _refuse_unless_ok(batch: Batch, response: httpx.Response) -> None:
    code, url = response.status_code, response.request.url
    if code in (200, 206):
        return
    answer = f"HTTP {code} {response.reason_phrase}".strip()
    if code >= 500 or code in _TOO_MANY_OR_SLOW:
        asked = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
        raise _Busy(answer, asked)
    raise UserError(f"{url}: the server answers {answer}; {batch.remedy}")


def _gave_up(batch: Batch, file: RemoteFile, failures: int, error: Exception, asked_s: float) -> UserError:
    wait = f", and asks to wait {asked_s:.0f} s" if asked_s > LONGEST_RETRY_AFTER_S else ""
    return UserError(f"{file.url}: not to be had after {failures} attempts ({_reason(error)}{wait}); {batch.remedy}")


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__


def _first_byte(response: httpx.Response) -> int | None:
    """The first byte of `Content-Range: bytes 500-999/1000`, here 500."""
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else None


def _part_digest(part: Path) -> "_Hash":
    if not _size(part):
        return hashlib.sha256()
    with part.open("rb") as content:
        return hashlib.file_digest(content, "sha256")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
