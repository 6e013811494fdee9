"""Downloads against a real server on loopback: what arrives, what is asked for, what fails how."""

import hashlib
import io
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.errors import UserError
from pipeline.sources.fetch import fetch_files
from pipeline.sources.progress import FetchProgress

CONTENT = random.Random(0).randbytes(300_000)


def sums(files):
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def fetch(base, files, folder, workers=2, retries=2, timeout_s=20.0):
    """`fetch_files` for the sums of `files`, with pauses too short to notice."""
    return fetch_files(base, sums(files), folder, workers, retries, timeout_s, backoff_s=0.001, remedy="do this")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def one_file(server):
    server.files["100.dat"] = CONTENT
    return server


def test_all_files_arrive_and_nothing_else_is_left(server, tmp_path):
    server.files.update({f"{i}.dat": CONTENT[i:] for i in range(10)})
    report = fetch(server.url, server.files, tmp_path / "new" / "raw")
    assert contents(tmp_path / "new" / "raw") == server.files
    assert report.fetched == tuple(server.files)
    assert report.received_bytes == sum(map(len, server.files.values()))


def test_a_second_call_requests_nothing(one_file, tmp_path):
    fetch(one_file.url, one_file.files, tmp_path)
    one_file.requests.clear()
    report = fetch(one_file.url, one_file.files, tmp_path)
    assert one_file.requests == []
    assert (report.present, report.fetched, report.received_bytes) == (("100.dat",), (), 0)


def test_only_missing_and_altered_files_are_requested(server, tmp_path):
    server.files.update({"a": CONTENT, "b": CONTENT[1:], "c": CONTENT[2:]})
    (tmp_path / "a").write_bytes(CONTENT)
    (tmp_path / "b").write_bytes(b"altered")
    fetch(server.url, server.files, tmp_path)
    assert sorted(name for name, _ in server.requests) == ["b", "c"]
    assert contents(tmp_path) == server.files


def test_a_base_address_with_a_folder_and_a_closing_slash(one_file, tmp_path):
    fetch(f"{one_file.url}/files/mitdb/1.0.0/", one_file.files, tmp_path)
    assert contents(tmp_path) == one_file.files


@pytest.mark.parametrize("n_here", [1, 1000, len(CONTENT) - 1])
def test_a_part_is_continued_where_it_ends(one_file, tmp_path, n_here):
    (tmp_path / "100.dat.part").write_bytes(CONTENT[:n_here])
    report = fetch(one_file.url, one_file.files, tmp_path)
    assert one_file.ranges("100.dat") == [f"bytes={n_here}-"]
    assert report.received_bytes == len(CONTENT) - n_here
    assert contents(tmp_path) == one_file.files


def test_a_finished_part_needs_no_request(one_file, tmp_path):
    (tmp_path / "100.dat.part").write_bytes(CONTENT)
    fetch(one_file.url, one_file.files, tmp_path)
    assert one_file.requests == []
    assert contents(tmp_path) == one_file.files


@pytest.mark.parametrize(
    ("part", "answer", "ranges"),
    [
        pytest.param(CONTENT[:1000], "serve_whole", ["bytes=1000-"], id="server ignores Range"),
        pytest.param(CONTENT[:1000], "serve_wrong_range", ["bytes=1000-", None], id="wrong range"),
        pytest.param(CONTENT + b"more", None, [f"bytes={len(CONTENT) + 4}-", None], id="416"),
        pytest.param(b"x" * 1000, None, ["bytes=1000-", None], id="content changed"),
    ],
)
def test_a_part_that_cannot_be_continued(one_file, tmp_path, part, answer, ranges):
    (tmp_path / "100.dat.part").write_bytes(part)
    if answer:
        one_file.answers["100.dat"] = [getattr(one_file, answer)]
    fetch(one_file.url, one_file.files, tmp_path, retries=0)
    assert one_file.ranges("100.dat") == ranges
    assert contents(tmp_path) == one_file.files


def test_a_dropped_connection_is_resumed(one_file, tmp_path):
    one_file.answers["100.dat"] = [one_file.drop_after(100_000)]
    fetch(one_file.url, one_file.files, tmp_path)
    assert one_file.ranges("100.dat") == [None, "bytes=100000-"]
    assert contents(tmp_path) == one_file.files


def test_drops_that_bring_the_file_further_do_not_use_up_the_retries(one_file, tmp_path):
    one_file.answers["100.dat"] = [one_file.drop_after(50_000) for _ in range(5)]
    fetch(one_file.url, one_file.files, tmp_path, retries=1)
    assert contents(tmp_path) == one_file.files


