"""Two promotions at once through a real MLflow server on a real PostgreSQL: exactly one wins, round after round."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.tracking import ledger
from pipeline.tracking.store import open_store

MODEL = "heartbeat-interpatient"
PROMOTERS = Path(__file__).with_name("promoters.py")
NOBODY = 65534
ROUNDS = 3

pytestmark = pytest.mark.slow


def postgres_programs():
    """The folder of initdb and pg_ctl: Debian keeps it off the PATH."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    return max(found, default=Path(on_path).parent if on_path else None)


@pytest.fixture
def postgres(free_port):
    """The address of an empty database in a cluster of its own, run by nobody: PostgreSQL refuses root."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("needs PostgreSQL's programs: apt install postgresql")
    pytest.importorskip("psycopg2", reason="needs psycopg2")
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    as_nobody = []
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    cluster = home / "cluster"

    def run(program, *arguments):
        command = [*as_nobody, str(programs / program), "-D", str(cluster), *arguments]
        subprocess.run(command, check=True, cwd=home, stdout=subprocess.DEVNULL, timeout=120)

    run("initdb", "--auth=trust", "--username=ledger", "--encoding=UTF8", "--no-locale", "--no-sync")
    listening = f"-p {free_port} -h 127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    run("pg_ctl", "-w", "-l", str(home / "log"), "-o", listening, "start")
    yield f"postgresql+psycopg2://ledger@127.0.0.1:{free_port}/postgres"
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(home)


@pytest.fixture
def shared(postgres, mlflow_server, monkeypatch, tmp_path):
    """A store behind the server, with three versions of a model."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server(postgres))
    store = open_store(tmp_path)
    store.client.create_registered_model(MODEL)
    for _ in range(3):
        store.client.create_model_version(MODEL, "s3://bucket/model")
    return store


def start(root, version):
    command = [sys.executable, str(PROMOTERS), str(root), MODEL, str(version)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def test_exactly_one_of_two_wins(shared, tmp_path):
    ledger.append(shared, MODEL, "promote", None, 1, "passed", "")
    champion = ledger.settle(shared, MODEL)
    for _ in range(ROUNDS):
        others = [version for version in (1, 2, 3) if version != champion]
        processes = [start(tmp_path, version) for version in others]
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=120)[0].strip() for process in processes]
        assert sorted(said) == ["lost", "won"]
        champion = others[said.index("won")]
        assert int(shared.client.get_model_version_by_alias(MODEL, "champion").version) == champion
        assert ledger.settle(shared, MODEL) == champion
    counted = [entry.counts for entry in ledger.entries(shared, MODEL)]
    assert counted.count(True) == 1 + ROUNDS
    assert counted.count(False) == ROUNDS
