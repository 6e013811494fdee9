"""Which beats come when: sinus node, ectopic foci, escape rhythms and a pacemaker, beat by beat."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.ecg.synthetic.patient import AtrialOrigin, Patient
from pipeline.ecg.synthetic.tachogram import RATE_HZ, tachogram

Form = Literal["conducted", "premature", "focus", "fusion", "paced", "paced_fusion"]
Atrial = tuple[float, AtrialOrigin]
"""When a P wave is at its middle, in seconds of the record, and where it comes from."""

_CONDUCTED_SYMBOL = {"normal": "N", "left_block": "L", "right_block": "R"}
_SHORTEST_RR_S = 0.28
_PACED_EPISODE_BEATS = 30
_FIRST_BEAT_S = 0.6


@dataclass(frozen=True)
class Beat:
    """One ventricular activation and the P waves that belong to it."""

    time_s: float
    symbol: str
    form: Form
    atrial: tuple[Atrial, ...] = ()
    focus: int = 0
    share: float = 0.0
    """Of a fusion beat, the ectopic or paced front's share; of a premature one, how aberrant."""


def draw_beats(patient: Patient, duration_s: float, rng: np.random.Generator) -> list[Beat]:
    """The beats of a record in order of time; none closer to its end than a T wave."""
    heart = _Heart(patient, duration_s, rng)
    while heart.beats[-1].time_s < duration_s:
        heart.step()
    return [beat for beat in heart.beats if beat.time_s < duration_s - 0.5]


