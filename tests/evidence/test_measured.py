"""The commands on generated recordings, and the committed pages against the figures that they are made from."""

import json
import shutil

import pandas as pd
import pytest

from pipeline.ablation.page import markdown
from pipeline.ecg.aami import CLASS_OF_SYMBOL
from pipeline.ecg.records import read_annotations
from pipeline.ecg.synthetic import write_records
from pipeline.errors import UserError
from pipeline.evaluation.page import markdown_page
from pipeline.evidence import mistakes
from pipeline.evidence.noise_stress import SNRS_DB, measure_noise
from pipeline.evidence.page import page_sections
from pipeline.evidence.robustness import check_protocol, measure_robustness
from pipeline.stages.manifest import Manifest


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    write_records(folder, ["106", "208"], 2.0, 1)
    return folder


@pytest.fixture
def workspace(records, tmp_path, monkeypatch, pytestconfig):
    """A split of generated recordings in which 208 is the validation side, and the released model."""
    sides = []
    for name, side in (("106", "train"), ("208", "validation")):
        samples, symbols = read_annotations(records / name, "atr")
        beats = [sample for sample, symbol in zip(samples, symbols, strict=True) if str(symbol) in CLASS_OF_SYMBOL]
        sides.append(pd.DataFrame({"record": name, "sample": beats[:-1], "side": side}))
    (tmp_path / "data" / "splits").mkdir(parents=True)
    pd.concat(sides).to_parquet(tmp_path / "data/splits/interpatient.parquet", index=False)
    shutil.copy(pytestconfig.rootpath / "models/released/interpatient/model.onnx", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_alteration_is_judged_on_the_validation_beats(workspace, records):
    page = measure_robustness("interpatient", workspace / "model.onnx", records)
    content = json.loads(page.with_name("robustness.json").read_text())
    rows = {row["name"]: row for row in content["rows"]}
    split = pd.read_parquet(workspace / "data/splits/interpatient.parquet")
    assert (content["records"], content["beats"]) == (1, (split.side == "validation").sum())
    assert rows["as it is"]["same"] == 1
    for name, row in rows.items():
        limited = row["most_cost"] is not None or row["least_same"] is not None
        assert (row["met"] is not None) == limited, name
        if row["least_same"] is not None:
            assert row["same"] >= row["least_same"], name
        assert f"| {name} |" in page.read_text()
    assert "as it is" in page.with_suffix(".html").read_text()


def test_little_noise_changes_little_and_much_noise_something(workspace, records):
    page = measure_noise(
        "interpatient", {"released": workspace / "model.onnx"}, records, ["muscle", "electrode"], workspace
    )
    rows = json.loads(page.with_name("noise.json").read_text())["rows"]
    assert [row["snr_db"] for row in rows] == [None, *SNRS_DB, *SNRS_DB]
    clean, *muscle = [row["accuracy"] for row in rows]
    muscle, electrode = muscle[: len(SNRS_DB)], muscle[len(SNRS_DB) :]
    assert abs(muscle[0] - clean) < 0.1
    assert abs(electrode[-1] - clean) > abs(electrode[0] - clean)
    assert page.with_name("noise.png").stat().st_size > 1000


def test_records_that_the_split_was_not_made_of_are_refused(workspace, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write_records(other, ["208"], 1.0, 2)
    with pytest.raises(UserError, match=r"208\.atr: lacks beats"):
        measure_robustness("interpatient", workspace / "model.onnx", other)


def test_a_model_of_the_other_protocol_is_refused(workspace, records):
    shutil.copy("data/splits/interpatient.parquet", "data/splits/kaggle.parquet")
    model = workspace / "model.onnx"
    refusal = r"model\.onnx: trained for the protocol interpatient; name a model of kaggle"
    with pytest.raises(UserError, match=refusal):
        measure_robustness("kaggle", model, records)
    with pytest.raises(UserError, match=refusal):
        measure_noise("kaggle", {"released": model}, records, ["muscle", "electrode"], workspace)


def test_a_keras_model_is_told_by_the_validation_beats_of_its_run(workspace, records, monkeypatch):
    for protocol in ("kaggle", "interpatient"):
        summary = workspace / "data" / "splits" / f"{protocol}.json"
        summary.write_text(json.dumps({"digests": {"validation": f"digest of {protocol}"}}))
    model = workspace / "model.keras"
    check_protocol(model, "kaggle")  # Nothing says what it is.
    Manifest("r", {}, {"validation_digest": "digest of interpatient"}, {}, "").write(workspace / "run.json")
    check_protocol(model, "interpatient")
    refusal = r"model\.keras: trained for the protocol interpatient; name a model of kaggle"
    with pytest.raises(UserError, match=refusal):
        measure_noise("kaggle", {"mine": model}, records, ["muscle", "electrode"], workspace)
    monkeypatch.setattr(mistakes, "load_model", lambda _: None)
    monkeypatch.setattr(mistakes, "load_protocol", lambda _: None)
    with pytest.raises(UserError, match=refusal):
        mistakes.attribute_mistakes("kaggle", model)


@pytest.mark.parametrize("content", [b'{"proto', b"\xff\xfe\x00"])
def test_a_damaged_measurement_is_named(tmp_path, content):
    (tmp_path / "noise.json").write_bytes(content)
    with pytest.raises(UserError, match=r"noise\.json: damaged; delete it and measure anew"):
        page_sections(tmp_path)


@pytest.mark.parametrize("protocol", ["kaggle", "interpatient"])
def test_the_committed_page_says_what_its_figures_say(pytestconfig, protocol):
    folder = pytestconfig.rootpath / "reports" / "evidence" / protocol
    if not (folder / "evidence.md").exists():
        pytest.skip(f"no evidence of {protocol} is committed")
    expected = markdown_page(f"Evidence, protocol {protocol}", page_sections(folder), folder)
    assert (folder / "evidence.md").read_text(encoding="utf-8") == expected


def test_the_committed_ablation_table_says_what_its_figures_say(pytestconfig):
    reports = pytestconfig.rootpath / "reports"
    if not (reports / "ablation.md").exists():
        pytest.skip("no ablation is committed")
    rows = json.loads((reports / "ablation.json").read_text(encoding="utf-8"))
    assert (reports / "ablation.md").read_text(encoding="utf-8") == markdown(rows)
