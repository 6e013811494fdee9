"""The beats of a side as the chosen architecture takes them."""

import numpy as np

from pipeline.config import Config
from pipeline.ecg.context import context_inputs
from pipeline.errors import UserError
from pipeline.model.examples import Examples, Recording, RecordingExamples, RowExamples
from pipeline.names import ROW_ARCHITECTURES
from pipeline.stages.protocol_data import ProtocolData


def examples_of(config: Config, data: ProtocolData, side: str) -> Examples:
    """Rows of the side's beats, or the recordings that hold them, whole.

    Raises:
        UserError: the architecture reads recordings, and the data set has none.
    """
    chosen = data.on(side)
    if config.model.architecture in ROW_ARCHITECTURES:
        return RowExamples(data.rows[chosen], data.labels[chosen])
    if data.windows is None:
        raise UserError(
            "params.yaml: model.architecture: context reads recordings, and this data set is rows alone; set "
            "residual or reference"
        )
    recordings = []
    for places in data.beats.groupby("record", sort=False).indices.values():
        if chosen[places].any():
            times_s = np.nancumsum(data.beats.rr_prev_s.to_numpy(dtype=np.float64)[places])
            inputs = context_inputs(data.windows[places], times_s)
            recordings.append(Recording(inputs, data.labels[places], chosen[places]))
    return RecordingExamples(recordings, config.train.context.stretch_beats)
