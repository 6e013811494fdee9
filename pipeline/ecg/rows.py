"""The 187-sample rows of the Kaggle "heartbeat" data set, rebuilt from WFDB records.

Source: Kachuee, Fazeli, Sarrafzadeh 2018 (arXiv:1805.00794); the published rows are reproduced bit for bit.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.ecg.resampling import resampled, resampled_places

ROW_SAMPLES: Final = 187
ROW_RATE_HZ: Final = 120
_SOURCE_RATE_HZ: Final = 360


def beat_rows(
    signal: npt.NDArray[np.integer[Any]] | npt.NDArray[np.float64],
    annotations: npt.NDArray[np.int64],
    beats: npt.NDArray[np.intp],
) -> npt.NDArray[np.float32]:
    """Cut one normalised row for each beat of a 360 Hz lead.

    A row runs from the beat to a fifth of the way into the interval after the next annotation, decimated by 3
    (120 Hz), scaled to [0, 1] over that whole window, then cut or padded with zeros to 187 samples.

    Args:
        signal: (n_samples,) one lead at 360 Hz, in any linear unit.
        annotations: (n_annotations,) sample of every annotation, beats and others alike, in order.
        beats: (n_beats,) positions in `annotations` of the beats to cut; each needs a next annotation.

    Returns:
        (n_beats, 187) float32 in [0, 1]. A flat window gives zeros.
    """
    bounds = np.append(annotations, len(signal))
    following = bounds[beats + 1]
    ends = following + (0.2 * (bounds[beats + 2] - following)).astype(np.int64)
    rows = np.zeros((len(beats), ROW_SAMPLES), dtype=np.float32)
    step = _SOURCE_RATE_HZ // ROW_RATE_HZ
    for row, start, end in zip(rows, annotations[beats], ends, strict=True):
        window = signal[start:end:step].astype(np.float64)
        if not len(window):
            continue
        low = window.min()
        span = window.max() - low
        if span > 0:
            row[: len(window)] = ((window - low) / span)[:ROW_SAMPLES]
    return rows


def at_row_source_rate(
    signal: npt.NDArray[np.float64], annotations: npt.NDArray[np.int64], fs_hz: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Bring a lead and its annotations to the 360 Hz that `beat_rows` reads.

    Args:
        signal: (n_samples,) one lead at `fs_hz`.
        annotations: (n_annotations,) samples at `fs_hz`.
    """
    if fs_hz == _SOURCE_RATE_HZ:
        return signal, annotations
    lead = resampled(signal, fs_hz, _SOURCE_RATE_HZ)
    places = resampled_places(annotations, fs_hz, _SOURCE_RATE_HZ)
    return lead, np.minimum(places, len(lead) - 1)
