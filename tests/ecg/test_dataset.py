"""The facts of a data set: the committed ones hold together, and a wrong one is named."""

import pytest

from pipeline.ecg.dataset import load_dataset
from pipeline.ecg.sides import SIDES
from pipeline.errors import UserError

DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
DS2 = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234"


def test_mitdb_is_split_as_published(mitdb_facts):
    side = mitdb_facts.records.set_index("record").side
    assert set(side.index[side.isin(["train", "validation"])]) == set(DS1.split())
    assert set(side.index[side == "test"]) == set(DS2.split())
    assert set(side.index[side == "excluded"]) == {"102", "104", "107", "217"}
    assert set(side) >= set(SIDES)


def test_mitdb_patients_are_one_a_record_but_for_201_and_202(mitdb_facts):
    by_patient = mitdb_facts.records.groupby("patient").record.agg(list)
    assert [found for found in by_patient if len(found) > 1] == [["201", "202"]]
    assert mitdb_facts.protocols.interpatient.known_overlaps == [["201", "202"]]


def test_mitdb_reports_without_records_that_it_has(mitdb_facts):
    side = mitdb_facts.records.set_index("record").side
    facts = mitdb_facts.reporting("interpatient")
    assert (facts.sampling_rate_hz, facts.ec57.learning_period_s) == (360, 300)
    assert [each.records for each in facts.report_without] == [("232",), ("202",)]
    assert {side[record] for each in facts.report_without for record in each.records} == {"test"}
    excluded = {record for each in facts.ec57.excluded for record in each.records}
    assert excluded == {"102", "104", "107", "207", "217"}
    assert mitdb_facts.reporting("kaggle").report_without == ()


def test_other_data_sets_report_on_everything(make_dataset, pytestconfig):
    synthetic = load_dataset(pytestconfig.rootpath / "data" / "reference" / "synthetic")
    for dataset in (make_dataset(), synthetic):
        for protocol in ("kaggle", "interpatient"):
            facts = dataset.reporting(protocol)
            assert facts.report_without == facts.ec57.excluded == ()
            assert facts.ec57.learning_period_s == 0


def test_every_committed_data_set_can_be_read(pytestconfig):
    folders = [path.parent for path in (pytestconfig.rootpath / "data" / "reference").glob("*/dataset.yaml")]
    assert {folder.name for folder in folders} >= {"mitdb", "synthetic", "kaggle_csv"}
    for folder in folders:
        assert load_dataset(folder).name


def test_defaults(make_dataset):
    dataset = make_dataset()
    assert dataset.counts is None
    assert dataset.protocols.kaggle.test_beats is None
    assert dataset.records.to_numpy().tolist() == [["r1", "p1", "train"]]


def test_missing_folder_names_the_param(tmp_path):
    with pytest.raises(UserError, match=r"nowhere/dataset\.yaml: not found; .*data\.dataset"):
        load_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"sampling_rate": 360}, "sampling_rate: "),
        ({"folder": "zzz"}, "folder: no fact; take it out"),
        ({"sampling_rate_hz": 0}, "sampling_rate_hz: .*greater than or equal to 1"),
        ({"sampling_rate_hz": float("inf")}, "sampling_rate_hz: .*finite"),
        ({"counts": {"n": 5}}, "counts: .*n is no AAMI class; use N, S, V, F, Q"),
        (
            {"protocols": {"kaggle": {"test_fraction": 0.2, "test_beats": "test.csv"}}},
            r"protocols\.kaggle: .*test_beats and test_fraction exclude each other",
        ),
        ({"n_leads": "two"}, "n_leads: .*integer"),
        ({"protocols": {"kaggle": {"test_fraction": 1.5}}}, r"protocols\.kaggle\.test_fraction: .*less than 1"),
        ({"protocols": {"kagle": {}}}, r"protocols\.kagle: "),
        ({"ec57": {"learning_period_s": -1}}, r"ec57\.learning_period_s: .*greater than or equal to 0"),
        ({"ec57": {"excluded": [{"records": [207], "reason": "flutter"}]}}, r"ec57\.excluded\.0\.records\.0: .*string"),
        (
            {"protocols": {"interpatient": {"report_without": [{"records": ["232"]}]}}},
            r"protocols\.interpatient\.report_without\.0\.reason: Field required",
        ),
    ],
)
def test_wrong_facts_are_named(make_dataset, facts, complaint):
    with pytest.raises(UserError, match=rf"dataset\.yaml: {complaint}"):
        make_dataset(**facts)


