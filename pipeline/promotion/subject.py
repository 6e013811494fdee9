"""A registered version as the gate sees it: its run, its exported network, what it said of each beat."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.errors import UserError
from pipeline.scoring.network import Network, load_network
from pipeline.tracking.compared import read_predictions
from pipeline.tracking.exported import download_onnx
from pipeline.tracking.lookup import RunRecord, find_run
from pipeline.tracking.registry import VersionRecord
from pipeline.tracking.store import Store


@dataclass(frozen=True)
class Subject:
    """A version that is examined, or that another is compared with.

    Attributes:
        version: In the registry.
        run: Its run.
        network: Its exported network.
        size_bytes: Of the exported file.
        predictions: What `evaluate` kept, a row a beat: side, record, sample, aami, p_N ... p_Q.
    """

    version: VersionRecord
    run: RunRecord
    network: Network
    size_bytes: int
    predictions: pd.DataFrame

    def on(self, side: str) -> pd.DataFrame:
        """The beats of a side, in the order of the beat table."""
        return self.predictions[self.predictions.side == side].reset_index(drop=True)

    def test_scores(self) -> dict[str, float]:
        """F1 of each class on the test side, where that was opened."""
        named = {name: f"test.{name}.f1" for name in CLASSES}
        return {name: self.run.metrics[metric] for name, metric in named.items() if metric in self.run.metrics}


def load_subject(store: Store, model: str, version: VersionRecord, folder: Path) -> Subject:
    """Fetch what the gate reads of a version into `folder`.

    Raises:
        UserError: the run has no exported network (it reads rows, or is of before there was one), none of its
            predictions, or either cannot be read.
    """
    place = folder / str(version.version)
    place.mkdir()
    onnx = download_onnx(store, f"models:/{model}/{version.version}", place)
    predictions = read_predictions(store, version.run_id)
    if predictions is None:
        raise UserError(
            f"{model} version {version.version}: its run {version.run_id} kept no predictions beat by beat; "
            "evaluate it anew with `dvc repro -s -f evaluate`, or train it anew"
        )
    return Subject(
        version=version,
        run=find_run(store, version.run_id),
        network=load_network(onnx, threads=1),
        size_bytes=onnx.stat().st_size,
        predictions=predictions,
    )


def probabilities(beats: pd.DataFrame) -> npt.NDArray[np.float32]:
    """(n, 5) of the columns p_N ... p_Q."""
    return beats[[f"p_{name}" for name in CLASSES]].to_numpy(np.float32)


def labels(beats: pd.DataFrame) -> npt.NDArray[np.int64]:
    """(n,) positions in `CLASSES` of the annotated classes."""
    return beats.aami.map(CLASSES.index).to_numpy(np.int64)
