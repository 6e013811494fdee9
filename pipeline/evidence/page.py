"""The page on the evidence of a protocol, made from the JSON files beside it and from nothing else."""

import json
from pathlib import Path
from typing import Any, Final

from pipeline.errors import UserError
from pipeline.evaluation.page import Section, html_page, markdown_page
from pipeline.evaluation.tables import ScoreTable
from pipeline.files import write_text
from pipeline.stages.entry import REPORTS

NOISE_FIGURE: Final = "noise.png"

_FORMAT = "{:.4f}"


def folder_of(protocol: str) -> Path:
    """Where the evidence lies: not in DVC's outputs, since no stage makes it."""
    return REPORTS / "evidence" / protocol


def write_page(protocol: str) -> Path:
    """Write evidence.md and evidence.html anew from what has been measured; return the former."""
    folder = folder_of(protocol)
    title, sections = f"Evidence, protocol {protocol}", page_sections(folder)
    write_text(folder / "evidence.html", html_page(title, sections))
    write_text(folder / "evidence.md", markdown_page(title, sections, folder))
    return folder / "evidence.md"


def page_sections(folder: Path) -> list[Section]:
    """A section for each measurement that is there.

    Raises:
        UserError: the file of one is damaged.
    """
    makers = {"robustness": _robustness, "noise": _noise, "attribution": _attribution}
    found = []
    for name, maker in makers.items():
        file = folder / f"{name}.json"
        if file.exists():
            found.append(maker(_content(file), folder))
    return found


def _content(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: damaged; delete it and measure anew") from error


def _robustness(content: dict[str, Any], folder: Path) -> Section:
    baseline = content["rows"][0]
    rows = [
        (
            row["name"],
            *(_FORMAT.format(row[key]) for key in ("macro_f1", "macro_f1_nsv", "S_f1", "V_f1")),
            *(f"{row[key] - baseline[key]:+.4f}" for key in ("macro_f1", "macro_f1_nsv")),
            f"{100 * row['same']:.2f} %",
            _limit(row),
            {True: "yes", False: "**no**", None: ""}[row["met"]],
        )
        for row in content["rows"]
    ]
    found = next((row for row in content["rows"] if row["missed"] or row["extra"]), None)
    note = (
        f"of the detector's beats, {found['missed']} annotated ones were missed (each an error of its class) and "
        f"{found['extra']} had no annotated beat within 150 ms (each a false call of the class given)"
        if found
        else ""
    )
    scored = ("macro-F1", "of N, S, V", "S F1", "V F1")
    columns = ("recordings", *scored, "macro-F1 differs", "of N, S, V", "same calls", "limit", "met")
    title = f"{_about(content)}; model {_model(content['model'])}"
    return Section("Robustness", (ScoreTable(title, columns, tuple(rows), note),), ())


def _limit(row: dict[str, Any]) -> str:
    if row["most_cost"] is not None:
        return f"costs at most {row['most_cost']:g}"
    return "" if row["least_same"] is None else f"{100 * row['least_same']:g} % same"


def _noise(content: dict[str, Any], folder: Path) -> Section:
    columns = ("model", "noise", "SNR (dB)", "macro-F1", "S F1", "V F1", "accuracy")
    rows = [
        (
            row["model"],
            content["noises"].get(row["noise"], "none"),
            "" if row["snr_db"] is None else str(row["snr_db"]),
            *(_FORMAT.format(row[key]) for key in ("macro_f1", "S_f1", "V_f1", "accuracy")),
        )
        for row in content["rows"]
    ]
    models = ", ".join(f"{name} {_model(each)}" for name, each in content["models"].items())
    note = "signal-to-noise ratio as WFDB's nst defines it; noise on the whole recording; beats at annotated positions"
    table = ScoreTable(f"{_about(content)}; models: {models}", columns, tuple(rows), note)
    return Section("Noise", (table,), (folder / NOISE_FIGURE,))


def _attribution(content: dict[str, Any], folder: Path) -> Section:
    columns = ("beat", "annotated", "called", "probability", *content["parts"], "sum", "difference")
    rows = [
        (
            f"{row['record']} at {row['sample']}",
            row["annotated"],
            row["called"],
            _FORMAT.format(row["probability"]),
            *(f"{row['parts'][part]:+.2f}" for part in content["parts"]),
            f"{row['sum']:+.3f}",
            f"{row['difference']:+.3f}",
        )
        for row in content["rows"]
    ]
    note = (
        "what each part adds to ln p(called) - ln p(annotated), by integrated gradients (Sundararajan, Taly and Yan "
        "2017) from the same rhythm with every beat the typical one and every interval the usual one"
    )
    title = f"{content['protocol']}, validation: the surest wrong calls of {content['model']}"
    table = ScoreTable(title, columns, tuple(rows), note)
    return Section("What decided the worst mistakes", (table,), tuple(folder / name for name in content["figures"]))


def _about(content: dict[str, Any]) -> str:
    return f"{content['protocol']}, {content['side']}: {content['beats']:,} beats of {content['records']} recordings"


def _model(model: dict[str, str]) -> str:
    return f"{model['file']} (sha256 {model['sha256'][:10]})"
