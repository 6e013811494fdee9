"""`heartbeat score` into one table, or one annotation file each: all recordings or none."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.ecg.formats import as_record, is_edf
from pipeline.ecg.recordings import check_present
from pipeline.errors import UserError
from pipeline.scoring.labelling import EITHER, BeatSource, label
from pipeline.scoring.network import load_network
from pipeline.scoring.output import Format, open_output
from pipeline.scoring.progress import ScoringProgress
from pipeline.scoring.score import View


def score_records(
    model: Path,
    records: Sequence[Path],
    out: Path,
    form: Format = "parquet",
    source: BeatSource = EITHER,
    view: View | None = None,
    threads: int = 1,
) -> int:
    """Label recordings given by path, as `selected` gives them, and return the number of beats.

    Raises:
        UserError: the model or a recording cannot be used, or `out` cannot be written; nothing is written then.
    """
    seen: set[str] = set()
    for path in records:
        name = as_record(path).name
        if name in seen:
            raise UserError(f"{name}: two recordings have this name; name a folder with --out")
        seen.add(name)
        if not is_edf(path):
            check_present(path)
    network = load_network(model, threads)
    total = 0
    with open_output(out, form) as write, ScoringProgress(len(records)) as progress:
        for path in records:
            done = label(network, path, source, view, progress.within)
            write(done.scored, done.recording.name, done.recording.fs_hz)
            progress.finished(done.news)
            total += len(done.scored)
    return total
