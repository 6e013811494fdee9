"""Many files from one place, a web server or a folder: in parallel, checked, resumed."""

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import httpx

from pipeline.errors import UserError
from pipeline.files import disk_error
from pipeline.sources.local import copy_file, file_sha256
from pipeline.sources.progress import FetchProgress
from pipeline.sources.transfer import Batch, RemoteFile, download

Item = TypeVar("Item")

RUN_AGAIN = "check the network and the address and run the command again: what arrived is kept"


@dataclass(frozen=True)
class FetchReport:
    """What a call to `fetch_files` found in the folder, what it added, and what that cost."""

    present: tuple[str, ...]
    fetched: tuple[str, ...]
    received_bytes: int


def fetch_files(
    base: str,
    files: Mapping[str, str],
    folder: Path,
    workers: int,
    retries: int,
    timeout_s: float,
    *,
    backoff_s: float = 0.5,
    remedy: str = RUN_AGAIN,
) -> FetchReport:
    """Bring `files` (name to SHA-256) from `base` into `folder`.

    `base` is a URL (http, https, file) or a folder. A file that is there with the right sum is
    not asked for. Over HTTP a file grows in `<name>.part`, which a later call continues, and is
    tried `retries` times more, after pauses from `backoff_s` on, doubled each time.

    Raises UserError, ending in `remedy`, when a file cannot be had or has another sum.
    """
    source = _local_folder(base)
    present = tuple(name for name in files if _is_there(folder / name, files[name]))
    missing = tuple(name for name in files if name not in set(present))
    if not missing:
        print(f"{folder}: all {len(files)} files are there, sums checked", file=sys.stderr)
        return FetchReport(present, (), 0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(folder, error) from error
    with FetchProgress(missing, f"{base} -> {folder}") as progress:
        if source is not None:
            _copy_all(source, {name: files[name] for name in missing}, folder, remedy, progress)
        else:
            stop = threading.Event()
            with _client(timeout_s) as client:
                batch = Batch(client, retries, backoff_s, remedy, progress, stop)
                remote = [_remote_file(base, name, folder, files[name]) for name in missing]
                _in_parallel(lambda file: download(batch, file), remote, workers, stop)
    return FetchReport(present, missing, progress.received_bytes)


def _remote_file(base: str, name: str, folder: Path, sha256: str) -> RemoteFile:
    return RemoteFile(f"{base.rstrip('/')}/{quote(name)}", folder / name, sha256)


def _local_folder(base: str) -> Path | None:
    """The folder that `base` names, or None where it is a web address."""
    scheme = base.partition("://")[0].lower() if "://" in base else ""
    if scheme in ("http", "https"):
        return None
    if scheme not in ("", "file"):
        raise UserError(f"{base}: cannot be downloaded from; give an http:// or https:// address or a folder")
    folder = Path(url2pathname(urlsplit(base).path) if scheme else base).expanduser()
    if not folder.is_dir():
        raise UserError(f"{base}: there is no such folder; name the one that holds the files")
    return folder


def _is_there(path: Path, sha256: str) -> bool:
    if not path.is_file() or file_sha256(path) != sha256:
        return False
    path.with_name(f"{path.name}.part").unlink(missing_ok=True)
    return True


def _client(timeout_s: float) -> httpx.Client:
    """A client that asks for the bytes as they are stored: a range of compressed ones is no use."""
    try:
        return httpx.Client(
            headers={"Accept-Encoding": "identity"},
            follow_redirects=True,
            timeout=timeout_s,
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise UserError(
            f"the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used ({error}); mend the variable or unset it"
        ) from error


def _copy_all(source: Path, files: Mapping[str, str], folder: Path, remedy: str, progress: FetchProgress) -> None:
    for name, expected in files.items():
        origin = source / name
        if not origin.is_file():
            raise UserError(f"{origin}: missing; {remedy}")
        actual = file_sha256(origin)
        if actual != expected:
            raise UserError(f"{origin}: sha256 is {actual}, expected {expected}; {remedy}")
        copy_file(origin, folder / name)
        size = origin.stat().st_size
        progress.received(name, size, size, size)
        progress.finished(name)


def _in_parallel(work: Callable[[Item], None], items: Iterable[Item], workers: int, stop: threading.Event) -> None:
    """Run `work` over the items in threads; set `stop` and raise on the first error or Ctrl-C.

    The threads are daemons, because one that waits on a silent server must not hold up Ctrl-C.
    """
    todo: queue.SimpleQueue[Item] = queue.SimpleQueue()
    for item in items:
        todo.put(item)
    n_items = todo.qsize()
    results: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def drain() -> None:
        while not stop.is_set():
            try:
                work(todo.get_nowait())
                results.put(None)
            except queue.Empty:
                return
            except BaseException as error:
                results.put(error)
                stop.set()

    threads = [threading.Thread(target=drain, daemon=True) for _ in range(min(workers, n_items))]
    for thread in threads:
        thread.start()
    try:
        for _ in range(n_items):
            error = results.get()
            if error is not None:
                raise error
    finally:
        stop.set()
        deadline = time.monotonic() + 1.0
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
