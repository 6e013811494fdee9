"""Which beats are on which side, and what a split must not do."""

import numpy as np
import pandas as pd
import pytest

from pipeline.ecg.beats import read_beats
from pipeline.ecg.dataset import load_dataset
from pipeline.ecg.sides import SIDES
from pipeline.ecg.splits import split_interpatient, split_kaggle, summarise
from pipeline.errors import UserError

RECORDS = (("r1", "p1", "train"), ("r2", "p2", "validation"), ("r3", "p3", "test"), ("r4", "p4", "excluded"))
LISTED = {"kaggle": {"test_beats": "test.csv"}}
DRAWN = {"kaggle": {"test_fraction": 0.2}}


def beats_of(*records, each=20):
    """`each` beats of every class in each record."""
    classes = ["N", "S", "V", "F", "Q"] * each
    return pd.DataFrame(
        [(record, 100 * (place + 1), aami) for record in records for place, aami in enumerate(classes)],
        columns=["record", "sample", "aami"],
    )


def sides(split):
    return split.groupby("side").size().to_dict()


def test_the_list_is_the_test_side_and_validation_is_drawn_by_class(make_dataset):
    beats = beats_of("r1", "r2")
    dataset = make_dataset(RECORDS, "record,sample,label\nr2,100,N\nr1,300,V\n", protocols=LISTED)
    split = split_kaggle(beats, dataset, 0.1, seed=1)
    assert split[["record", "sample"]].equals(beats[["record", "sample"]])
    on_test = split[split.side == "test"]
    assert on_test[["record", "sample"]].to_numpy().tolist() == [["r1", 300], ["r2", 100]]
    assert sides(split) == {"test": 2, "train": 178, "validation": 20}
    drawn = beats.aami[split.side == "validation"].value_counts()
    assert drawn.to_dict() == dict.fromkeys("NSVFQ", 4)


def test_a_folder_in_place_of_the_list_is_named(make_dataset):
    dataset = make_dataset(RECORDS, protocols=LISTED)
    (dataset.folder / "test.csv").mkdir()
    with pytest.raises(UserError, match=r"test\.csv: cannot be read .*test_beats names it"):
        split_kaggle(beats_of("r1"), dataset, 0.1, seed=1)


def test_draws_depend_on_the_seed_alone(make_dataset):
    beats, dataset = beats_of("r1"), make_dataset(RECORDS, protocols=DRAWN)
    first, again, other = (split_kaggle(beats, dataset, 0.2, seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    assert sides(first) == sides(other) == {"test": 20, "train": 64, "validation": 16}
    assert (beats.aami[first.side == "test"].value_counts() == 4).all()


def test_a_class_of_one_beat_stays_in_training(make_dataset):
    beats = pd.concat([beats_of("r1"), pd.DataFrame([("r1", 99_999, "F")], columns=["record", "sample", "aami"])])
    beats.loc[beats.aami == "F", "aami"] = "N"
    beats.iloc[-1, 2] = "F"
    split = split_kaggle(beats, make_dataset(RECORDS, protocols=DRAWN), 0.1, seed=1)
    assert split.side[split["sample"] == 99_999].tolist() == ["train"]


def test_too_few_beats_to_draw_from(make_dataset):
    with pytest.raises(UserError, match="too few beats to split by class"):
        split_kaggle(beats_of("r1", each=2), make_dataset(RECORDS, protocols=DRAWN), 0.1, seed=1)


def test_the_test_file_of_the_kaggle_set_is_the_test_side(pytestconfig):
    rows = load_dataset(pytestconfig.rootpath / "data" / "reference" / "kaggle_csv")
    split = split_kaggle(beats_of("mitbih_train", "mitbih_test"), rows, 0.1, seed=1)
    assert (split.record[split.side == "test"] == "mitbih_test").all()
    assert sides(split) == {"test": 100, "train": 90, "validation": 10}


def test_a_data_set_that_names_no_test_side_is_told_how_to(make_dataset):
    with pytest.raises(UserError, match=r"facts/dataset\.yaml: .*kaggle\.test_fraction, or protocols: \[interp"):
        split_kaggle(beats_of("r1"), make_dataset(RECORDS), 0.1, seed=1)


def test_a_test_record_without_beats_is_named(make_dataset):
    dataset = make_dataset(RECORDS, protocols={"kaggle": {"test_record": "r9"}})
    with pytest.raises(UserError, match=r"facts/dataset\.yaml: protocols\.kaggle\.test_record names r9"):
        split_kaggle(beats_of("r1"), dataset, 0.1, seed=1)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["r1,100", "r1,101"], r"line 3: record r1 sample 101 names no beat"),
        (["r9,100"], r"line 2: record r9 sample 100 names no beat"),
        (["r1,100", "r1,200", "r1,100"], r"line 4: record r1 sample 100 is listed twice"),
    ],
)
def test_a_bad_line_of_the_list_is_named(make_dataset, lines, complaint):
    dataset = make_dataset(RECORDS, "\n".join(["record,sample", *lines, ""]), protocols=LISTED)
    with pytest.raises(UserError, match=rf"facts/test\.csv, {complaint}"):
        split_kaggle(beats_of("r1"), dataset, 0.1, seed=1)