@pytest.mark.parametrize("content", ["name: [", "", "- a list"])
def test_facts_that_are_no_mapping(tmp_path, content):
    (tmp_path / "dataset.yaml").write_text(content)
    with pytest.raises(UserError, match=r"dataset\.yaml: not valid YAML"):
        load_dataset(tmp_path)


def test_facts_are_read_as_params_are(tmp_path):
    (tmp_path / "dataset.yaml").write_text("name: 2024-13-45\nsampling_rate_hz: 36e1\nn_leads: 2\nlicence: no\n")
    facts = load_dataset(tmp_path)
    assert (facts.name, facts.sampling_rate_hz, facts.licence) == ("2024-13-45", 360.0, "no")


def test_facts_in_another_encoding(tmp_path):
    (tmp_path / "dataset.yaml").write_bytes("name: Aufzeichnungen für uns\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"dataset\.yaml: not UTF-8 text"):
        load_dataset(tmp_path)


def test_a_file_in_place_of_the_folder_and_a_folder_in_place_of_a_file(tmp_path, make_dataset):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/dataset\.yaml: cannot be read .*data\.dataset"):
        load_dataset(tmp_path / "file")
    dataset = make_dataset()
    (dataset.folder / "records.csv").unlink()
    (dataset.folder / "records.csv").mkdir()
    with pytest.raises(UserError, match=r"records\.csv: cannot be read"):
        _ = dataset.records


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("record,patient\nr1,p1\n", r"columns are \['record', 'patient'\]; needed: record,patient,side"),
        ("record,patient,side\nr1,p1,train\nr1,p2,test\n", "line 3: record 'r1'; list it once"),
        ("record,patient,side\nr1,p1,training\n", "line 2: side 'training'; use one of train, validation"),
        ("record,patient,side\nr1,,train\n", "line 2: an empty cell"),
        ("record,patient,side\nr1,p1\n", "line 2: an empty cell"),
        ("record,patient,side\n\n\n  \nr1,p1,train\nr2,,train\n", "line 6: an empty cell"),
        ("record,patient,side\n\nr1,p1,training\n", "line 3: side 'training'"),
        ("record,patient,side\n", "lists no record; add one"),
        ("record,patient,side\n\n", "lists no record; add one"),
        ("record,patient,side\nr1,p1,train\nr2,p1,train,more\n", ".*line 3.*mend the table"),
        ("", r"columns are \[\]; needed: record,patient,side"),
        ("record,patient,side\nr1,p1," + "x" * 200_000, "field larger .*mend the table"),
    ],
)
def test_wrong_table_of_records_is_named(make_dataset, content, complaint):
    dataset = make_dataset()
    (dataset.folder / "records.csv").write_text(content)
    with pytest.raises(UserError, match=rf"records\.csv[:,] {complaint}"):
        _ = dataset.records


def test_na_is_a_patient_as_any_other_and_spreadsheets_write_a_mark_first(make_dataset):
    dataset = make_dataset()
    content = "\ufeffrecord,patient,side\r\n\r\nr1,NA,train\r\nnull,NA,train\r\n"
    (dataset.folder / "records.csv").write_bytes(content.encode())
    assert dataset.records.to_numpy().tolist() == [["r1", "NA", "train"], ["null", "NA", "train"]]
    assert dataset.records.index.tolist() == [0, 1]


def test_missing_table_of_records_tells_its_columns(make_dataset):
    dataset = make_dataset()
    (dataset.folder / "records.csv").unlink()
    with pytest.raises(UserError, match=r"records\.csv: not found; .*record,patient,side"):
        _ = dataset.records