def test_drops_that_bring_nothing_use_up_the_retries_and_keep_the_part(one_file, tmp_path):
    (tmp_path / "100.dat.part").write_bytes(CONTENT[:1000])
    one_file.answers["100.dat"] = [one_file.drop_after(0) for _ in range(10)]
    with pytest.raises(UserError, match=r"100\.dat: not to be had after 3 attempts .*; do this$"):
        fetch(one_file.url, one_file.files, tmp_path, retries=2)
    assert len(one_file.requests) == 3
    assert contents(tmp_path) == {"100.dat.part": CONTENT[:1000]}


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_server_is_asked_again(one_file, tmp_path, code):
    one_file.answers["100.dat"] = [one_file.status(code), one_file.status(code)]
    fetch(one_file.url, one_file.files, tmp_path, retries=2)
    assert len(one_file.requests) == 3
    assert contents(tmp_path) == one_file.files


def test_a_server_that_stays_busy(one_file, tmp_path):
    one_file.answers["100.dat"] = [one_file.status(503) for _ in range(3)]
    with pytest.raises(UserError, match=r"100\.dat: not to be had after 3 .*HTTP 503"):
        fetch(one_file.url, one_file.files, tmp_path, retries=2)


def test_a_silent_server_times_out_and_is_asked_again(one_file, tmp_path):
    one_file.answers["100.dat"] = [one_file.stall_after(1000)]
    fetch(one_file.url, one_file.files, tmp_path, timeout_s=0.5)
    assert one_file.ranges("100.dat") == [None, "bytes=1000-"]
    assert contents(tmp_path) == one_file.files


def test_a_missing_file_on_the_server_is_named_and_not_asked_for_again(server, tmp_path):
    with pytest.raises(UserError, match=rf"^{server.url}/100\.dat: .* HTTP 404 .*; do this$"):
        fetch(server.url, {"100.dat": CONTENT}, tmp_path)
    assert len(server.requests) == 1
    assert contents(tmp_path) == {}


def test_redirects_are_followed_but_not_in_circles(one_file, tmp_path):
    one_file.answers["old.dat"] = [one_file.status(302, Location="/100.dat")]
    one_file.answers["loop.dat"] = [one_file.status(302, Location="/loop.dat")] * 100
    one_file.files.update({"old.dat": CONTENT, "loop.dat": CONTENT})
    fetch(one_file.url, {"old.dat": CONTENT}, tmp_path)
    assert contents(tmp_path) == {"old.dat": CONTENT}
    with pytest.raises(UserError, match=r"loop\.dat: .*redirects.*; do this"):
        fetch(one_file.url, {"loop.dat": CONTENT}, tmp_path)


def test_other_content_is_tried_twice_and_refused(one_file, tmp_path):
    wanted = {"100.dat": b"something else"}
    expected, actual = sums(wanted)["100.dat"], sums(one_file.files)["100.dat"]
    (tmp_path / "100.dat").write_bytes(b"old")
    with pytest.raises(UserError, match=rf"100\.dat: sha256 is {actual}, expected {expected}"):
        fetch(one_file.url, wanted, tmp_path)
    assert one_file.ranges("100.dat") == [None, None]
    assert contents(tmp_path) == {"100.dat": b"old"}