@pytest.mark.parametrize("content", ["record,beat\nr1,100\n", "", "record,sample\nr1,100,7,8\nr1\n,,,,,\n"])
def test_a_list_of_another_form_is_named(make_dataset, content):
    dataset = make_dataset(RECORDS, content, protocols=LISTED)
    with pytest.raises(UserError, match=r"facts/test\.csv"):
        split_kaggle(beats_of("r1"), dataset, 0.1, seed=1)


def test_a_missing_list_names_who_asked_for_it(make_dataset):
    with pytest.raises(UserError, match=r"test\.csv: not found; .*protocols\.kaggle\.test_beats"):
        split_kaggle(beats_of("r1"), make_dataset(RECORDS, protocols=LISTED), 0.1, seed=1)


def test_interpatient_goes_by_record_and_leaves_out_the_excluded(make_dataset):
    beats = beats_of("r1", "r2", "r3", "r4", each=1)
    split = split_interpatient(beats, make_dataset(RECORDS))
    assert split.groupby("record").side.unique().map(list).to_dict() == {
        "r1": ["train"],
        "r2": ["validation"],
        "r3": ["test"],
    }


def test_a_record_without_a_side_is_named(make_dataset):
    with pytest.raises(UserError, match=r"records\.csv: record r9 has no row"):
        split_interpatient(beats_of("r1", "r9"), make_dataset(RECORDS))


def test_summary_tells_counts_and_missing_classes(make_dataset):
    dataset = make_dataset(RECORDS)
    beats = beats_of("r1", "r2", "r3", each=2)
    beats = beats[(beats.record != "r2") | (beats.aami != "F")]
    summary = summarise(split_interpatient(beats, dataset), beats, dataset, "interpatient")
    assert summary["beats"]["train"] == dict.fromkeys("NSVFQ", 2)
    assert summary["classes_missing"] == {"train": [], "validation": ["F"], "test": []}
    assert summary["patients_on_both_sides"] == []
    assert len(set(summary["digests"].values())) == 3


def test_digest_changes_with_a_beats_class(make_dataset):
    dataset, beats = make_dataset(RECORDS), beats_of("r1", "r2", "r3", each=2)
    relabelled = beats.copy()
    relabelled.loc[relabelled.record == "r3", "aami"] = "N"
    first, second = (
        summarise(split_interpatient(each, dataset), each, dataset, "interpatient")["digests"]
        for each in (beats, relabelled)
    )
    assert first["train"] == second["train"]
    assert first["test"] != second["test"]


def test_no_beat_twice(make_dataset):
    dataset, beats = make_dataset(RECORDS), beats_of("r1", "r2", "r3", each=1)
    split = split_interpatient(beats, dataset)
    doubled = pd.concat([split, split.iloc[[2]].assign(side="test")])
    with pytest.raises(UserError, match="record r1 sample 300 stands twice"):
        summarise(doubled, beats, dataset, "interpatient")


@pytest.mark.parametrize("side", SIDES)
def test_an_empty_side_is_named(make_dataset, side):
    dataset = make_dataset(tuple(row if row[2] != side else (*row[:2], "excluded") for row in RECORDS))
    beats = beats_of("r1", "r2", "r3")
    with pytest.raises(UserError, match=f"the {side} side of interpatient is empty"):
        summarise(split_interpatient(beats, dataset), beats, dataset, "interpatient")


def overlapping(make_dataset, known):
    dataset = make_dataset((*RECORDS, ("r5", "p1", "test")), protocols={"interpatient": {"known_overlaps": known}})
    beats = beats_of("r1", "r2", "r3", "r5", each=1)
    return summarise(split_interpatient(beats, dataset), beats, dataset, "interpatient")


@pytest.mark.parametrize("known", [[], [["r1", "r3"]]])
def test_a_patient_on_both_sides_is_refused(make_dataset, known):
    with pytest.raises(UserError, match=r"records\.csv: patient p1 is on several sides \(records r1, r5\)"):
        overlapping(make_dataset, known)


def test_a_known_overlap_is_reported(make_dataset):
    summary = overlapping(make_dataset, [["r5", "r1"]])
    assert summary["patients_on_both_sides"] == [{"patient": "p1", "records": ["r1", "r5"]}]


def test_a_patient_of_an_excluded_record_is_no_overlap(make_dataset):
    dataset = make_dataset((*RECORDS[:3], ("r4", "p1", "excluded")))
    beats = beats_of("r1", "r2", "r3", "r4", each=1)
    summary = summarise(split_interpatient(beats, dataset), beats, dataset, "interpatient")
    assert summary["patients_on_both_sides"] == []


@pytest.mark.slow
def test_real_splits(real_beats, mitdb_facts):
    beats = read_beats(real_beats, ["record", "sample", "aami"])
    kaggle = summarise(split_kaggle(beats, mitdb_facts, 0.1, seed=1), beats, mitdb_facts, "kaggle")
    assert kaggle["beats"]["test"] == {"N": 18118, "S": 556, "V": 1448, "F": 162, "Q": 1608}
    assert sum(sum(counts.values()) for counts in kaggle["beats"].values()) == 109_446
    ds = summarise(split_interpatient(beats, mitdb_facts), beats, mitdb_facts, "interpatient")
    assert sum(ds["beats"]["test"].values()) == 49_690
    assert [overlap["records"] for overlap in ds["patients_on_both_sides"]] == [["201", "202"]]
    assert all(np.array(list(ds["beats"]["validation"].values())) > 0)
