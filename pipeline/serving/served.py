"""The model that answers now, exchanged for a newly promoted one while requests run."""

import hashlib
import logging
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import UserError
from pipeline.scoring.network import Network, load_network
from pipeline.scoring.strips import example_strip, label_strip

POLL_S: Final = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """A loaded network, and what to call it in answers and metrics."""

    network: Network
    name: str
    version: str


Newer = Callable[[Served | None], Served | None]
"""The model to serve after the given one; None: that one still."""


def file_model(path: Path) -> Newer:
    """A `model.onnx`, which stays; its version is the start of its SHA-256.

    Raises (when called):
        UserError: the file is missing or no model of this project.
    """

    def newer(than: Served | None) -> Served | None:
        if than is not None:
            return None
        network = _warm(load_network(path, 1))
        return Served(network, str(path), hashlib.sha256(path.read_bytes()).hexdigest()[:12])

    return newer


def registered_model(workspace: Path, uri: str) -> Newer:
    """The version at `models:/name@alias` or `models:/name/3` in the workspace's store, whichever that is when asked.

    Raises:
        UserError: there is no store; when called: there is no such version, or its model cannot be used.
    """
    from pipeline.tracking.exported import download_onnx, version_at
    from pipeline.tracking.failures import impatient
    from pipeline.tracking.store import open_store

    store = open_store(workspace, create=False)

    def newer(than: Served | None) -> Served | None:
        with impatient():
            found = version_at(store, uri)
            name, number = str(found.name), str(found.version)
            if than is not None and (than.name, than.version) == (name, number):
                return None
            with tempfile.TemporaryDirectory() as folder:
                file = download_onnx(store, f"models:/{name}/{number}", Path(folder))
                network = _warm(load_network(file, 1))
        return Served(network, name, number)

    return newer


class ServedModel:
    """Holds the model that answers and looks for a newer one every `poll_s` seconds.

    A request takes `current` once and keeps it to its end, so that an exchange disturbs none.
    """

    def __init__(
        self,
        newer: Newer,
        exchanged: Callable[[Served], Any],
        failed: Callable[[], Any],
        poll_s: float = POLL_S,
    ) -> None:
        """Load the first model.

        Raises:
            UserError: it cannot be had.
        """
        first = newer(None)
        if first is None:
            raise ValueError("the first model is missing")
        self.current = first
        self._newer, self._exchanged, self._failed, self._poll_s = newer, exchanged, failed, poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="model-watch", daemon=True)
        exchanged(first)

    def start(self) -> None:
        """Begin to look for newer models."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a look that is under way ends by itself."""
        self._stop.set()

    def _watch(self) -> None:
        told = ""
        while not self._stop.wait(self._poll_s):
            try:
                found = self._newer(self.current)
            except Exception as error:  # Whatever ails the store, the model that is there goes on answering.
                self._failed()
                if told != (told := str(error)):
                    unexpected = None if isinstance(error, UserError) else error
                    _log.warning("version %s stays: %s", self.current.version, error, exc_info=unexpected)
                continue
            told = ""
            if found is not None:
                _log.warning("version %s answers now, after version %s", found.version, self.current.version)
                self.current = found
                self._exchanged(found)


def _warm(network: Network) -> Network:
    """Run once what the first request would have to wait for, detection included."""
    strip = example_strip()
    for beats in (strip.beats, None):
        label_strip(network, strip.record, strip.fs_hz, strip.signal_mv, beats)
    return network
