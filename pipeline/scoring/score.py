"""Every beat of one recording with its class: with the whole recording in view, or as a monitor would see it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.context import (
    Block,
    ContextInputs,
    blocks,
    context_in_pieces,
    context_inputs,
    joined,
    usual_beat,
    usual_beats,
)
from pipeline.ecg.recordings import Recording
from pipeline.scoring.network import Network
from pipeline.scoring.pieces import windows_of

LOOK_AHEAD_BEATS: Final = 4
HISTORY_BEATS: Final = 128

Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]
Advance = Callable[[float], None]

_PIECES_AT_ONCE = 32
_SECTION_BEATS = 2048


@dataclass(frozen=True)
class View:
    """What a beat is judged by in streaming: itself, so many beats before it and so many after it."""

    history: int = HISTORY_BEATS
    look_ahead: int = LOOK_AHEAD_BEATS


def score_recording(
    network: Network,
    recording: Recording,
    beats: npt.NDArray[np.int64],
    view: View | None = None,
    advance: Advance = lambda share: None,
) -> pd.DataFrame:
    """Label every beat of a recording.

    Windows and inputs are made by the functions that make the training's, here over all beats, the last included.
    An invalid sample holds the last valid one of its lead; a lead without any is missing, which is all zeros.

    Args:
        network: The model.
        recording: Read in pieces; once, or twice if it has more than 16,384 beats.
        beats: (n,) samples of its beats, ascending.
        view: None shows the network the whole recording.
        advance: Told the share of the work that is done, 0 to 1.

    Returns:
        One row a beat: `record`, `sample` (as in `beats`), `time_s`, `predicted` (a class) and its probabilities
        `p_N`, `p_S`, `p_V`, `p_F` and `p_Q` (float32).

    Raises:
        UserError: there are beats, but no lead has a valid sample; or a file is damaged.
    """
    times_s = beats / recording.fs_hz
    if not len(beats):
        probability = np.zeros((0, len(CLASSES)), np.float32)
    elif view is None:
        probability = _whole_scores(network, recording, beats, times_s, advance)
    else:
        probability = _streamed_in_sections(network, windows_of(recording, beats), times_s, view, advance)
    advance(1.0)
    columns = {
        "record": pd.Series([recording.name] * len(beats), dtype="str"),
        "sample": beats,
        "time_s": times_s,
        "predicted": pd.Series(np.asarray(CLASSES)[probability.argmax(axis=1)], dtype="str"),
    }
    return pd.DataFrame(columns | {f"p_{name}": probability[:, place] for place, name in enumerate(CLASSES)})


def _whole_scores(
    network: Network, recording: Recording, beats: npt.NDArray[np.int64], times_s: Times, advance: Advance
) -> Floats:
    """Judge blocks of beats, as evaluation does, against what is usual for the whole recording."""
    chosen = usual_beats(len(beats))
    windows: Iterable[Floats]
    if chosen.step == 1:
        windows = list(windows_of(recording, beats))
        usual, share = usual_beat(np.concatenate(windows)), 0.0
    else:
        usual, share = usual_beat(np.concatenate(list(windows_of(recording, beats[chosen])))), 0.4
        advance(share)
        windows = windows_of(recording, beats)
    result = np.zeros((len(beats), len(CLASSES)), np.float32)
    for block, inputs in blocks_of(context_in_pieces(windows, times_s, usual), len(beats)):
        kept = slice(block.keep_from - block.start, block.keep_to - block.start)
        result[block.keep_from : block.keep_to] = network.probabilities([inputs])[0, kept]
        advance(share + (1 - share) * block.keep_to / len(beats))
    return result


def blocks_of(pieces: Iterable[ContextInputs], n_beats: int) -> Iterator[tuple[Block, ContextInputs]]:
    """Put the inputs of consecutive beats together to the blocks of `blocks`; memory holds a piece and a block."""
    source = iter(pieces)
    waiting = [next(source)]
    start, known = 0, len(waiting[0].beats)
    for block in blocks(n_beats):
        while known < block.stop:
            waiting.append(next(source))
            known += len(waiting[-1].beats)
        together = joined(waiting)
        # Beats before this block are in no later one either.
        waiting = [ContextInputs(together.beats[block.start - start :], together.rhythm[block.start - start :])]
        start, length = block.start, block.stop - block.start
        yield block, ContextInputs(waiting[0].beats[:length], waiting[0].rhythm[:length])


def _streamed_in_sections(
    network: Network, pieces: Iterable[Floats], times_s: Times, view: View, advance: Advance
) -> Floats:
    """`stream_scores` in sections of some thousand beats, each with the history and look-ahead that its beats need."""
    source = iter(pieces)
    result = np.zeros((len(times_s), len(CLASSES)), np.float32)
    waiting: list[Floats] = []
    start = known = 0
    for first in range(0, len(times_s), _SECTION_BEATS):
        last = min(first + _SECTION_BEATS, len(times_s))
        begin, end = max(first - view.history, 0), min(last + view.look_ahead, len(times_s))
        while known < end:
            waiting.append(next(source))
            known += len(waiting[-1])
        together = np.concatenate(waiting)[begin - start :]
        waiting, start = [together], begin
        scores = stream_scores(network, together[: end - begin], times_s[begin:end], view)
        result[first:last] = scores[first - begin : last - begin]
        advance(last / len(times_s))
    deque(source, maxlen=0)  # Whether the recording has any valid sample is known at its end.
    return result


def stream_scores(
    network: Network, windows: Floats, times_s: Times, view: View, wanted: npt.NDArray[np.int64] | None = None
) -> Floats:
    """Judge each beat by what is known `view.look_ahead` beats after it, as if nothing later existed.

    The network runs on the beat's own piece of the recording, whose typical beat and rhythm norms come from that piece
    alone. The first beats have less history, the last ones less look-ahead.

    Args:
        windows: (n, 2, 126) in mV, as `beat_windows` cuts them.
        times_s: (n,) ascending times of the beats.
        wanted: (m,) ascending places of the beats to judge; None for all of them.

    Returns:
        (n, 5) class probabilities, or (m, 5) of the wanted beats.
    """
    every = np.arange(len(windows))
    beats = every if wanted is None else wanted
    starts = np.maximum(every - view.history, 0)
    ends = np.minimum(every + view.look_ahead + 1, len(windows))
    result = np.zeros((len(windows), len(CLASSES)), np.float32)
    # Pieces of one length share a run, so that none is padded.
    new_run = np.flatnonzero(np.diff((ends - starts)[beats]) != 0) + 1
    for run in np.split(beats, new_run):
        for at_once in np.split(run, range(_PIECES_AT_ONCE, len(run), _PIECES_AT_ONCE)):
            pieces = [slice(starts[beat], ends[beat]) for beat in at_once]
            inputs = [context_inputs(windows[piece], times_s[piece]) for piece in pieces]
            scores = network.probabilities(inputs)
            result[at_once] = scores[np.arange(len(at_once)), at_once - starts[at_once]]
    return result[beats]
