"""How long a download waits before it asks again."""

import hashlib
import threading
from datetime import UTC, datetime

import httpx
import pytest

from pipeline.errors import UserError
from pipeline.sources.progress import FetchProgress
from pipeline.sources.transfer import Batch, RemoteFile, Stopped, download, retry_after_s

NOW = datetime(2024, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        (None, 0.0),
        ("7", 7.0),
        ("Mon, 01 Jan 2024 12:00:30 GMT", 30.0),
        ("Mon, 01 Jan 2024 11:00:00 GMT", 0.0),
        ("soon", 0.0),
    ],
)
def test_retry_after(header, expected_s):
    assert retry_after_s(header, NOW) == expected_s


class RecordingStop(threading.Event):
    """Never waits; remembers for how long it was to."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses_s.append(timeout)
        return self.is_set()


@pytest.fixture
def stop():
    return RecordingStop()


def run(server, tmp_path, stop, answers):
    server.files["100.dat"] = b"content"
    server.answers["100.dat"] = answers
    sha256 = hashlib.sha256(b"content").hexdigest()
    with httpx.Client() as client:
        progress = FetchProgress(["100.dat"], "test")
        batch = Batch(client, 9, 0.5, "do this", progress, stop)
        download(batch, RemoteFile(f"{server.url}/100.dat", tmp_path / "100.dat", sha256))


def test_pauses_double_with_jitter_up_to_half_a_minute(server, tmp_path, stop):
    run(server, tmp_path, stop, [server.status(503)] * 9)
    expected = [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    ratios = [pause / mean for pause, mean in zip(stop.pauses_s, expected, strict=True)]
    assert all(0.5 <= ratio <= 1.5 for ratio in ratios)
    assert len(set(ratios)) > 1


def test_the_pause_is_at_least_what_the_server_asks_for(server, tmp_path, stop):
    run(server, tmp_path, stop, [server.status(429, Retry_After="17")])
    assert stop.pauses_s == [17.0]


def test_a_server_that_asks_for_an_hour_is_given_up_at_once(server, tmp_path, stop):
    with pytest.raises(UserError, match=r"HTTP 503.*asks to wait 3600 s"):
        run(server, tmp_path, stop, [server.status(503, Retry_After="3600")])
    assert stop.pauses_s == []


def test_a_stop_ends_the_waiting(server, tmp_path, stop):
    stop.set()
    with pytest.raises(Stopped):
        run(server, tmp_path, stop, [server.status(503)])
    assert len(server.requests) == 1


def test_a_stop_ends_the_receiving_and_keeps_the_part(server, tmp_path, stop):
    stop.set()
    with pytest.raises(Stopped):
        run(server, tmp_path, stop, [])
    assert [path.name for path in tmp_path.iterdir()] == ["100.dat.part"]
