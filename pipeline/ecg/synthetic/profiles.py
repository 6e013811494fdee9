"""Which arrhythmias a synthetic patient has: a roster, assigned by the record's number."""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

Conduction = Literal["normal", "left_block", "right_block"]


@dataclass(frozen=True)
class Profile:
    """The rhythm disorders of one patient; rates are chances at each beat due."""

    conduction: Conduction = "normal"
    atrial: float = 0.0
    """An atrial or junctional premature beat, or the first of a run."""
    run: float = 0.08
    """That an atrial premature beat starts a run."""
    run_beats: int = 5
    """The longest such run."""
    sinus_arrest: float = 0.0
    """That the sinus node is silent after atrial beats, until an escape beat ends a pause of 1.2 to 3.2 s."""
    ventricular: float = 0.0
    """A ventricular premature beat, couplet, run or episode of bigeminy."""
    bigeminy: float = 0.05
    """That a ventricular premature beat starts an episode of bigeminy."""
    foci: int = 2
    """The number of places that ventricular beats come from."""
    fusion: float = 0.0
    paced: float = 0.0
    """The share of time in which a pacemaker takes over."""
    escape: float = 0.0
    """A sinus pause that ends in an escape beat."""
    fibrillation: bool = False
    """Atrial fibrillation in place of sinus rhythm."""
    unclassifiable: float = 0.0
    """A beat buried in an artefact."""


def profile_for(record: str) -> Profile:
    """The profile of a record: by its trailing number, or by a digest of a name without one."""
    number = re.search(r"(\d+)$", record)
    digest = hashlib.sha256(record.encode()).digest()
    index = int(number.group(1)) - 1 if number else int.from_bytes(digest[:4], "big")
    return ROSTER[index % len(ROSTER)]


# The sides of data/reference/synthetic/records.csv repeat every four records (train, train,
# validation, test); each row below is one such round. The first round has every class on every
# side, so that four patients are enough for a quick run. Those 24 are the demonstration's; the
# rounds after them are for training beside real patients: more fibrillation, longer runs, sick sinus.
ROSTER = (
    Profile(atrial=0.10, ventricular=0.08, fusion=0.07, escape=0.003),
    Profile(conduction="left_block", atrial=0.10, ventricular=0.08, fusion=0.07, paced=0.35),
    Profile(atrial=0.12, ventricular=0.09, fusion=0.07, paced=0.20),
    Profile(atrial=0.12, ventricular=0.09, fusion=0.07, paced=0.20),
    #
    Profile(conduction="right_block", atrial=0.14, ventricular=0.06, fusion=0.05),
    Profile(conduction="left_block", atrial=0.10, ventricular=0.10, fusion=0.07, escape=0.006),
    Profile(conduction="left_block", atrial=0.10, ventricular=0.10, fusion=0.07),
    Profile(atrial=0.05, ventricular=0.14, bigeminy=0.1, fusion=0.07, escape=0.006),
    #
    Profile(fibrillation=True, ventricular=0.08, unclassifiable=0.002),
    Profile(paced=0.50, atrial=0.10, ventricular=0.10, fusion=0.06),
    Profile(atrial=0.14, run=0.15, ventricular=0.05, fusion=0.05, escape=0.008),
    Profile(conduction="right_block", atrial=0.14, ventricular=0.07, fusion=0.05),
    #
    Profile(conduction="left_block", ventricular=0.12, fusion=0.07, atrial=0.08),
    Profile(conduction="right_block", atrial=0.13, run=0.15, ventricular=0.05, fusion=0.04, escape=0.008),
    Profile(paced=0.40, atrial=0.12, ventricular=0.10, fusion=0.06),
    Profile(paced=0.40, atrial=0.12, ventricular=0.10, fusion=0.06, unclassifiable=0.001),
    #
    Profile(conduction="right_block", atrial=0.12, ventricular=0.08, fusion=0.06, paced=0.20),
    Profile(atrial=0.04, ventricular=0.15, bigeminy=0.15, fusion=0.09),
    Profile(conduction="right_block", atrial=0.12, ventricular=0.12, fusion=0.07, escape=0.006),
    Profile(conduction="left_block", ventricular=0.12, fusion=0.07, atrial=0.10),
    #
    Profile(atrial=0.14, ventricular=0.08, fusion=0.06),
    Profile(conduction="left_block", paced=0.35, atrial=0.10, ventricular=0.08, fusion=0.06),
    Profile(atrial=0.12, ventricular=0.08, fusion=0.06),
    Profile(atrial=0.14, run=0.15, ventricular=0.06, fusion=0.05),
    #
    Profile(fibrillation=True, ventricular=0.03),
    Profile(fibrillation=True, conduction="left_block", ventricular=0.08),
    Profile(atrial=0.06, run=0.6, run_beats=30, ventricular=0.02),
    Profile(atrial=0.4, run=0.8, run_beats=16, sinus_arrest=0.7),
    #
    Profile(fibrillation=True, ventricular=0.12),
    Profile(fibrillation=True),
    Profile(atrial=0.10, run=0.4, run_beats=12, conduction="right_block", ventricular=0.03),
    Profile(atrial=0.3, run=0.7, run_beats=10, sinus_arrest=0.8, conduction="right_block"),
)
