"""The MLflow UI on the workspace's store."""

import socket
import subprocess
import sys
from pathlib import Path

from pipeline.errors import UserError
from pipeline.tracking.store import open_store

_LOOPBACK = "127.0.0.1"


def serve_ui(workspace: Path, port: int) -> None:
    """Serve the UI on loopback until Ctrl-C; a server has its own, whose address is told.

    Raises:
        UserError: there is no store, it cannot be opened, or the port is taken.
    """
    store = open_store(workspace, create=False)
    if store.uri.startswith(("http:", "https:")):
        print(f"The store is a server with a UI of its own: open {store.shown} in a browser")
        return
    _check_port(port)
    print(f"MLflow UI on {store.shown}: http://{_LOOPBACK}:{port} (Ctrl-C ends it)", flush=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store.uri]
    try:
        ended = subprocess.run([*command, "--host", _LOOPBACK, "--port", str(port)], check=False)
    except KeyboardInterrupt:
        return
    if ended.returncode not in (0, -2, 130):
        raise UserError(f"port {port}: the MLflow UI ended with exit code {ended.returncode}, see above")


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            raise UserError(f"port {port}: {error.strerror}; choose another one with --port") from error
