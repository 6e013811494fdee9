"""`heartbeat noise`: the validation beats judged under noise of a known signal-to-noise ratio."""

import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.noise import add_noise, electrode_motion_noise, muscle_noise, read_noise
from pipeline.ecg.recordings import Signal
from pipeline.errors import UserError
from pipeline.evaluation.noise_figure import noise_figure
from pipeline.evaluation.style import save_png
from pipeline.evidence.alterations import predicted
from pipeline.evidence.judging import Calls, calls_at, scores
from pipeline.evidence.page import NOISE_FIGURE, folder_of, write_page
from pipeline.evidence.recordings import Annotated, read_annotated, validation_beats
from pipeline.evidence.robustness import check_protocol, described
from pipeline.files import write_json
from pipeline.scoring.network import Network, load_network
from pipeline.scoring.progress import ScoringProgress

Noise = Literal["wander", "muscle", "electrode"]
Samples = npt.NDArray[np.float64]

NOISES: Final[dict[Noise, str]] = {
    "wander": "baseline wander (NSTDB, record bw)",
    "muscle": "muscle noise (generated)",
    "electrode": "electrode motion (generated)",
}
SNRS_DB: Final = (24, 18, 12, 6, 0, -6)
_CLEAN: Final = ("none", None)


def measure_noise(
    protocol: str, models: Mapping[str, Path], records: Path, noises: Sequence[Noise], noise_folder: Path
) -> Path:
    """Judge the validation beats under each noise at each ratio; write noise.json, its figure and the page.

    Args:
        models: Files by name, ONNX or Keras.
        records: The folder of the WFDB records.
        noise_folder: Holds the record `bw`, where wander is among the noises.

    Raises:
        UserError: a model is of another protocol, or one, the split, a recording or the noise cannot be read.
    """
    networks, judged = {name: _opened(path, protocol) for name, path in models.items()}, validation_beats(protocol)
    cells = [_CLEAN, *((noise, snr_db) for noise in noises for snr_db in SNRS_DB)]
    labels: list[Any] = []
    calls: dict[tuple[str, str, int | None], list[Calls]] = {(name, *cell): [] for name in models for cell in cells}
    with ScoringProgress(len(judged)) as progress:
        for case in read_annotated(records, judged):
            labels.append(case.labels[case.judged])
            drawn: dict[str, Samples] = {noise: _drawn(noise, case.signal, noise_folder) for noise in noises}
            for number, (noise, snr_db) in enumerate(cells):
                signal = case.signal if snr_db is None else _noisy(case, drawn[noise], snr_db)
                for name, network in networks.items():
                    found = calls_at(case, predicted(network, signal, case.beats))
                    calls[name, noise, snr_db].append(found)
                progress.within((number + 1) / len(cells))
            progress.finished(case.signal.name)
    rows = [
        {"model": name, "noise": noise, "snr_db": snr_db, **scores(labels, found)}
        for (name, noise, snr_db), found in calls.items()
    ]
    shown: dict[str, str] = {noise: NOISES[noise] for noise in noises}
    content = {
        "protocol": protocol,
        "models": {name: described(path) for name, path in models.items()},
        "side": "validation",
        "beats": int(sum(map(len, labels))),
        "records": len(judged),
        "noises": shown,
        "rows": rows,
    }
    folder = folder_of(protocol)
    write_json(folder / "noise.json", content)
    save_png(noise_figure(rows, shown, f"{protocol}, validation: noise"), folder / NOISE_FIGURE)
    return write_page(protocol)


def _opened(path: Path, protocol: str) -> Network:
    """The network of an ONNX file, or of a Keras file by way of one."""
    if path.suffix != ".keras":
        network = load_network(path, 1)
        check_protocol(path, protocol)
        return network
    check_protocol(path, protocol)
    from pipeline.model.export import export_onnx
    from pipeline.model.training import load_model

    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "model.onnx"
        export_onnx(load_model(path), protocol, exported)
        return load_network(exported, 1)


def _drawn(noise: Noise, signal: Signal, folder: Path) -> Samples:
    """(n_samples, 2) of noise; what is generated depends on the recording's name alone."""
    samples, fs_hz = len(signal.millivolts), signal.fs_hz
    if noise == "wander":
        return read_noise(folder, "bw", 0, samples / fs_hz, fs_hz)
    generate = muscle_noise if noise == "muscle" else electrode_motion_noise
    return generate(samples, round(fs_hz), zlib.crc32(signal.name.encode()))


def _noisy(case: Annotated, noise: Samples, snr_db: float) -> Signal:
    """The recording with the noise; its QRS complexes are measured on normal beats, or on all where there are none."""
    normal = case.beats[case.labels == CLASSES.index("N")]
    signal = case.signal
    try:
        mixed = add_noise(
            signal.millivolts.astype(np.float64), noise, normal if len(normal) else case.beats, snr_db, signal.fs_hz
        )
    except ValueError as error:
        raise UserError(f"{signal.name}: no noise can be added ({error}); leave the record out of the split") from error
    return Signal(signal.name, signal.fs_hz, mixed.astype(np.float32))
