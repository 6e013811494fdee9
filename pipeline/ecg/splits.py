"""Which beats train, validate and test: by index, never by copy."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.dataset import Dataset
from pipeline.ecg.sides import SIDES, side_digest
from pipeline.errors import UserError


def split_kaggle(beats: pd.DataFrame, dataset: Dataset, validation_fraction: float, seed: int) -> pd.DataFrame:
    """The intra-patient split: the test beats that the data set names, and validation drawn by class from the others.

    Args:
        beats: Columns record, sample, aami, in the beat table's order.

    Returns:
        Columns record, sample, side, in the same order.

    Raises:
        UserError: the facts name no test beats, ones that do not exist, or one twice.
    """
    test = _test_side(beats, dataset, seed)
    rest = np.flatnonzero(~test)
    sides = np.where(test, "test", "train").astype(object)
    sides[_draw(rest, beats.aami.iloc[rest], validation_fraction, seed)] = "validation"
    return _assembled(beats, pd.Series(sides, index=beats.index))


def split_interpatient(beats: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The inter-patient split by record, after de Chazal, O'Dwyer and Reilly 2004 (DS1 trains, DS2 tests).

    Args:
        beats: Columns record, sample, aami, in the beat table's order.

    Returns:
        Columns record, sample, side, in the same order, without the excluded records.

    Raises:
        UserError: a record has no side.
    """
    sides = beats.record.map(dataset.records.set_index("record").side)
    if sides.isna().any():
        record = beats.record[sides.isna()].iloc[0]
        raise UserError(f"{dataset.folder / 'records.csv'}: record {record} has no row; add its patient and side")
    return _assembled(beats[sides != "excluded"], sides[sides != "excluded"])


def summarise(split: pd.DataFrame, beats: pd.DataFrame, dataset: Dataset, protocol: str) -> dict[str, Any]:
    """Check a split and describe it: beats by side and class, patients on several sides, each side's digest.

    Raises:
        UserError: a side is empty, a beat stands twice, or a patient is on both sides without being a known overlap.
    """
    labelled = split.merge(beats[["record", "sample", "aami"]], on=["record", "sample"], how="left")
    if split.duplicated(["record", "sample"]).any():
        row = split[split.duplicated(["record", "sample"])].iloc[0]
        raise UserError(f"{protocol} split: record {row.record} sample {row['sample']} stands twice; list it once")
    counts = {}
    for side in SIDES:
        of_side = labelled[labelled.side == side]
        if of_side.empty:
            raise UserError(f"{dataset.folder}: the {side} side of {protocol} is empty; assign records or beats to it")
        counts[side] = {name: int((of_side.aami == name).sum()) for name in CLASSES}
    summary: dict[str, Any] = {
        "beats": counts,
        "digests": {side: side_digest(labelled[labelled.side == side]) for side in SIDES},
        "classes_missing": {s: [c for c in CLASSES if not counts[s][c]] for s in SIDES},
    }
    if protocol == "interpatient":
        summary["patients_on_both_sides"] = _overlaps(split, dataset)
    return summary


def _test_side(beats: pd.DataFrame, dataset: Dataset, seed: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    facts, path = dataset.protocols.kaggle, dataset.folder / "dataset.yaml"
    if facts.test_beats:
        return _listed(beats, dataset.folder / facts.test_beats)
    if facts.test_record:
        test = np.asarray(beats.record == facts.test_record, dtype=bool)
        if not test.any():
            raise UserError(f"{path}: protocols.kaggle.test_record names {facts.test_record}, which has no beat")
        return test
    if facts.test_fraction:
        test = np.zeros(len(beats), dtype=bool)
        test[_draw(np.arange(len(beats)), beats.aami, facts.test_fraction, seed)] = True
        return test
    raise UserError(
        f"{path}: names no test side for kaggle; set protocols.kaggle.test_fraction, "
        "or protocols: [interpatient] in params.yaml"
    )


def _listed(beats: pd.DataFrame, path: Path) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    try:
        listed = pd.read_csv(path, dtype={"record": str, "label": str})
        keys = pd.MultiIndex.from_frame(listed[["record", "sample"]])
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; dataset.yaml's protocols.kaggle.test_beats names it") from error
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); dataset.yaml's protocols.kaggle.test_beats names it"
        ) from error
    except (KeyError, ValueError) as error:
        raise UserError(f"{path}: needs the columns record,sample ({error})") from error
    known = pd.MultiIndex.from_frame(beats[["record", "sample"]])
    unknown = ~keys.isin(known)
    for bad, reason in ((unknown, "names no beat of the recordings"), (keys.duplicated(), "is listed twice")):
        if bad.any():
            line = int(bad.argmax())
            record, sample = keys[line]
            raise UserError(f"{path}, line {line + 2}: record {record} sample {sample} {reason}; mend the list")
    return np.asarray(known.isin(keys), dtype=bool)


def _draw(
    places: np.ndarray[tuple[int], np.dtype[np.intp]], classes: pd.Series, fraction: float, seed: int
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    counts = classes.map(classes.value_counts())
    # A class of one beat cannot be divided; it stays where it is.
    divisible = (counts > 1).to_numpy()
    try:
        _, drawn = train_test_split(
            places[divisible], test_size=fraction, random_state=seed, stratify=classes[divisible]
        )
    except ValueError as error:
        raise UserError(f"data/beats.parquet: too few beats to split by class ({error}); add recordings") from error
    return np.asarray(drawn, dtype=np.intp)


def _assembled(beats: pd.DataFrame, sides: pd.Series) -> pd.DataFrame:
    split = beats[["record", "sample"]].copy()
    split["side"] = sides.to_numpy()
    return split.reset_index(drop=True)


def _overlaps(split: pd.DataFrame, dataset: Dataset) -> list[dict[str, object]]:
    used = dataset.records[dataset.records.record.isin(split.record.unique())]
    known = {frozenset(pair) for pair in dataset.protocols.interpatient.known_overlaps}
    found: list[dict[str, object]] = []
    for patient, rows in used.groupby("patient"):
        if rows.side.nunique() < 2:
            continue
        records = sorted(rows.record)
        if frozenset(records) not in known:
            raise UserError(
                f"{dataset.folder / 'records.csv'}: patient {patient} is on several sides (records "
                f"{', '.join(records)}); give them one side"
            )
        found.append({"patient": str(patient), "records": records})
    return found
