"""One synthetic patient: everything that stays the same from beat to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.ecg.synthetic import morphology
from pipeline.ecg.synthetic.morphology import Complex, Waves
from pipeline.ecg.synthetic.profiles import Profile

AtrialOrigin = Literal["sinus", "ectopic", "retrograde"]
"""Where a P wave starts: in the sinus node, elsewhere in the atria, or below them."""


@dataclass(frozen=True)
class Timing:
    """The patient's rhythm in numbers; times in seconds, the rest shares of an RR interval."""

    rr_mean_s: float
    rr_sd_s: float
    lf_hf: float
    breathing_hz: float
    pr_s: float
    atrial_coupling: float
    atrial_run_coupling: float
    atrial_pause: float
    junctional_share: float
    aberrant_share: float
    ventricular_coupling: tuple[float, ...]
    pacing_interval_s: float
    pacing_tracks_atria: bool


@dataclass(frozen=True)
class Shapes:
    """The patient's waves; `foci` has one complex for each ventricular focus."""

    conducted: Complex
    aberrant: Complex
    """Conducted through a right bundle that has not recovered."""
    foci: tuple[Complex, ...]
    paced: Complex
    atrial: Mapping[AtrialOrigin, Waves]


@dataclass(frozen=True)
class Noise:
    """Root mean squares in mV, but for the frequency of the mains and the spike's height."""

    wander_mv: float
    muscle_mv: float
    mains_mv: float
    mains_hz: float
    flutter_mv: float
    spike_mv: float


@dataclass(frozen=True)
class Patient:
    """A heart, the leads that look at it, and the noise of the recording."""

    profile: Profile
    timing: Timing
    shapes: Shapes
    noise: Noise
    lead_names: tuple[str, str]
    leads: NDArray[np.float64]
    """Shape (2, 3): what each lead makes of a dipole (left, down, forwards)."""
    breathing_share: float
    """How much breathing changes the height of the waves."""
    lability: float
    """How much waves differ from beat to beat."""


def draw_patient(profile: Profile, rng: np.random.Generator) -> Patient:
    """A patient with this profile, drawn from distributions that resemble ambulatory records."""
    names, leads = _leads(rng)
    return Patient(
        profile=profile,
        timing=_timing(profile, rng),
        shapes=_shapes(profile, rng),
        noise=_noise(profile, rng),
        lead_names=names,
        leads=leads,
        breathing_share=rng.uniform(0.01, 0.05),
        lability=rng.uniform(0.01, 0.03),
    )


def _leads(rng: np.random.Generator) -> tuple[tuple[str, str], NDArray[np.float64]]:
    first = rng.uniform(0.8, 1.2) * morphology.direction(rng.normal(60.0, 8.0), 0.0)
    if rng.random() < 0.8:
        second = rng.uniform(0.4, 1.2) * morphology.direction(rng.normal(185.0, 15.0), 0.85)
        return ("MLII", "V1"), np.vstack([first, second])
    second = rng.uniform(0.6, 1.3) * morphology.direction(rng.normal(10.0, 10.0), 0.25)
    return ("MLII", "V5"), np.vstack([first, second])


def _timing(profile: Profile, rng: np.random.Generator) -> Timing:
    rr_mean_s = float(np.clip(rng.normal(0.80, 0.11), 0.58, 1.10))
    ventricular = rng.uniform(0.5, 0.85, size=profile.foci)
    return Timing(
        rr_mean_s=rr_mean_s,
        rr_sd_s=rr_mean_s * rng.uniform(0.015, 0.04),
        lf_hf=rng.uniform(0.4, 2.0),
        breathing_hz=rng.uniform(0.18, 0.32),
        pr_s=rng.uniform(0.13, 0.20),
        atrial_coupling=rng.uniform(0.55, 0.72),
        atrial_run_coupling=rng.uniform(0.55, 0.75),
        atrial_pause=rng.uniform(1.15, 1.32),
        junctional_share=rng.choice([0.0, 0.15, 0.5], p=[0.5, 0.35, 0.15]),
        aberrant_share=rng.choice([0.05, 0.3, 0.8], p=[0.4, 0.35, 0.25]),
        ventricular_coupling=tuple(float(c) for c in ventricular),
        pacing_interval_s=rng.uniform(0.78, 0.98),
        pacing_tracks_atria=bool(rng.random() < 0.4),
    )


def _shapes(profile: Profile, rng: np.random.Generator) -> Shapes:
    base = morphology.narrow(rng)
    if profile.conduction == "left_block":
        conducted = morphology.left_block(rng)
        aberrant = morphology.slowed(conducted, rng.uniform(1.25, 1.45))
    elif profile.conduction == "right_block":
        conducted = morphology.right_block(rng, base)
        aberrant = morphology.slowed(conducted, rng.uniform(1.25, 1.45))
    else:
        conducted = base
        aberrant = morphology.right_block(rng, base, degree=rng.uniform(0.5, 0.8))
    height_mv = rng.uniform(0.06, 0.16)
    return Shapes(
        conducted=conducted,
        aberrant=aberrant,
        foci=tuple(morphology.ectopic(rng) for _ in range(profile.foci)),
        paced=morphology.paced(rng),
        atrial={
            "sinus": morphology.atrial(rng, rng.normal(55.0, 12.0), height_mv),
            "ectopic": morphology.atrial(rng, rng.uniform(-110.0, 100.0), height_mv),
            "retrograde": morphology.atrial(rng, rng.normal(-95.0, 15.0), height_mv),
        },
    )


def _noise(profile: Profile, rng: np.random.Generator) -> Noise:
    return Noise(
        wander_mv=rng.uniform(0.02, 0.14),
        muscle_mv=rng.lognormal(np.log(0.018), 0.6),
        mains_mv=rng.uniform(0.001, 0.010),
        mains_hz=float(rng.choice([50.0, 60.0])),
        flutter_mv=rng.uniform(0.03, 0.09) if profile.fibrillation else 0.0,
        spike_mv=rng.uniform(0.6, 1.6) * rng.choice([-1.0, 1.0]),
    )
