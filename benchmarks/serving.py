"""Labels over HTTP: `heartbeat serve` against `mlflow models serve` of the same network; promotions; overload."""

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.load import Answer, burst, offered
from benchmarks.measure import Job, rotated, run_all
from benchmarks.plan import Plan, Result
from benchmarks.servers import fill_store, make_champion, ours, rival
from benchmarks.summary import Figure, compared, figure
from pipeline.errors import UserError

TITLE = "Serving"
ABOUT = (
    "A strip of {seconds} s and two leads of record {record}, sent {per_s} times a second to a service on the same "
    "machine, {requests} requests a round, each timed from when it was due. The rival is given the registered model: "
    "the same network behind the same preparation. Then {promotions} promotions under that load, and {burst} requests "
    "at once, after which the load is offered again."
)
_RECORD, _SECONDS, _PER_S = Path("data/raw/208"), 10, 20
_PROMOTIONS = 5
_OURS, _FOUND, _RIVAL = "heartbeat serve", "heartbeat serve, beats to be found", "mlflow models serve"
_PROMOTED, _OVERLOAD = "heartbeat serve, promotions", "heartbeat serve, overload"


def run(plan: Plan) -> Result:
    """Serve the released networks from a store of their own, and load them."""
    strip = _strip()
    named, found = json.dumps(strip).encode(), json.dumps({**strip, "beats": None}).encode()
    table = json.dumps({"dataframe_records": [strip]}).encode()
    requests, at_once = (10, 40) if plan.quick else (200, 200)
    lasts_s = requests / _PER_S
    with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
        workspace = Path(folder)
        model = fill_store(workspace)
        with ours(workspace) as address, rival(workspace, model) as invocations:
            for place, body in ((address, named), (address, found), (invocations, table)):
                _all_labelled(offered(place, body, _PER_S, 10), place)
            jobs = [
                Job(_OURS, lasts_s, lambda: offered(address, named, _PER_S, requests)),
                Job(_FOUND, lasts_s, lambda: offered(address, found, _PER_S, requests)),
                Job(_RIVAL, lasts_s, lambda: offered(invocations, table, _PER_S, requests)),
            ]
            steady: dict[str, list[list[Answer]]] = run_all("serving", rotated(jobs, min(plan.repeats, 3)))
            last = [
                Job(_PROMOTED, 2 * lasts_s, lambda: _promotions(workspace, address, named, requests)),
                Job(_OVERLOAD, 5, lambda: (burst(address, named, at_once), offered(address, named, _PER_S, requests))),
            ]
            rest = run_all("serving", last)
    settings = {"seconds": _SECONDS, "record": _RECORD.name, "per_s": _PER_S, "requests": requests}
    return Result({**settings, "promotions": _PROMOTIONS, "burst": at_once}, _figures(steady, rest))


def _figures(steady: dict[str, list[list[Answer]]], rest: dict[str, Any]) -> list[Figure]:
    latencies = {name: _latencies(name, rounds) for name, rounds in steady.items()}
    figures = []
    for mine, other in zip(latencies[_OURS], latencies[_RIVAL], strict=True):
        figures += [mine, compared(mine, other)]
    figures += latencies[_FOUND]
    [promoted], [(crowd, after)] = rest[_PROMOTED], rest[_OVERLOAD]
    refused = [answer.seconds * 1e3 for answer in crowd if answer.status == 503]
    lost = [answer for answer in crowd if answer.status not in (200, 503)]
    figures += _steadily(_PROMOTED, promoted)
    figures.append(figure(_OVERLOAD, "refused with 503", "requests", [len(refused)]))
    if refused:
        figures.append(figure(_OVERLOAD, "p50 to a 503", "ms", [statistics.median(refused)]))
    figures.append(figure(_OVERLOAD, "lost otherwise", "requests", [len(lost)]))
    return [*figures, *_steadily(f"{_OVERLOAD}, afterwards", after)]


def _steadily(subject: str, answers: Sequence[Answer]) -> list[Figure]:
    return [*_latencies(subject, [answers]), figure(subject, "lost", "requests", [_failed(answers)])]


def _latencies(subject: str, rounds: Sequence[Sequence[Answer]]) -> list[Figure]:
    return [
        figure(subject, f"p{share}", "ms", [1e3 * _percentile(answers, share) for answers in rounds])
        for share in (50, 99)
    ]


def _percentile(answers: Sequence[Answer], share: int) -> float:
    """Of all requests, failed ones included."""
    return statistics.quantiles([answer.seconds for answer in answers], n=100, method="inclusive")[share - 1]


def _failed(answers: Sequence[Answer]) -> int:
    return sum(answer.status != 200 for answer in answers)


def _all_labelled(answers: Sequence[Answer], address: str) -> None:
    if lost := [answer.status for answer in answers if answer.status != 200]:
        raise UserError(
            f"{address}: {len(lost)} of {len(answers)} requests failed (status {lost[0]}); nothing measured"
        )


def _promotions(workspace: Path, address: str, body: bytes, requests: int) -> list[Answer]:
    """Promote the two versions in turn while twice as many requests come in at the usual rate."""

    def move() -> None:
        for number in range(_PROMOTIONS):
            make_champion(workspace, 2 - number % 2)
            time.sleep(2 * requests / _PER_S / _PROMOTIONS)

    mover = threading.Thread(target=move)
    mover.start()
    answers = offered(address, body, _PER_S, 2 * requests)
    mover.join()
    return answers


def _strip() -> dict[str, Any]:
    from pipeline.ecg.recordings import read_beat_samples, read_signal

    if not _RECORD.with_suffix(".hea").exists():
        raise UserError(f"{_RECORD}: not found; run `dvc repro download` first")
    signal = read_signal(_RECORD)
    beats = read_beat_samples(_RECORD, "atr", signal)
    samples = int(_SECONDS * signal.fs_hz)
    return {
        "record": _RECORD.name,
        "fs_hz": signal.fs_hz,
        "signal_mv": [[round(float(value), 3) for value in lead] for lead in signal.millivolts[:samples].T],
        "beats": beats[beats < samples].tolist(),
    }
