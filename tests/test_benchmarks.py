"""The benchmarks compare the same network, and their arithmetic is right."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _project_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROJECT))


def test_ratio_is_taken_round_by_round() -> None:
    from benchmarks.summary import compared, figure

    ours = figure("ours", "training speed", "beats/s", [20.0, 30.0, 80.0])
    rival = compared(ours, figure("rival", "training speed", "beats/s", [10.0, 20.0, 20.0]))

    assert (ours["median"], ours["low"], ours["high"]) == (30.0, 20.0, 80.0)
    assert rival["median"] == 20.0
    assert rival["ratio"] == {"median": 2.0, "low": 1.5, "high": 4.0}


def test_ratio_refuses_different_measures_and_lost_rounds() -> None:
    from benchmarks.summary import compared, figure

    ours = figure("ours", "wall time", "s", [1.0, 2.0])
    with pytest.raises(ValueError, match="peak memory"):
        compared(ours, figure("rival", "peak memory", "MiB", [1.0, 2.0]))
    with pytest.raises(ValueError, match="shorter"):
        compared(ours, figure("rival", "wall time", "s", [1.0]))


def test_each_job_runs_once_a_round_and_none_always_first() -> None:
    from benchmarks.measure import Job, rotated

    jobs = [Job(name, 1, lambda: None) for name in "abc"]

    assert "".join(job.name for job in rotated(jobs, 4)) == "abcbcacababc"


def test_readme_tables_come_from_the_json_files(tmp_path: Path) -> None:
    from benchmarks.page import update_readme
    from benchmarks.summary import compared, figure

    ours = figure("ours", "training speed", "beats/s", [1234.0, 1300.0])
    result = {
        "title": "Training speed",
        "about": "On {rows:,} rows.",
        "settings": {"rows": 8192},
        "figures": [ours, compared(ours, figure("rival", "training speed", "beats/s", [617.0, 650.0]))],
        "machine": {
            "cpu": "A CPU",
            "cores": 2,
            "memory_gib": 8.0,
            "system": "Linux",
            "versions": {"python": "3.11.2"},
            "commit": "0123456789abcdef",
            "date": "2026-01-31",
            "load_before": 0.1,
        },
    }
    (tmp_path / "training.json").write_text(json.dumps(result), encoding="utf-8")
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n", encoding="utf-8")

    update_readme(readme, tmp_path, ["quality", "training"])

    page = readme.read_text(encoding="utf-8")
    assert "old" not in page
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "On 8,192 rows." in page
    assert "| ours | training speed | 1,267 beats/s | 1,234 to 1,300 | - |" in page
    assert "| rival | training speed | 634 beats/s | 617 to 650 | 2.00 (2.00 to 2.00) |" in page
    assert "A CPU, 2 cores, 8.0 GiB, Linux; python 3.11.2; 2026-01-31; commit `0123456789`" in page


def test_a_command_is_measured_in_its_own_memory() -> None:
    from benchmarks.measure import run_command

    ballast = bytearray(400 * 2**20)
    small = run_command([sys.executable, "-I", "-c", "print('done')"])
    large = run_command([sys.executable, "-I", "-c", "b'x' * (300 * 2**20)"])

    assert small.output == "done\n"
    assert small.peak_rss_mib < 100 < len(ballast) / 2**20
    assert 300 < large.peak_rss_mib < 400


def test_a_failing_command_is_a_users_error(capfd: pytest.CaptureFixture[str]) -> None:
    from benchmarks.measure import run_command
    from pipeline.errors import UserError

    with pytest.raises(UserError, match="exit code 3"):
        run_command([sys.executable, "-I", "-c", "import sys; print('the reason'); sys.exit(3)"])
    assert "the reason" in capfd.readouterr().err


def test_an_unknown_name_and_missing_beats_end_with_one_line(tmp_path: Path) -> None:
    def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PYTHONPATH": str(PROJECT), "PATH": ""}
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")

    unknown = bench("benchmarks", "speed")
    missing = bench("benchmarks.data", "beats.npz")

    assert (unknown.returncode, missing.returncode) == (2, 2)
    known = "training, quality, time_to_quality, stages, realism, scoring, serving"
    assert unknown.stderr == f"error: no benchmark speed; there are {known}\n"
    assert missing.stderr.startswith("error: data/splits/kaggle.parquet: not found; run `dvc repro")


def test_the_keras_rival_is_the_same_network() -> None:
    from benchmarks.rivals.keras_script import build_model
    from pipeline.config import load_config
    from pipeline.model.architectures import build_reference

    ours, rival = build_reference(load_config(PROJECT / "params.yaml").model.reference), build_model()

    assert [w.shape for w in rival.weights] == [w.shape for w in ours.weights]
    assert rival.count_params() == ours.count_params() == 168_317
