"""The service on a port, until Ctrl-C or SIGTERM."""

import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn

from pipeline.errors import UserError
from pipeline.serving.app import create_app
from pipeline.serving.served import Newer

LAST_REQUESTS_S = 85
"""Longer than a request may take (`receive_s` and `answer_s` of `Limits`), shorter than deploy/compose.yaml allows."""

_SWITCH_S = 0.0005
"""Python's 5 ms would keep the thread that accepts and refuses waiting behind those that label."""


def serve(newer: Newer, host: str, port: int) -> None:
    """Answer at `host`:`port`; requests that are under way at the end are answered.

    Raises:
        UserError: the port is taken, the host is none of this machine's, or there is no model to serve.
    """
    with listening_at(host, port) as listening:
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
        app = create_app(newer)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=LAST_REQUESTS_S, lifespan="on"
        )
        signal.signal(signal.SIGTERM, _leave)
        sys.setswitchinterval(_SWITCH_S)
        shown = f"[{host}]" if ":" in host else host
        print(f"http://{shown}:{listening.getsockname()[1]}/beats takes recordings; Ctrl-C ends it", flush=True)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:  # uvicorn raises it anew when all requests are answered.
            return


def listening_at(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises:
        UserError: the port is taken, or the host is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(address)
            bound.listen(socket.SOMAXCONN)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise UserError(
            f"{host}:{port}: cannot be served ({error.strerror}); name another with --host and --port"
        ) from error
    return bound


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
