"""`heartbeat attribute`: what decided the surest wrong calls on the validation side."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import ContextInputs, context_inputs
from pipeline.ecg.windows import WINDOW_LEADS
from pipeline.errors import UserError
from pipeline.evaluation.attribution_figure import Explained, attribution_figure
from pipeline.evaluation.style import save_png
from pipeline.evidence.attribution import Attribution, integrated_gradients, usual
from pipeline.evidence.page import folder_of, write_page
from pipeline.evidence.robustness import check_protocol
from pipeline.files import write_json
from pipeline.model.examples import predict_recordings
from pipeline.model.training import load_model
from pipeline.scoring.progress import ScoringProgress
from pipeline.stages.protocol_data import ProtocolData, load_protocol

MISTAKES_A_CLASS: Final = 3
PARTS: Final = ("own shape", "own rhythm", "beats before", "beats after")
_REACH_BEATS: Final = 32


@dataclass(frozen=True)
class Mistake:
    """A validation beat called wrong.

    Attributes:
        place: Its row in `ProtocolData.beats`.
        inputs: Of it and of up to 32 beats on each side.
        beat: Which of them it is.
        called: Position in `CLASSES`.
        probability: Of the call.
    """

    place: int
    inputs: ContextInputs
    beat: int
    called: int
    probability: float


def attribute_mistakes(protocol: str, model: Path) -> Path:
    """Explain the surest mistakes of each class; write attribution.json, a figure a class and the page.

    Args:
        model: A Keras file of the architecture `context`.

    Raises:
        UserError: the model, the beats or the split cannot be read, or the model reads no context or is of another
            protocol.
    """
    network, data = load_model(model), load_protocol(protocol)
    check_protocol(model, protocol)
    if network.name != "context" or data.windows is None:
        raise UserError(f"{model}: reads single rows; name a model of the architecture context")
    mistakes = _surest(network, data)
    folder = folder_of(protocol)
    rows: list[dict[str, Any]] = []
    figures: list[str] = []
    with ScoringProgress(len(mistakes)) as progress:
        for name in CLASSES:
            explained = []
            for each in (each for each in mistakes if data.beats.aami[each.place] == name):
                found = _explain(network, each, CLASSES.index(name))
                rows.append(_row(data, each, found))
                explained.append(_drawn(rows[-1], each, found))
                progress.finished(f"{rows[-1]['record']} at {rows[-1]['sample']}")
            if explained:
                figures.append(f"attribution_{name}.png")
                title = f"{protocol}, validation: {name} called another class"
                save_png(attribution_figure(explained, title), folder / figures[-1])
    content = {"protocol": protocol, "model": model.as_posix(), "parts": PARTS, "figures": figures, "rows": rows}
    write_json(folder / "attribution.json", content)
    return write_page(protocol)


def _surest(network: Any, data: ProtocolData) -> list[Mistake]:
    """For each class its wrong calls of highest probability, each of another recording."""
    assert data.windows is not None
    judged = data.on("validation")
    found: list[Mistake] = []
    for indices in data.beats.groupby("record", sort=False).indices.values():
        places = np.asarray(indices)
        if not judged[places].any():
            continue
        times_s = np.nancumsum(data.beats.rr_prev_s.to_numpy(dtype=np.float64)[places])
        inputs = context_inputs(data.windows[places], times_s)
        probability = predict_recordings(network, [inputs])[0]
        found += _surest_of_recording(inputs, probability, places, judged[places], data.labels[places])
    ranked = sorted(found, key=lambda each: -each.probability)
    of_class = [[each for each in ranked if data.labels[each.place] == label] for label in range(len(CLASSES))]
    return [each for mistakes in of_class for each in mistakes[:MISTAKES_A_CLASS]]


def _surest_of_recording(
    inputs: ContextInputs,
    probability: npt.NDArray[np.float32],
    places: npt.NDArray[np.int64],
    judged: npt.NDArray[np.bool_],
    labels: npt.NDArray[np.int64],
) -> list[Mistake]:
    called, top = probability.argmax(axis=1), probability.max(axis=1)
    mistakes = []
    for label in range(len(CLASSES)):
        wrong = np.flatnonzero(judged & (labels == label) & (called != label))
        if not len(wrong):
            continue
        beat = int(wrong[top[wrong].argmax()])
        near = slice(max(beat - _REACH_BEATS, 0), beat + _REACH_BEATS + 1)
        part = ContextInputs(inputs.beats[near], inputs.rhythm[near])
        mistakes.append(Mistake(int(places[beat]), part, beat - near.start, int(called[beat]), float(top[beat])))
    return mistakes


def _explain(network: Any, mistake: Mistake, label: int) -> Attribution:
    inputs = mistake.inputs
    return integrated_gradients(network, inputs, usual(inputs), mistake.beat, mistake.called, label)


def _row(data: ProtocolData, mistake: Mistake, found: Attribution) -> dict[str, Any]:
    by_beat = found.beats.sum(axis=(1, 2)) + found.rhythm.sum(axis=1)
    beat, of = mistake.beat, data.beats.iloc[mistake.place]
    values = (found.beats[beat].sum(), found.rhythm[beat].sum(), by_beat[:beat].sum(), by_beat[beat + 1 :].sum())
    return {
        "record": str(of.record),
        "sample": int(of["sample"]),
        "annotated": str(of.aami),
        "called": CLASSES[mistake.called],
        "probability": mistake.probability,
        "parts": {part: float(value) for part, value in zip(PARTS, values, strict=True)},
        "sum": float(by_beat.sum()),
        "difference": found.difference,
    }


def _drawn(row: dict[str, Any], mistake: Mistake, found: Attribution) -> Explained:
    """The beat's leads with what each sample adds, a lead and its difference from the typical beat together."""
    beat = mistake.beat
    added = found.beats[beat]
    return Explained(
        title=f"{row['record']} at {row['sample']}: {row['annotated']} called {row['called']}",
        leads=mistake.inputs.beats[beat, :, :WINDOW_LEADS],
        added=added[:, :WINDOW_LEADS] + added[:, WINDOW_LEADS:],
        by_beat=found.beats.sum(axis=(1, 2)) + found.rhythm.sum(axis=1),
        beat=beat,
        rhythm=found.rhythm[beat],
    )
