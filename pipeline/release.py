"""`heartbeat release`: the best published run over consecutive beats as a file that scores without training."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import write_text
from pipeline.results import RESULTS, published_rows
from pipeline.stages.entry import MODELS, REPORTS
from pipeline.stages.manifest import Manifest, read_manifest
from pipeline.stages.published_run import folder_of

RELEASED = Path("models/released")
_DATA = "MIT-BIH Arrhythmia Database 1.0.0"
_MEANING = {
    "kaggle": "beats of one patient stand on both sides: figures are optimistic for new patients",
    "interpatient": "de Chazal's DS1 trains and DS2 tests: no patient on both sides, but for 201 and 202, one patient",
}
_LEARNED_FROM = {
    "kaggle": "48 half-hour recordings",
    "interpatient": "17 half-hour recordings of DS1 (5 more validate)",
}
_LIMITS = """\
- Research software, not a medical device; made for comparing methods and for labelling recordings for research.
- Learned from {learned_from}, two leads at 360 Hz, of the 1970s. Other leads, devices and
  populations were not tested.
- Class F is practically one patient on each side of `interpatient` (208: 373 of 415; 213: 362 of 388): its figures
  say little of fusion beats.
- Reads the whole recording: rhythm and shape are judged against what is usual in it.
- Figures are given the annotated positions of the beats; detected beats cost some of them.
"""
_LIMITS_OF = {
    "kaggle": """\
- Learned with the unlabelled waveforms of test beats as their neighbours' context: patients are known, figures flatter.
- Learned its patients' leads as they are: swapped or lost leads ruin it (reports/evidence/kaggle/evidence.md).
- Record 232 holds 267 of the 556 S beats of the test side: the S figures lean on it.
""",
    "interpatient": """\
- Record 232 holds 1,381 of the 1,836 S beats of the test side, in runs between long pauses: the S figures stand and
  fall with it; they are given without it, too.
- Learned beside generated patients, some with a sick sinus. That record 232 has one, with right bundle branch block and
  pauses of 1.2 to 3.2 s, was known when they were drawn, and their pauses are of that range: for that record the test
  side is not blind.
- Knows no paced beats (Q): the protocol leaves paced patients out.
- Chosen on a validation side with 31 F and 4 Q beats, which says nothing of these classes.
""",
}


def release(protocol: str) -> Path:
    """Export the run with the highest validation macro-F1 among `heartbeat results`, with its card and checksum.

    Raises:
        UserError: there is no such run, or the published row is of one that is not here.
    """
    from pipeline.model.export import export_onnx
    from pipeline.model.training import load_model

    source, report = _best(protocol)
    target = RELEASED / protocol
    export_onnx(load_model(source / "model.keras"), protocol, target / "model.onnx")
    digest = hashlib.sha256((target / "model.onnx").read_bytes()).hexdigest()
    write_text(target / "sha256", f"{digest}  model.onnx\n")
    scores = json.loads((report / "ec57.json").read_text(encoding="utf-8"))
    write_text(target / "card.md", card(protocol, read_manifest(source / "run.json"), scores))
    return target


def card(protocol: str, manifest: Manifest, scores: dict[str, Any]) -> str:
    """The model card: data, protocol, numbers with intervals, limits.

    Args:
        scores: What `ec57.json` holds.
    """
    params, tags = manifest.params, manifest.tags
    test = scores["test"]
    tables = [_table(each) for each in (test["whole"], *test["without"], test["standard"]) if each]
    return f"""# Heartbeat classifier, protocol `{protocol}`

{_network(params)}
(architecture `context`, seed {params["train.seed"]}, commit `{tags["git_commit"][:10]}`)
that labels each beat of a recording N, S, V, F or Q as ANSI/AAMI EC57 groups them.
Trained on the {_DATA} (ODC-By) with protocol `{protocol}`:
{_MEANING[protocol]}.
Its seed has the highest validation macro-F1 among the seeds of `make results`;
`heartbeat release --protocol {protocol}` makes this folder.

```sh
heartbeat score --model models/released/{protocol}/model.onnx --out beats.parquet --annotator atr RECORD
```

`model.onnx` says in its metadata all that scoring needs: classes, sampling rate, windows, normalisation, features.

## Figures of the test side

Gross figures with 95 % intervals by bootstrap over records; SVEB and VEB with EC57's exemptions.

{chr(10).join(tables)}
## Limits

{_LIMITS.format(learned_from=_LEARNED_FROM[protocol])}{_LIMITS_OF[protocol]}"""


def _network(params: Mapping[str, Any]) -> str:
    # A run that says neither is of the time when there was one network, told the likeness of beats.
    members, likeness = params.get("model.members", 1), params.get("model.likeness", True)
    network = "A CNN-BiLSTM" if members == 1 else f"The mean of {members} CNN-BiLSTM networks"
    return f"{network} over consecutive beats" + ("" if likeness else ", not told the likeness of beats")


def _table(beats: dict[str, Any]) -> str:
    rows = {name: beats["overall"][name] for name in ("accuracy", "macro_f1", "macro_f1_nsv", "S_f1", "V_f1", "F_f1")}
    for group in ("SVEB", "VEB"):
        for name in ("se", "ppv", "f1"):
            rows[f"{group} {name}"] = beats["ectopic"]["gross"]["exempt"][group][name]
    lines = [
        f"| {name} | {_shown(row['value'])} | {_shown(row['low'])} to {_shown(row['high'])} |"
        for name, row in rows.items()
    ]
    head = f"**{beats['name']}** ({beats['beats']:,} beats, {beats['records']} records)"
    return "\n".join([head, "", "| figure | value | 95 % interval |", "|---|---|---|", *lines, ""])


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _best(protocol: str) -> tuple[Path, Path]:
    """Model folder and report folder; a seed may have been trained by `dvc repro` or by `heartbeat results`."""
    results = folder_of(protocol, "context", 0)
    folders = sorted(results.parent.glob(results.name.removesuffix("0") + "*"))
    candidates = [(MODELS / protocol, REPORTS / protocol), *((folder, folder / "report") for folder in folders)]
    published = _published(protocol)
    found: dict[str, tuple[float, Path, Path]] = {}
    for model, report in candidates:
        if not ((model / "run.json").exists() and (report / "metrics.json").exists()):
            continue
        manifest = read_manifest(model / "run.json")
        if manifest.run_id not in published or manifest.params["data.source"] != "mitdb":
            continue  # Of earlier settings, or of other data than the card speaks of.
        metrics = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
        if "test" in metrics:  # Else the card had no figures.
            found[manifest.run_id] = metrics["validation"]["macro_f1"], model, report
    if not found:
        raise UserError(f"{RESULTS}: no published run on MIT-BIH of which the model is here; make results trains it")
    if missing := sorted(published - found.keys()):
        raise UserError(
            f"{RESULTS}: the model of the published run {missing[0]} is not here, and it may be the best; make results "
            "trains it"
        )
    _, model, report = max(found.values())
    return model, report


def _published(protocol: str) -> set[str]:
    """Ids of the runs that the published row is of."""
    wanted = (_DATA, protocol, "context")
    rows = [row for row in published_rows() if (row["data"], row["protocol"], row["architecture"]) == wanted]
    return {run_id for row in rows for run_id in row["run_ids"]}