class _Heart:
    """The rhythm so far; `node_s` is when the sinus node's latest beat (would have) reached R."""

    def __init__(self, patient: Patient, duration_s: float, rng: np.random.Generator) -> None:
        timing = patient.timing
        self.profile, self.timing, self.rng = patient.profile, timing, rng
        self.intervals = tachogram(
            timing.rr_mean_s,
            timing.rr_sd_s,
            timing.lf_hf,
            timing.breathing_hz,
            duration_s,
            rng,
        )
        self.beats: list[Beat] = []
        self.node_s = _FIRST_BEAT_S
        self.rest = 2
        self.bigeminy = 0
        self.pacing = False
        self._conducted(_FIRST_BEAT_S)

    def step(self) -> None:
        """Let the next thing happen; adds at least one beat."""
        self._switch_pacemaker()
        rr = self._rr()
        if self.bigeminy and self.rest <= 0:
            self.bigeminy -= 1
            return self._ventricular(rr)
        if self.rest > 0:
            self.rest -= 1
            return self._expected(rr)
        chance = self.rng.random()
        events = (
            (self.profile.ventricular, self._ventricular_episode),
            (0.0 if self._no_sinus() else self.profile.atrial, self._atrial),
            (0.0 if self._no_sinus() else self.profile.fusion, self._fusion),
            (0.0 if self._no_sinus() else self.profile.escape, self._escape),
            (self.profile.unclassifiable, self._unclassifiable),
        )
        for rate, event in events:
            if chance < rate:
                return event(rr)
            chance -= rate
        return self._expected(rr)

    def _no_sinus(self) -> bool:
        return self.pacing or self.profile.fibrillation

    def _rr(self) -> float:
        """The interval to the next beat if nothing comes in between."""
        if self.pacing and not self.timing.pacing_tracks_atria:
            return self.timing.pacing_interval_s
        if self.profile.fibrillation and not self.pacing:
            spread = float(np.exp(self.rng.normal(0.0, 0.22)))
            return max(0.38, self.timing.rr_mean_s * spread)
        index = min(int(self.node_s * RATE_HZ), len(self.intervals) - 1)
        return max(0.4, float(self.intervals[index]))

    def _switch_pacemaker(self) -> None:
        share = self.profile.paced
        if not share or self.bigeminy:
            return
        leaving = 1.0 / _PACED_EPISODE_BEATS
        entering = leaving * share / (1.0 - share)
        if self.rng.random() < (leaving if self.pacing else entering):
            self.pacing = not self.pacing
            self.rest = 2
            for _ in range(int(self.rng.integers(0, 4))):
                self._paced_fusion(self._rr())

    def _add(self, beat: Beat) -> None:
        if not self.beats or beat.time_s - self.beats[-1].time_s > _SHORTEST_RR_S:
            self.beats.append(beat)

    def _expected(self, rr: float) -> None:
        if self.pacing:
            self._paced(rr)
        else:
            self._conducted(self.node_s + rr)

    def _conducted(self, time_s: float) -> None:
        self.node_s = time_s
        symbol = _CONDUCTED_SYMBOL[self.profile.conduction]
        self._add(Beat(time_s, symbol, "conducted", self._sinus_p(time_s)))

    def _sinus_p(self, time_s: float) -> tuple[Atrial, ...]:
        """The P wave before a beat at `time_s`, if the sinus node drives the atria."""
        if self.profile.fibrillation:
            return ()
        return ((time_s - self.timing.pr_s, "sinus"),)

    def _atrial(self, rr: float) -> None:
        """One or several premature beats; the node is reset, so the pause is not compensatory."""
        coupling = float(np.clip(self.rng.normal(self.timing.atrial_coupling, 0.04), 0.48, 0.80))
        longest = self.profile.run_beats
        count = int(self.rng.integers(2, longest + 1)) if self.rng.random() < self.profile.run else 1
        time_s = self.node_s
        for number in range(count):
            step = coupling if number == 0 else self._jitter(self.timing.atrial_run_coupling, 0.03)
            time_s += max(step * rr, _SHORTEST_RR_S + 0.02)
            self._add(self._supraventricular(time_s))
        if self.profile.sinus_arrest and self.rng.random() < self.profile.sinus_arrest:
            self._arrest(time_s)
        else:
            pause = min(self._jitter(self.timing.atrial_pause, 0.03), 1.9 - coupling)
            self._conducted(time_s + pause * rr)
        self.rest = int(self.rng.integers(1, 4))

    def _arrest(self, last_s: float) -> None:
        """The sinus node recovers late from atrial beats; a lower pacemaker ends the pause."""
        self.node_s = last_s + float(self.rng.uniform(1.2, 3.2))
        self._add(Beat(self.node_s, _CONDUCTED_SYMBOL[self.profile.conduction], "conducted"))

    def _supraventricular(self, time_s: float) -> Beat:
        aberrant = self.rng.random() < self.timing.aberrant_share
        share = self.rng.uniform(0.7, 1.0) if aberrant else self.rng.uniform(0.2, 0.6)
        if self.rng.random() < self.timing.junctional_share:
            after = self.rng.random() < 0.5
            retrograde: Atrial = (time_s + (0.11 if after else -0.08), "retrograde")
            return Beat(time_s, "J", "premature", (retrograde,), share=share)
        early: Atrial = (time_s - self._jitter(self.timing.pr_s, 0.08), "ectopic")
        symbol = "a" if aberrant else "S" if self.rng.random() < 0.03 else "A"
        return Beat(time_s, symbol, "premature", (early,), share=share)

    def _ventricular_episode(self, rr: float) -> None:
        if self.rng.random() < self.profile.bigeminy:
            self.bigeminy = int(self.rng.integers(3, 12))
        self._ventricular(rr)

    def _ventricular(self, rr: float) -> None:
        """One or several ventricular beats; the node goes on, so the pause is compensatory."""
        focus = int(self.rng.integers(len(self.timing.ventricular_coupling)))
        coupling = self._jitter(self.timing.ventricular_coupling[focus], 0.05)
        extra = 0 if self.bigeminy or self.rng.random() > 0.12 else int(self.rng.choice([1, 1, 3]))
        time_s = self.beats[-1].time_s
        anchor_s = time_s if self._no_sinus() else self.node_s
        time_s = anchor_s + max(coupling * rr, _SHORTEST_RR_S + 0.02)
        due_s = anchor_s + rr
        self._add(Beat(time_s, "V", "focus", self._hidden_p(due_s, time_s), focus))
        for _ in range(extra):
            time_s += max(self._jitter(0.5, 0.1) * rr, 0.32)
            self._add(Beat(time_s, "V", "focus", (), focus))
        while due_s + rr - time_s < 0.45 * rr:
            due_s += rr
        self.node_s = time_s if self.pacing else due_s
        self.rest = 1 if self.bigeminy else int(self.rng.integers(1, 4))

    def _hidden_p(self, due_s: float, ventricular_s: float) -> tuple[Atrial, ...]:
        """The sinus P wave that meets refractory ventricles, when it does not precede them."""
        if self._no_sinus() or due_s - self.timing.pr_s < ventricular_s + 0.03:
            return ()
        return self._sinus_p(due_s)

    def _fusion(self, rr: float) -> None:
        """A late ventricular beat meets the conducted one; the node goes on."""
        due_s = self.node_s + rr
        focus = int(self.rng.integers(len(self.timing.ventricular_coupling)))
        early = self.rng.uniform(0.0, min(0.06, 0.4 * self.timing.pr_s))
        share = self.rng.uniform(0.45, 0.7)
        p_wave = self._sinus_p(due_s)
        self._add(Beat(due_s - early, "F", "fusion", p_wave, focus, share))
        self.node_s = due_s
        self.rest = int(self.rng.integers(0, 3))

    def _escape(self, rr: float) -> None:
        """The sinus node misses a beat; a lower pacemaker ends the pause."""
        time_s = self.node_s + self.rng.uniform(1.35, 1.65) * rr
        origin = self.rng.random()
        if origin < 0.4:
            self._add(Beat(time_s, "E", "focus"))
        else:
            self._add(Beat(time_s, "j" if origin < 0.8 else "e", "conducted"))
        self.node_s = time_s
        self.rest = 1

    def _unclassifiable(self, rr: float) -> None:
        """A conducted beat that an artefact will bury."""
        self.node_s += rr
        self._add(Beat(self.node_s, "Q", "conducted", self._sinus_p(self.node_s)))
        self.rest = 3

    def _paced(self, rr: float) -> None:
        time_s = self.node_s + rr + self.rng.normal(0.0, 0.001)
        tracked = self.timing.pacing_tracks_atria
        self._add(Beat(time_s, "/", "paced", self._sinus_p(time_s) if tracked else ()))
        self.node_s = time_s

    def _paced_fusion(self, rr: float) -> None:
        time_s = self.node_s + rr
        share = self.rng.uniform(0.3, 0.7)
        self._add(Beat(time_s, "f", "paced_fusion", self._sinus_p(time_s), share=share))
        self.node_s = time_s

    def _jitter(self, mean: float, sd: float) -> float:
        """A normal deviate with a standard deviation of `sd` shares of its mean."""
        return float(mean * self.rng.normal(1.0, sd))
