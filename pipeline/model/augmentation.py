"""Changes to stretches of beats that leave every label as it is: what another electrode or another day would do."""

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.config import VariationConfig
from pipeline.ecg.context import RHYTHM_FEATURES
from pipeline.ecg.windows import WINDOW_LEADS, WINDOW_SAMPLES

Floats = npt.NDArray[np.float32]

_NOISE_LEVEL: Final = (-4.5, -2.5)
_SLOPE_LEVEL: Final = 0.08

_SWAPPED_CHANNELS: Final = [1, 0, 3, 2]
_SWAPPED_FEATURES: Final = [
    RHYTHM_FEATURES.index(name[:-1] + {"0": "1", "1": "0"}[name[-1]]) if name.startswith("likeness") else position
    for position, name in enumerate(RHYTHM_FEATURES)
]
_TEMPO_FEATURES: Final = [RHYTHM_FEATURES.index("rr_prev"), RHYTHM_FEATURES.index("rr_record")]


def augment(beats: Floats, rhythm: Floats, variation: VariationConfig, rng: np.random.Generator) -> None:
    """Change stretches in place: swap or lose leads, vary gain and tempo, add noise and slopes.

    Args:
        beats: (stretches, beats, 126, 4) of `ContextInputs`.
        rhythm: (stretches, beats, 14).
        variation: How much of each.
    """
    n = len(beats)
    swapped = rng.random(n) < variation.lead_swap
    beats[swapped] = beats[swapped][..., _SWAPPED_CHANNELS]
    rhythm[swapped] = rhythm[swapped][..., _SWAPPED_FEATURES]
    _scale_and_disturb(beats, variation, rng)
    rhythm[..., _TEMPO_FEATURES] += rng.normal(0, variation.tempo, (n, 1, 1)).astype(np.float32)
    fate = rng.random(n)
    for lead in range(WINDOW_LEADS):
        lost = (fate >= lead * variation.lead_loss) & (fate < (lead + 1) * variation.lead_loss)
        for channel in (lead, WINDOW_LEADS + lead):
            beats[lost, :, :, channel] = 0
        for kind in ("record", "prev"):
            rhythm[lost, :, RHYTHM_FEATURES.index(f"likeness_{kind}_{lead}")] = 0


def _scale_and_disturb(beats: Floats, variation: VariationConfig, rng: np.random.Generator) -> None:
    """Gain of each lead in a stretch; noise of each sample and a slope of each beat in some stretches."""
    n, length = beats.shape[:2]
    gain = np.exp(rng.normal(0, variation.gain, (n, 1, 1, WINDOW_LEADS))).astype(np.float32)
    beats *= np.concatenate([gain, gain], axis=-1)
    both = [0, 1, 0, 1]
    noisy = np.flatnonzero(rng.random(n) < variation.disturbance)
    level = np.exp(rng.uniform(*_NOISE_LEVEL, (len(noisy), 1, 1, 1)))
    noise = rng.standard_normal((len(noisy), length, WINDOW_SAMPLES, WINDOW_LEADS), dtype=np.float32)
    beats[noisy] += (noise * level.astype(np.float32))[..., both]
    sloped = np.flatnonzero(rng.random(n) < variation.disturbance)
    slope = rng.normal(0, _SLOPE_LEVEL, (len(sloped), length, 1, WINDOW_LEADS)).astype(np.float32)
    ramp = np.linspace(-1, 1, WINDOW_SAMPLES, dtype=np.float32)[:, None]
    beats[sloped] += (slope * ramp)[..., both]
