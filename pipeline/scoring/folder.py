"""`heartbeat score` into a folder: a part a recording, which a second run goes on with."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pipeline.ecg.contract import context_contract
from pipeline.errors import UserError
from pipeline.files import disk_error, write_json, write_text
from pipeline.lock import one_process
from pipeline.scoring.network import open_network
from pipeline.scoring.parts import Engine, Outcome, Task, Work, part_name
from pipeline.scoring.progress import ScoringProgress
from pipeline.scoring.selection import Selection

MANIFEST: Final = "_manifest.json"
ERRORS: Final = "_errors.csv"
_LOCK: Final = "_lock"
"""Readers of Parquet folders overlook names that start with an underscore."""


def score_folder(work: Work, selection: Selection, engine: Engine) -> int:
    """Label every recording that has no part in `work.out` yet, and return the number of recordings with a part.

    Recordings that cannot be read are listed in `_errors.csv` with the reason, and tried again by the next run.

    Raises:
        UserError: recordings were set aside; or the model cannot be used, or the folder holds something else, or
            parts by another model, or cannot be written. Parts that are written stay.
    """
    open_network(work.model, work.model_file, 1)
    tasks = selection.named()
    if work.out.is_file():
        raise UserError(f"{work.out}: is a file; name a folder with --out, or a table NAME.parquet")
    try:
        work.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(work.out, error) from error
    with one_process(work.out / _LOCK, f"{work.out}: is being scored into"):
        _agree(work, selection.root)
        there = _clear(work.out)
        pending = [Task(record, path) for record, path in tasks.items() if part_name(record) not in there]
        with ScoringProgress(len(pending)) as progress:
            set_aside: list[Outcome] = []
            try:
                for outcome in engine(work, pending, progress.within):
                    if outcome.reason is not None:
                        set_aside.append(outcome)
                    progress.finished(outcome.news, always=outcome.reason is not None)
            finally:
                _write_errors(work.out / ERRORS, set_aside)
    if set_aside:
        more = f" (and {len(set_aside) - 1} more)" if len(set_aside) > 1 else ""
        raise UserError(
            f"{work.out / ERRORS}: {len(set_aside)} of {len(tasks)} recordings set aside, the others are scored; "
            f"{set_aside[0].reason}{more}"
        )
    return len(tasks)


def _agree(work: Work, root: Path) -> None:
    """Note what the folder's parts are made with; refuse a folder whose parts are made otherwise."""
    manifest = work.out / MANIFEST
    wanted: dict[str, Any] = {
        "model_sha256": hashlib.sha256(work.model).hexdigest(),
        "inputs_version": context_contract()["inputs_version"],
        "beats": asdict(work.source),
        "streaming": asdict(work.view) if work.view else None,
        "recordings_below": str(root),
    }
    if not manifest.exists():
        foreign = next((each.name for each in work.out.iterdir() if each.name != _LOCK), None)
        if foreign is not None:
            raise UserError(f"{work.out}: is a folder with other things in it ({foreign}); name a new one with --out")
        write_json(manifest, wanted)
        return
    noted = _noted(manifest)
    for key, value in wanted.items():
        if noted.get(key) != value:
            raise UserError(
                f"{manifest}: the parts were made with another {key} ({noted.get(key)}, now {value}); "
                "name another folder with --out"
            )


def _noted(manifest: Path) -> dict[str, Any]:
    try:
        noted: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{manifest}: cannot be read ({error}); name another folder with --out") from error
    return noted


def _clear(out: Path) -> set[str]:
    """Names of the parts that are there; what a killed run left half-written is removed."""
    for left in out.rglob(".*.part"):
        left.unlink(missing_ok=True)
    return {part.relative_to(out).as_posix() for part in out.rglob("*.parquet")}


def _write_errors(path: Path, set_aside: Sequence[Outcome]) -> None:
    if not set_aside:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["record", "reason"])
    rows.writerows([each.record, each.reason] for each in sorted(set_aside, key=lambda each: each.record))
    write_text(path, text.getvalue())
