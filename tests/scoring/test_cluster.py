"""`heartbeat score --engine ray` on a real cluster of several nodes: same output, and a lost node loses nothing."""

import os
import subprocess
import sys
import time

import pandas as pd
import pytest

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()", "score"]
STORE_BYTES = 80_000_000
DEADLINE_S = 240


@pytest.fixture
def cluster(monkeypatch):
    """A head without cores and two nodes of one core each, as processes of this machine."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    testing = pytest.importorskip("ray.cluster_utils")
    head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    nodes = testing.Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        nodes.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
    yield nodes
    nodes.shutdown()


@pytest.fixture
def started(model_file):
    """The command as a process."""

    def start(*arguments):
        told = [*COMMAND, "--model", model_file, "--annotator", "atr", *arguments]
        return subprocess.Popen([str(each) for each in told], stderr=subprocess.PIPE, text=True)

    return start


def read(out):
    return pd.read_parquet(out).sort_values(["record", "sample"], kind="stable").reset_index(drop=True)


def parts(out):
    return (
        {path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
        if out.exists()
        else {}
    )


def ended(process):
    _, err = process.communicate(timeout=DEADLINE_S)
    assert "Traceback" not in err
    return process.returncode, err


def wait_for_a_part(out, process):
    deadline = time.monotonic() + DEADLINE_S
    while not parts(out):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_node_lost_in_the_middle_and_then_all_of_them(cluster, started, copies, tmp_path):
    address = cluster.address  # It is not known any more once the cluster is gone.
    assert ended(started("--workers", "1", "--out", tmp_path / "here", copies))[0] == 0
    expected = read(tmp_path / "here")

    out = tmp_path / "node_lost"
    process = started("--engine", "ray", "--ray-address", address, "--out", out, copies)
    wait_for_a_part(out, process)
    before = parts(out)
    assert len(before) < 100
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    code, err = ended(process)
    assert code == 0, err
    pd.testing.assert_frame_equal(read(out), expected, check_exact=True)
    after = parts(out)
    assert {name: after[name] for name in before} == before

    out = tmp_path / "all_lost"
    process = started("--engine", "ray", "--ray-address", address, "--out", out, copies)
    wait_for_a_part(out, process)
    cluster.head_node.kill_gcs_server()
    cluster.head_node.kill_raylet()
    code, err = ended(process)
    before = parts(out)
    assert code == 2
    assert err.splitlines()[-1].startswith(f"error: Ray cluster {address}: cannot be reached")
    assert ended(started("--workers", "1", "--out", out, copies))[0] == 0
    after = parts(out)
    assert {name: after[name] for name in before} == before
    pd.testing.assert_frame_equal(read(out), expected, check_exact=True)


def test_no_cluster_is_one_line(started, copies, tmp_path):
    assert not os.environ.get("RAY_ADDRESS")
    code, err = ended(started("--engine", "ray", "--ray-address", "127.0.0.1:1", "--out", tmp_path / "out", copies))
    assert code == 2
    assert err.splitlines()[-1].startswith("error: Ray cluster 127.0.0.1:1: cannot be reached")
