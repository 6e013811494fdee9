"""Beats to signals: the waves of every beat, solved by the model, seen by two leads, with noise."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.ecg.synthetic import noise
from pipeline.ecg.synthetic.drift import Tone, posture, tones
from pipeline.ecg.synthetic.dynamics import Bumps, solve
from pipeline.ecg.synthetic.morphology import Complex, Waves, blend, scaled
from pipeline.ecg.synthetic.patient import Patient
from pipeline.ecg.synthetic.rhythm import Beat

_SPIKED = ("paced", "paced_fusion")
_MARK_REACH_S = {"focus": 0.07, "fusion": 0.04}
"""How far from its nominal time the peak of a beat is looked for; 0.03 s for the other forms."""

_PREMATURE_QRS = (0.55, 0.82)
_PREMATURE_T = (0.3, 0.6)
"""Height of the waves of an early beat, whose ventricles are less filled and less recovered."""

_NONE = np.zeros(0)
_NO_BUMPS = Bumps(_NONE, _NONE, _NONE, _NONE, np.zeros((0, 2)))


def render(
    patient: Patient,
    beats: Sequence[Beat],
    samples: int,
    fs_hz: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The signals in mV, shape (samples, 2), and the samples of the beats' marks, shape (beats,).

    As in the MIT-BIH records, a beat is marked at the largest peak of its QRS complex in the first
    lead, a paced one at its spike.
    """
    baseline = noise.wander(patient.noise, patient.timing.breathing_hz, samples, fs_hz, rng)
    clean = solve(_bumps(patient, beats, rng), np.zeros_like(baseline), fs_hz)
    marks = np.array([_mark(beat, clean[:, 0], fs_hz) for beat in beats], dtype=np.int64)
    signal = clean + solve(_NO_BUMPS, baseline, fs_hz)
    signal += noise.disturbance(patient.noise, samples, fs_hz, rng)
    second_lead = float(rng.uniform(-0.8, 0.8))
    for beat, mark in zip(beats, marks, strict=True):
        if beat.form in _SPIKED:
            height_mv = patient.noise.spike_mv * rng.normal(1.0, 0.1)
            noise.add_spike(signal, int(mark), height_mv, (1.0, second_lead), fs_hz)
        if beat.symbol == "Q":
            noise.bury(signal, beat.time_s, fs_hz, rng)
    return signal, marks


def _mark(beat: Beat, lead_mv: NDArray[np.float64], fs_hz: int) -> int:
    centre = round(beat.time_s * fs_hz)
    if beat.form in _SPIKED:
        return centre
    reach = round(_MARK_REACH_S.get(beat.form, 0.03) * fs_hz)
    piece = lead_mv[centre - reach : centre + reach + 1]
    return centre - reach + int(np.argmax(np.abs(piece)))


def _bumps(patient: Patient, beats: Sequence[Beat], rng: np.random.Generator) -> Bumps:
    """All waves of all beats; each beat's pass round the circle takes the RR interval before it."""
    time_s = np.array([beat.time_s for beat in beats])
    rr_s = np.diff(time_s, prepend=time_s[0] - patient.timing.rr_mean_s)
    tables = [
        _beat_waves(patient, beat, float(rr), tone, rng)
        for beat, rr, tone in zip(beats, rr_s, tones(time_s, rng), strict=True)
    ]
    table = np.vstack(tables)
    owner = np.repeat(np.arange(len(beats)), [len(waves) for waves in tables])
    omega = (2 * np.pi / rr_s)[owner]
    leads = (patient.leads + posture(time_s, rng))[owner]
    breath = np.sin(2 * np.pi * patient.timing.breathing_hz * time_s)[owner, None]
    swing = 1.0 + patient.breathing_share * breath * np.array([1.0, -0.6])
    return Bumps(
        beat_s=time_s[owner],
        omega=omega,
        angle=omega * table[:, 0],
        width=omega * table[:, 1],
        amplitude_mv=np.einsum("wd,wld->wl", table[:, 2:], leads) * swing,
    )


def _beat_waves(patient: Patient, beat: Beat, rr_s: float, tone: Tone, rng: np.random.Generator) -> Waves:
    """P waves, QRS and T of one beat, shape (waves, 5); T comes earlier after a short interval."""
    shape = _complex(patient, beat)
    spread = patient.lability * (2.0 if beat.form == "focus" else 1.0)
    qrs = scaled(shape.qrs, rng.normal(1.0, spread))
    qrs[:, 1] *= rng.normal(1.0, 0.5 * patient.lability) * tone.width
    qrs[0, 2:] *= tone.first
    qrs[-1, 2:] *= tone.last
    recovery = scaled(shape.recovery, rng.normal(1.0, 2 * patient.lability) * tone.recovery)
    if beat.form == "premature":
        qrs = scaled(qrs, rng.uniform(*_PREMATURE_QRS))
        recovery = scaled(recovery, rng.uniform(*_PREMATURE_T))
    memory_s = 0.6 * rr_s + 0.4 * patient.timing.rr_mean_s
    recovery[:, 0] *= np.sqrt(np.clip(memory_s, 0.45, 1.3))
    parts = [qrs, recovery]
    for time_s, origin in beat.atrial:
        p_wave = scaled(patient.shapes.atrial[origin], rng.normal(1.0, 0.08))
        p_wave[:, 0] += time_s - beat.time_s
        parts.append(p_wave)
    return np.vstack(parts)


def _complex(patient: Patient, beat: Beat) -> Complex:
    """The beat's shape before it is varied."""
    shapes = patient.shapes
    if beat.form == "focus":
        return shapes.foci[beat.focus]
    if beat.form == "fusion":
        return blend(shapes.conducted, shapes.foci[beat.focus], beat.share)
    if beat.form == "paced_fusion":
        return blend(shapes.conducted, shapes.paced, beat.share)
    if beat.form == "premature":
        return blend(shapes.conducted, shapes.aberrant, beat.share)
    return shapes.paced if beat.form == "paced" else shapes.conducted
