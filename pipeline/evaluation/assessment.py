"""The assessment of each side: scores with intervals, the standard's exclusions, subsets, calibration, abstention."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from pipeline.ecg.dataset import LeftOut, ReportingFacts
from pipeline.evaluation import ec57
from pipeline.evaluation.abstention import abstention
from pipeline.evaluation.beat_sets import BeatSet, score_beat_set
from pipeline.evaluation.calibration import (
    BINS,
    at_temperature,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)
from pipeline.evaluation.confusions import concentrations, record_confusions
from pipeline.evaluation.intervals import LEVEL, RESAMPLES, SEED
from pipeline.evaluation.side import SideResult

FITTED_ON: Final = "validation"
_DECIMALS: Final = 6


@dataclass(frozen=True)
class Calibration:
    """Calibration of one side's probabilities.

    Attributes:
        ece: Expected calibration error.
        nll: Negative log-likelihood, nats.
        reliability: `calibration.reliability`.
    """

    ece: float
    nll: float
    reliability: pd.DataFrame


@dataclass(frozen=True)
class Assessment:
    """What is known of one side.

    Attributes:
        whole: All its beats.
        standard: What EC57 counts; None where the data set's facts leave nothing out.
        without: All beats but those of some records.
        by_record: `record_rates`.
        concentrations: Classes that are mostly one record's: record, its beats, all beats.
        temperature: Fitted on the validation side; None where that is not evaluated.
        before, after: Calibration as trained, and at `temperature`.
        abstention: `abstention.abstention`.
    """

    whole: BeatSet
    standard: BeatSet | None
    without: tuple[BeatSet, ...]
    by_record: pd.DataFrame
    concentrations: dict[str, tuple[str, int, int]]
    temperature: float | None
    before: Calibration
    after: Calibration | None
    abstention: pd.DataFrame


def assess(sides: Mapping[str, SideResult], facts: ReportingFacts) -> dict[str, Assessment]:
    """Assess each side; the temperature is that of the validation side where it is among them."""
    fitting = sides.get(FITTED_ON)
    temperature = None if fitting is None else fit_temperature(fitting.y_true, fitting.y_prob)
    return {name: _assess_side(side, facts, temperature) for name, side in sides.items()}


def record_rates(side: SideResult) -> pd.DataFrame:
    """The ectopic beats of each record: a row a record, group and rule.

    Columns `record`, `group` (SVEB, VEB), `rule` (strict, exempt), `tp`, `fn`, `fp`, `tn`, `se`, `ppv`, `fpr`, `f1`.
    """
    names, counts = record_confusions(side.records, side.y_true, side.y_pred)
    pieces = [
        pd.DataFrame(
            {"record": names, "group": group, "rule": rule}
            | ec57.outcomes(counts, group, rule)._asdict()
            | ec57.rates(counts, group, rule)
        )
        for group in ec57.GROUPS
        for rule in ec57.RULES
    ]
    return pd.concat(pieces, ignore_index=True).sort_values("record", kind="stable", ignore_index=True)


def headline(sides: Mapping[str, SideResult]) -> dict[str, dict[str, float]]:
    """The figures of each side that runs are compared by: `sveb_f1`, `veb_se` and so on, and `ece`.

    Gross, with the standard's exemptions; the strict figures are those of the classes S and V.
    """
    figures = {}
    for name, side in sides.items():
        _, counts = record_confusions(side.records, side.y_true, side.y_pred)
        figures[name] = {
            f"{group.lower()}_{rate}": value
            for group in ec57.GROUPS
            for rate, value in ec57.gross(counts, group, "exempt").items()
        } | {"ece": expected_calibration_error(side.y_true, side.y_prob)}
    return figures


def as_json(assessments: Mapping[str, Assessment]) -> dict[str, Any]:
    """What `ec57.json` holds, by side; numbers to six decimals, null where not defined.

    The rows by record stand in `ec57_records.csv`.
    """
    return {name: _rounded(_side_json(assessment)) for name, assessment in assessments.items()}


def _assess_side(side: SideResult, facts: ReportingFacts, temperature: float | None) -> Assessment:
    names, counts = record_confusions(side.records, side.y_true, side.y_pred)
    without = [_leaving_out(side, left_out) for left_out in facts.report_without]
    return Assessment(
        whole=score_beat_set("all beats", "", side.records, side.y_true, side.y_pred),
        standard=_standard(side, facts),
        without=tuple(each for each in without if each is not None),
        by_record=record_rates(side),
        concentrations=concentrations(names, counts),
        temperature=temperature,
        before=_calibration(side, 1.0),
        after=None if temperature is None else _calibration(side, temperature),
        abstention=abstention(side.y_true, side.y_prob),
    )


def _standard(side: SideResult, facts: ReportingFacts) -> BeatSet | None:
    present = set(np.asarray(side.records, dtype=np.str_).tolist())
    reasons = []
    if facts.ec57.learning_period_s:
        reasons.append(f"the first {facts.ec57.learning_period_s:g} s of each record (learning period)")
    left_out: set[str] = set()
    for each in facts.ec57.excluded:
        own = [record for record in each.records if record in present]
        if own:
            reasons.append(f"{_listed(own)} ({each.reason})")
            left_out.update(own)
    kept = ec57.after_learning(side.samples, facts.sampling_rate_hz, facts.ec57.learning_period_s)
    kept &= ec57.outside(side.records, left_out)
    if not reasons or not kept.any():
        return None
    return _scored(side, kept, "with EC57's exclusions", "left out: " + "; ".join(reasons))


def _leaving_out(side: SideResult, left_out: LeftOut) -> BeatSet | None:
    """The side without those records; None where it has none of them, or no other."""
    kept = ec57.outside(side.records, left_out.records)
    if kept.all() or not kept.any():
        return None
    present = set(np.asarray(side.records, dtype=np.str_).tolist())
    own = [record for record in left_out.records if record in present]
    return _scored(side, kept, f"without {_listed(own)}", left_out.reason)


def _scored(side: SideResult, kept: np.ndarray[Any, np.dtype[np.bool_]], name: str, reason: str) -> BeatSet:
    return score_beat_set(name, reason, side.records[kept], side.y_true[kept], side.y_pred[kept])


def _calibration(side: SideResult, temperature: float) -> Calibration:
    y_prob = side.y_prob if temperature == 1 else at_temperature(side.y_prob, temperature)
    return Calibration(
        expected_calibration_error(side.y_true, y_prob),
        negative_log_likelihood(side.y_true, y_prob),
        reliability(side.y_true, y_prob),
    )


def _side_json(assessment: Assessment) -> dict[str, Any]:
    return {
        "bootstrap": {"over": "records", "resamples": RESAMPLES, "seed": SEED, "level": LEVEL},
        "whole": asdict(assessment.whole),
        "standard": assessment.standard and asdict(assessment.standard),
        "without": [asdict(each) for each in assessment.without],
        "concentrations": {
            name: {"record": record, "beats": own, "of": beats}
            for name, (record, own, beats) in assessment.concentrations.items()
        },
        "calibration": {
            "bins": BINS,
            "temperature": assessment.temperature,
            "temperature_fitted_on": None if assessment.temperature is None else FITTED_ON,
            "before": _calibration_json(assessment.before),
            "after": assessment.after and _calibration_json(assessment.after),
        },
        "abstention": assessment.abstention.to_dict("records"),
    }


def _calibration_json(calibration: Calibration) -> dict[str, Any]:
    return {
        "ece": calibration.ece,
        "nll": calibration.nll,
        "reliability": calibration.reliability.to_dict("records"),
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, float):
        return round(value, _DECIMALS) if math.isfinite(value) else None
    return value


def _listed(records: list[str]) -> str:
    return ", ".join(records)