def test_nobody_listens(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(UserError) as caught:
        fetch(url, {"100.dat": CONTENT}, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{url}/100.dat: not to be had after 3 attempts")
    assert "refused" in message
    assert message.endswith("; do this")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("base", "complaint"),
    [
        ("s3://bucket/mitdb", "cannot be downloaded from"),
        ("http://", "do this"),
        ("/no/such/folder", "no such folder"),
    ],
)
def test_addresses_that_lead_nowhere(base, complaint, tmp_path):
    with pytest.raises(UserError, match=complaint):
        fetch(base, {"100.dat": CONTENT}, tmp_path / "raw", retries=0)


def test_an_unusable_proxy(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "gopher://nowhere")
    with pytest.raises(UserError, match="HTTP_PROXY"):
        fetch("http://127.0.0.1:1", {"100.dat": CONTENT}, tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(one_file, tmp_path):
    (tmp_path / "100.dat.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"100\.dat: cannot be written .*free some space"):
        fetch(one_file.url, one_file.files, tmp_path)
    assert not (tmp_path / "100.dat").exists()


def test_a_folder_that_cannot_be_made(one_file, tmp_path):
    (tmp_path / "raw").write_text("a file")
    with pytest.raises(UserError, match="raw: cannot be written"):
        fetch(one_file.url, one_file.files, tmp_path / "raw")


def test_connections_run_in_parallel_but_never_more_than_workers(server, tmp_path):
    server.files.update({f"{i}.dat": CONTENT[i:] for i in range(6)})
    # Each request waits for two others: with fewer than three at once this would never end.
    barrier = threading.Barrier(3, timeout=20)
    server.answers.update({name: [server.meet(barrier)] for name in server.files})
    fetch(server.url, server.files, tmp_path, workers=3)
    assert contents(tmp_path) == server.files
    assert server.most_connections == 3


def test_one_failure_ends_the_batch(server, tmp_path):
    server.files.update({"slow": CONTENT, "next": CONTENT})
    server.answers["slow"] = [server.stall_after(1000)]
    with pytest.raises(UserError, match="HTTP 404"):
        fetch(server.url, {"slow": CONTENT, "gone": b"", "next": CONTENT}, tmp_path)
    assert server.ranges("next") == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_download_is_continued(one_file, tmp_path, end):
    one_file.answers["100.dat"] = [one_file.stall_after(1_000)]
    script = (
        "import signal, sys; from pathlib import Path; from pipeline.sources.fetch import fetch_files\n"
        # A shell's background jobs are started with Ctrl-C ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "fetch_files(sys.argv[1], {'100.dat': sys.argv[2]}, Path(sys.argv[3]), 2, 2, 600.0)"
    )
    expected = sums(one_file.files)["100.dat"]
    with subprocess.Popen(
        [sys.executable, "-c", script, one_file.url, expected, tmp_path],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as child:
        try:
            part = tmp_path / "100.dat.part"
            deadline = time.monotonic() + 60
            while not (part.exists() and part.stat().st_size == 1_000):
                assert time.monotonic() < deadline, "the first bytes never got to the disk"
                assert child.poll() is None, child.stderr.read()
                threading.Event().wait(0.01)
            child.send_signal(end)
            child.wait(timeout=60)  # Ctrl-C does not wait for the silent server's ten minutes
        finally:
            child.kill()
    assert contents(tmp_path) == {"100.dat.part": CONTENT[:1_000]}
    one_file.requests.clear()
    fetch(one_file.url, one_file.files, tmp_path)
    assert one_file.ranges("100.dat") == ["bytes=1000-"]
    assert contents(tmp_path) == one_file.files


@pytest.mark.parametrize("as_url", [False, True])
def test_a_folder_serves_as_well(tmp_path, as_url):
    mirror, raw = tmp_path / "mir ror", tmp_path / "raw"
    mirror.mkdir()
    files = {"100.dat": CONTENT, "100.hea": b"100 2"}
    for name, content in files.items():
        (mirror / name).write_bytes(content)
    base = mirror.as_uri() if as_url else str(mirror)
    raw.mkdir()
    (raw / "100.hea").write_bytes(files["100.hea"])
    report = fetch(base, files, raw)
    assert (report.present, report.fetched) == (("100.hea",), ("100.dat",))
    assert contents(raw) == files


@pytest.mark.parametrize("content", [None, b"flipped"])
def test_a_folder_with_a_missing_or_altered_file(tmp_path, content):
    mirror, raw = tmp_path / "mirror", tmp_path / "raw"
    mirror.mkdir()
    if content is not None:
        (mirror / "100.dat").write_bytes(content)
    with pytest.raises(UserError, match=r"mirror/100\.dat: (missing|sha256 is \w+, expected \w+);"):
        fetch(str(mirror), {"100.dat": CONTENT}, raw)
    assert contents(raw) == {}


def test_a_left_over_part_goes_when_the_file_is_there(one_file, tmp_path):
    (tmp_path / "100.dat").write_bytes(CONTENT)
    (tmp_path / "100.dat.part").write_bytes(CONTENT[:10])
    fetch(one_file.url, one_file.files, tmp_path)
    assert contents(tmp_path) == one_file.files


def test_without_a_terminal_two_lines_are_printed(one_file, tmp_path, capsys):
    fetch(one_file.url, one_file.files, tmp_path)
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        f"{one_file.url} -> {tmp_path}: 1 files",
        f"{one_file.url} -> {tmp_path}: done, 1/1 files, 0.3 MB",
    ]
    assert printed.out == ""


def test_on_a_terminal_a_bar_with_files_bytes_and_an_estimate():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with FetchProgress(["a", "b"], "here", console) as progress:
        progress.received("a", 1_000_000, 1_000_000, 1_000_000)
        progress.finished("a")
        progress.received("b", 500_000, 500_000, 1_000_000)
    assert "1/2 files, 1.5 MB" in screen.getvalue()
    assert ":" in screen.getvalue().rsplit("MB", 1)[1]
