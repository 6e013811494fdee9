"""The report's files: which, what is in them, the same bytes every time."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dvc_render.vega import VegaRenderer

from pipeline.ecg.aami import CLASSES
from pipeline.ecg.dataset import Ec57Facts, LeftOut, ReportingFacts
from pipeline.errors import UserError
from pipeline.evaluation.report import write_report
from pipeline.evaluation.side import SideResult

ROOT = Path(__file__).parents[2]
DATA = ("confusion.csv", "ec57_records.csv", "learning.csv", "pr_curves.csv", "records.csv")
PAGES = ("ec57.json", "metrics.json", "report.html", "report.md", "table.txt")
SIDE_FIGURES = ("confusion", "precision_recall", "records", "ectopic", "intervals", "reliability", "abstention")
FACTS = ReportingFacts(
    360, Ec57Facts(learning_period_s=300), (LeftOut(records=("232",), reason="it has most S beats"),)
)


@pytest.fixture(scope="module")
def sides(make_side) -> dict[str, SideResult]:
    return {
        "validation": make_side([60, 20, 20, 5, 5]),
        "test": make_side([90, 30, 30, 8, 0], with_rows=True, seed=8),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sides, history) -> Path:
    """A report that tests only read: drawing takes seconds."""
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, "kaggle", sides, history, FACTS)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_report_has_the_same_files_and_bytes(folder, tmp_path, sides, history) -> None:
    paths = write_report(tmp_path, "kaggle", sides, history, FACTS)
    expected = {*DATA, *PAGES, "figures/learning.png", "figures/mistakes_test.png"}
    expected |= {f"figures/{kind}_{side}.png" for kind in SIDE_FIGURES for side in sides}
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == expected
    assert paths == sorted(paths)
    assert set(contents(folder)) == expected
    assert contents(folder) == contents(tmp_path)


def test_figures_of_a_side_no_longer_evaluated_go(tmp_path: Path, sides, history) -> None:
    stale, kept = tmp_path / "figures/confusion_test.png", tmp_path / "note.txt"
    stale.parent.mkdir()
    stale.write_text("of an earlier report")
    kept.write_text("mine")
    write_report(tmp_path, "kaggle", {"validation": sides["validation"]}, history, FACTS)
    assert not stale.exists()
    assert kept.exists()
    assert (tmp_path / "figures/confusion_validation.png").exists()


def test_metrics_hold_both_sides(folder: Path, sides) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    assert list(metrics) == ["test", "validation"]
    assert set(metrics["test"]) == {"accuracy", "macro_f1", "weighted_f1", "per_class"}
    assert metrics["test"]["per_class"]["S"]["support"] == 30
    side = sides["test"]
    assert metrics["test"]["accuracy"] == float(np.mean(side.y_prob.argmax(axis=1) == side.y_true))


def test_ec57_holds_both_sides_with_intervals_and_subsets(folder: Path) -> None:
    found = json.loads((folder / "ec57.json").read_text())
    assert list(found) == ["test", "validation"]
    for side in found.values():
        assert side["whole"]["overall"]["accuracy"]["low"] < side["whole"]["overall"]["accuracy"]["high"]
        assert [each["name"] for each in side["without"]] == ["without 232"]
        assert side["calibration"]["temperature_fitted_on"] == "validation"
    metrics = json.loads((folder / "metrics.json").read_text())["test"]
    assert found["test"]["whole"]["overall"]["macro_f1"]["value"] == pytest.approx(metrics["macro_f1"], abs=1e-6)


def test_plot_data_name_their_side(folder: Path, sides, history) -> None:
    confusion = pd.read_csv(folder / "confusion.csv")
    assert list(confusion) == ["side", "actual", "predicted", "beats"]
    assert confusion.groupby("side")["beats"].sum().to_dict() == {"test": 158, "validation": 110}
    assert len(confusion) == 2 * 25
    records = pd.read_csv(folder / "records.csv", dtype={"record": str})
    assert records.groupby("side")["beats"].sum().to_dict() == {"test": 158, "validation": 110}
    assert set(records["record"]) == {"100", "208", "232"}
    ectopic = pd.read_csv(folder / "ec57_records.csv", dtype={"record": str})
    strict = ectopic[(ectopic["rule"] == "strict") & (ectopic["group"] == "SVEB")].reset_index(drop=True)
    assert strict["se"].tolist() == records["S_se"].tolist()
    curves = pd.read_csv(folder / "pr_curves.csv", keep_default_na=False)
    assert list(curves) == ["side", "class", "recall", "precision"]
    assert set(curves[curves["side"] == "test"]["class"]) == set(CLASSES) - {"Q"}
    pd.testing.assert_frame_equal(pd.read_csv(folder / "learning.csv"), history)


class _Outside(HTMLParser):
    """Collects what a page would fetch, and its images."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href"):
                inline = (value or "").startswith("data:image/png;base64,")
                (self.images if inline else self.fetched).append(value or "")


def test_the_page_is_self_contained(folder: Path) -> None:
    page = _Outside()
    page.feed((folder / "report.html").read_text())
    assert page.fetched == []
    assert len(page.images) == len(list((folder / "figures").glob("*.png")))


def test_the_markdown_links_every_figure(folder: Path) -> None:
    text = (folder / "report.md").read_text()
    for figure in (folder / "figures").glob("*.png"):
        assert f"(figures/{figure.name})" in text
    assert "| macro |" in text
    for heading in ("validation", "test", "training"):
        assert f"## {heading}\n" in text
    assert "## test: ectopic beats (ANSI/AAMI EC57)\n" in text
    assert "| VEB | average | EC57's |" in text
    assert "without 232: it has most S beats" in text
    assert "kaggle, test: 158 beats" in (folder / "table.txt").read_text()


def test_nothing_is_written_when_the_published_table_is_missing(tmp_path, sides, history) -> None:
    with pytest.raises(UserError, match="nowhere"):
        write_report(tmp_path / "r", "kaggle", sides, history, FACTS, tmp_path / "nowhere.json")
    assert not (tmp_path / "r").exists()


def test_a_side_with_arrays_of_different_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        SideResult(np.array(["1", "1"]), np.arange(2), np.zeros(2, int), np.ones((3, 5)))
    with pytest.raises(ValueError, match="5 probabilities"):
        SideResult(np.array(["1"]), np.arange(1), np.zeros(1, int), np.ones((1, 4)))


@pytest.mark.parametrize(
    ("template", "data", "x", "y", "also"),
    [
        ("confusion_counts", "confusion.csv", "predicted", "actual", ["beats", "side"]),
        ("pr_curves", "pr_curves.csv", "recall", "precision", ["class", "side"]),
        ("record_bars", "records.csv", "errors", "record", ["side"]),
    ],
)
def test_dvc_templates_fit_the_plot_data(folder: Path, template, data, x, y, also) -> None:
    rows = pd.read_csv(folder / data, dtype=str).assign(rev="workspace").to_dict("records")
    drawn = VegaRenderer(
        rows, data, x=x, y=y, template=template, template_dir=str(ROOT / ".dvc/plots")
    ).get_filled_template()
    text = json.dumps({key: value for key, value in drawn.items() if key != "data"})
    assert "<DVC_METRIC" not in text
    assert drawn["data"]["values"][0]["rev"] == "workspace"
    for field in (x, y, *also):
        assert field in rows[0]
        assert f'"{field}"' in text or f"datum.{field}" in text
