"""A recording piece by piece, so that memory stays bounded however long it is."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.detection import detect_beats
from pipeline.ecg.recordings import Recording
from pipeline.ecg.windows import windows_in_pieces
from pipeline.errors import UserError

PIECE_SAMPLES: Final = 2**18
"""Twelve minutes at 360 Hz."""

DETECTED_AT_ONCE: Final = 2**22
"""Three hours at 360 Hz: samples that the detector is shown at once."""

_DETECTION_MARGIN_S: Final = 60.0

Floats = npt.NDArray[np.float32]
Beats = npt.NDArray[np.int64]


def held(millivolts: Floats, before: Floats | None = None) -> Floats:
    """Replace invalid samples by the lead's last valid one, and by 0 before its first: nothing looks ahead.

    Args:
        millivolts: (n, n_leads), invalid where not finite.
        before: (n_leads,) each lead's last value before this piece of the recording; none at its start.
    """
    if np.isfinite(millivolts).all():
        return millivolts
    frame = pd.DataFrame(np.where(np.isfinite(millivolts), millivolts, np.nan)).ffill()
    values: Floats = frame.fillna(0.0 if before is None else dict(enumerate(before))).to_numpy(np.float32)
    return values


def windows_of(recording: Recording, beats: Beats) -> Iterator[Floats]:
    """Yield the windows of all beats in order, some at a time.

    Raises:
        UserError: no lead has a valid sample, or a file is damaged.
    """
    return windows_in_pieces(_held_pieces(recording), recording.n_samples, recording.fs_hz, beats)


def _held_pieces(recording: Recording) -> Iterator[Floats]:
    before: Floats | None = None
    any_valid = False
    for start in range(0, recording.n_samples, PIECE_SAMPLES):
        piece = recording.read(start, min(start + PIECE_SAMPLES, recording.n_samples))
        any_valid = any_valid or bool(np.isfinite(piece).any())
        piece = held(piece, before)
        before = piece[-1].copy()
        yield piece
    if not any_valid:
        raise UserError(
            f"{recording.name}: no valid sample in the first two leads; restore the recording from its source"
        )


def detected(recording: Recording) -> Beats:
    """Beats that `detect_beats` finds: in the whole recording, or in stretches of three hours if it is longer."""
    margin = round(_DETECTION_MARGIN_S * recording.fs_hz)
    found = []
    for start in range(0, recording.n_samples, DETECTED_AT_ONCE):
        stop = min(start + DETECTED_AT_ONCE, recording.n_samples)
        first, last = max(start - margin, 0), min(stop + margin, recording.n_samples)
        beats = detect_beats(held(recording.read(first, last)), recording.fs_hz) + first
        found.append(beats[(beats >= start) & (beats < stop)])
    return np.concatenate(found)
