"""`heartbeat robustness`: the validation beats judged again on altered recordings."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx

from pipeline.errors import UserError
from pipeline.evidence.alterations import ALTERATIONS, Alteration, judge_whole
from pipeline.evidence.judging import Calls, scores
from pipeline.evidence.page import folder_of, write_page
from pipeline.evidence.recordings import read_annotated, validation_beats
from pipeline.files import write_json
from pipeline.scoring.network import load_network
from pipeline.scoring.progress import ScoringProgress
from pipeline.stages.entry import SPLITS
from pipeline.stages.manifest import read_manifest

AS_IT_IS: Final = "as it is"


def measure_robustness(protocol: str, model: Path, records: Path) -> Path:
    """Judge the validation beats on each altered recording; write robustness.json and the page.

    Args:
        model: An ONNX file of `heartbeat`.
        records: The folder of the WFDB records.

    Raises:
        UserError: the model is of another protocol, or it, the split or a recording cannot be read.
    """
    network, judged = load_network(model, 1), validation_beats(protocol)
    check_protocol(model, protocol)
    tried = (Alteration(AS_IT_IS, judge_whole), *ALTERATIONS)
    labels: list[Any] = []
    calls: dict[str, list[Calls]] = {each.name: [] for each in tried}
    with ScoringProgress(len(judged)) as progress:
        for case in read_annotated(records, judged):
            labels.append(case.labels[case.judged])
            for number, each in enumerate(tried):
                calls[each.name].append(each.judge(network, case))
                progress.within((number + 1) / len(tried))
            progress.finished(case.signal.name)
    rows = [_row(each, labels, calls) for each in tried]
    for row in rows:
        row["met"] = _met(row, rows[0])
    content = {
        "protocol": protocol,
        "model": described(model),
        "side": "validation",
        "beats": int(sum(map(len, labels))),
        "records": len(judged),
        "rows": rows,
    }
    write_json(folder_of(protocol) / "robustness.json", content)
    return write_page(protocol)


def described(model: Path) -> dict[str, str]:
    """Which file was measured."""
    return {"file": model.as_posix(), "sha256": hashlib.sha256(model.read_bytes()).hexdigest()}


def check_protocol(model: Path, protocol: str) -> None:
    """Refuse a model of another protocol; one that does not say which is taken.

    An ONNX file says so itself. Of a Keras file the run.json beside it names the validation beats that it was held
    against, and data/splits whose these are.

    Raises:
        UserError: the model is of another protocol, or the run.json is damaged.
    """
    stated = _protocols_of_run(model.with_name("run.json")) if model.suffix == ".keras" else _protocol_of_onnx(model)
    if stated and protocol not in stated:
        raise UserError(f"{model}: trained for the protocol {' or '.join(stated)}; name a model of {protocol}")


def _protocol_of_onnx(model: Path) -> list[str]:
    return [each.value for each in onnx.load(model).metadata_props if each.key == "protocol"]


def _protocols_of_run(run: Path) -> list[str]:
    digest = read_manifest(run).tags.get("validation_digest") if run.exists() else None
    return [path.stem for path in sorted(SPLITS.glob("*.json")) if digest and _validation_digest(path) == digest]


def _validation_digest(summary: Path) -> str:
    try:
        return str(json.loads(summary.read_text(encoding="utf-8"))["digests"]["validation"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{summary}: damaged; run `dvc repro split@{summary.stem}`") from error


def _row(alteration: Alteration, labels: list[Any], calls: dict[str, list[Calls]]) -> dict[str, Any]:
    own, before = calls[alteration.name], calls[AS_IT_IS]
    same = np.concatenate([one.predicted == other.predicted for one, other in zip(own, before, strict=True)])
    return {
        "name": alteration.name,
        **scores(labels, own),
        "same": float(same.mean()),
        "most_cost": alteration.most_cost,
        "least_same": alteration.least_same,
    }


def _met(row: dict[str, Any], baseline: dict[str, Any]) -> bool | None:
    """Whether the row keeps its limit; a cost by macro-F1 of N, S and V, too, as F and Q may be a handful of beats."""
    if row["most_cost"] is not None:
        costs = [baseline[name] - row[name] for name in ("macro_f1", "macro_f1_nsv")]
        return bool(max(costs) <= row["most_cost"])
    return None if row["least_same"] is None else bool(row["same"] >= row["least_same"])
