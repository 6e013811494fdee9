"""Where and when a measurement was made."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

_LIBRARIES = ("keras", "tensorflow", "onnxruntime", "numpy", "dvc")


def describe() -> dict[str, Any]:
    """Processor, memory, versions, commit, date, and how busy the machine was before."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "cpu": _cpu_model(),
        "cores": cores,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "load_before": round(psutil.getloadavg()[0], 2),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _commit() -> str:
    def git(*arguments: str) -> str:
        finished = subprocess.run(["git", *arguments], capture_output=True, encoding="utf-8", check=False)
        return finished.stdout.strip()

    commit = git("rev-parse", "HEAD")
    if not commit:
        return "unknown"
    return f"{commit}, changed" if git("status", "--porcelain", "--", "pipeline", "params.yaml") else commit
