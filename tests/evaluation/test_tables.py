"""The printed table: its form, its averages, and when published figures stand beside ours."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.evaluation.metrics import classification_metrics
from pipeline.evaluation.published import load_published
from pipeline.evaluation.report import side_metrics, side_tables
from pipeline.evaluation.tables import markdown_table, score_table, text_table

PUBLISHED = Path(__file__).parents[2] / "data/reference/published_kaggle.json"
SUPPORTS = (18118, 556, 1448, 162, 1608)


def cells(line: str) -> list[str]:
    return line.split()


def test_form_and_averages_of_the_table() -> None:
    y_true = np.array([0, 0, 0, 0, 1, 1, 2, 2, 3, 4])
    y_pred = np.array([0, 0, 0, 1, 1, 0, 2, 2, 2, 4])
    text = text_table(score_table(classification_metrics(y_true, y_pred), "kaggle, test"))
    assert text.startswith(" " * (len(text.splitlines()[0]) - 22) + "kaggle, test: 10 beats")
    rows = {line.split()[0]: cells(line) for line in text.splitlines() if line.strip()}
    assert rows["class"] == ["class", "precision", "recall", "F1", "support"]
    assert list(rows)[-8:] == ["N", "S", "V", "F", "Q", "accuracy", "macro", "weighted"]
    assert rows["N"] == ["N", "0.7500", "0.7500", "0.7500", "4"]
    assert rows["V"] == ["V", "0.6667", "1.0000", "0.8000", "2"]
    assert rows["F"] == ["F", "0.0000", "0.0000", "0.0000", "1"]
    assert rows["accuracy"] == ["accuracy", "0.7000", "10"]
    assert rows["macro"] == ["macro", "0.5833", "0.6500", "0.6100", "10"]
    assert rows["weighted"] == ["weighted", "0.6333", "0.7000", "0.6600", "10"]


def test_published_figures_stand_beside_ours_on_the_same_beats(make_side) -> None:
    metrics = side_metrics({"test": make_side(SUPPORTS)})
    table = side_tables("kaggle", metrics, PUBLISHED)["test"]
    text = text_table(table)
    rows = {line.split()[0]: cells(line) for line in text.splitlines() if line.strip()}
    assert [rows["S"][column] for column in (2, 4, 6, 7)] == ["0.8936", "0.7554", "0.8187", "556"]
    assert rows["accuracy"][2:] == ["0.9843", "21892"]
    assert [rows["macro"][column] for column in (2, 4, 6)] == ["0.9275", "0.9001", "0.9127"]
    assert [rows["weighted"][column] for column in (2, 4, 6)] == ["0.9840", "0.9843", "0.9840"]
    assert "on the same 21,892 beats" in text
    markdown = markdown_table(table)
    assert "| 0.8187 | 556 |" in markdown
    assert len({line.count("|") for line in markdown.splitlines()[:10]}) == 1


@pytest.mark.parametrize(
    ("protocol", "side", "supports"),
    [
        ("kaggle", "test", (18117, 557, 1448, 162, 1608)),
        ("kaggle", "validation", SUPPORTS),
        ("interpatient", "test", SUPPORTS),
    ],
)
def test_other_beats_are_not_compared(make_side, protocol, side, supports) -> None:
    metrics = side_metrics({side: make_side(supports)})
    text = text_table(side_tables(protocol, metrics, PUBLISHED)[side])
    assert "published" not in text
    assert "0.8187" not in text


def test_published_averages_agree_with_their_classes() -> None:
    published = load_published(PUBLISHED)
    f1 = [scores.f1 for scores in published.per_class.values()]
    support = [scores.support for scores in published.per_class.values()]
    assert tuple(support) == SUPPORTS
    assert np.mean(f1) == pytest.approx(published.macro.f1, abs=1e-4)
    assert np.average(f1, weights=support) == pytest.approx(published.weighted.f1, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"accuracy": 98.4}, "accuracy: Input should be less than or equal to 1"),
        ({"acuracy": 0.98}, "acuracy: Extra inputs are not permitted"),
        ({"per_class": {}}, "per_class: add the figures of N, S, V, F, Q"),
    ],
)
def test_a_faulty_table_is_named(tmp_path: Path, change: dict[str, object], says: str) -> None:
    path = tmp_path / "published.json"
    path.write_text(json.dumps(json.loads(PUBLISHED.read_text()) | change))
    with pytest.raises(UserError) as error:
        load_published(path)
    assert str(error.value).startswith(f"{path}: {says}")
    assert "\n" not in str(error.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.json: the published figures cannot be read"):
        load_published(tmp_path / "nowhere.json")
