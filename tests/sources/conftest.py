"""A web server on loopback that can be told to misbehave, and that counts what it is asked."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest

Answer = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.count(1)

    def finish(self) -> None:
        super().finish()
        self.count(-1)

    def count(self, change: int) -> None:
        server = cast("FileServer", self.server)
        with server.lock:
            server.open_connections += change
            server.most_connections = max(server.most_connections, server.open_connections)

    def do_GET(self) -> None:
        server = cast("FileServer", self.server)
        name = self.path.rpartition("/")[2]
        with server.lock:
            server.requests.append((name, self.headers["Range"]))
            scripted = server.answers[name]
            answer = scripted.pop(0) if scripted else serve
        if name in server.files:
            answer(self, server.files[name])
        else:
            status(404)(self, b"")

    def head(self, code: int, length: int, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the test output clean."""

    def first_byte(self) -> int:
        return int((self.headers["Range"] or "bytes=0-")[len("bytes=") : -1])


def serve(handler: Handler, content: bytes) -> None:
    """As a good server does: the range asked for, or 416 past the end."""
    start = handler.first_byte()
    if not start:
        handler.head(200, len(content))
    elif start >= len(content):
        handler.head(416, 0, Content_Range=f"bytes */{len(content)}")
        return
    else:
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.head(206, len(content) - start, Content_Range=span)
    handler.wfile.write(content[start:])


def serve_whole(handler: Handler, content: bytes) -> None:
    """As a server does that does not know ranges."""
    handler.head(200, len(content))
    handler.wfile.write(content)


def serve_wrong_range(handler: Handler, content: bytes) -> None:
    """Another range than the one asked for."""
    handler.head(206, 10, Content_Range=f"bytes 0-9/{len(content)}")
    handler.wfile.write(content[:10])


def drop_after(n_bytes: int) -> Answer:
    """Send that much of what was asked for, then hang up."""

    def answer(handler: Handler, content: bytes) -> None:
        start = handler.first_byte()
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.head(206 if start else 200, len(content) - start, Content_Range=span)
        handler.wfile.write(content[start : start + n_bytes])
        handler.close_connection = True

    return answer


def stall_after(n_bytes: int) -> Answer:
    """Send that much, then say nothing until the test is over."""

    def answer(handler: Handler, content: bytes) -> None:
        handler.head(200, len(content))
        handler.wfile.write(content[:n_bytes])
        cast("FileServer", handler.server).release.wait()
        handler.close_connection = True

    return answer


def status(code: int, **headers: str) -> Answer:
    def answer(handler: Handler, content: bytes) -> None:
        handler.head(code, 0, **headers)

    return answer


def meet(barrier: threading.Barrier) -> Answer:
    """Answer only when as many requests are open at once as the barrier asks for."""

    def answer(handler: Handler, content: bytes) -> None:
        barrier.wait()
        serve(handler, content)

    return answer


class FileServer(ThreadingHTTPServer):
    """Serves `files` with byte ranges; `answers[name]` are used up first, one a request."""

    daemon_threads = True

    serve_whole = staticmethod(serve_whole)
    serve_wrong_range = staticmethod(serve_wrong_range)
    drop_after = staticmethod(drop_after)
    stall_after = staticmethod(stall_after)
    status = staticmethod(status)
    meet = staticmethod(meet)

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.requests: list[tuple[str, str | None]] = []
        self.release = threading.Event()
        self.lock = threading.Lock()
        self.open_connections = 0
        self.most_connections = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed, or gave up, is no error here."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ranges(self, name: str) -> list[str | None]:
        """The Range header of each request for `name`, in order."""
        return [sent for asked, sent in self.requests if asked == name]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with FileServer() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.release.set()
        running.shutdown()
        thread.join()
