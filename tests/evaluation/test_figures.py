"""What the figures show: the numbers, the curves, the words on the axes."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from pipeline.evaluation import figures
from pipeline.evaluation.examples import confident_mistakes, mistakes_figure
from pipeline.evaluation.style import save_png

COUNTS = np.array([[1234, 5, 0, 0, 0], [2, 8, 0, 0, 0], [0, 0, 7, 3, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]])


def title(figure: Figure) -> str:
    return figure.get_suptitle()


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_confusion_shows_every_count_and_share() -> None:
    figure = figures.confusion_figure(COUNTS, "kaggle, test")
    shown = texts(figure)
    assert len(shown) == 25
    assert shown[0] == "1,234\n99.6%"
    assert shown[5:7] == ["2\n20.0%", "8\n80.0%"]
    axes = figure.axes[0]
    assert axes.images[0].get_array()[2].tolist() == [0, 0, 0.7, 0.3, 0]
    assert axes.get_yticklabels()[0].get_text() == "N\n1,239"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "annotated class (beats)")
    assert title(figure) == "kaggle, test: confusion matrix"


def test_precision_recall_draws_a_curve_a_class() -> None:
    curves = pd.DataFrame({"class": ["N", "N", "V", "V"], "recall": [1, 0] * 2, "precision": 0.5})
    figure = figures.precision_recall_figure(curves, {"N": 0.9871, "V": 0.5}, "kaggle, test")
    lines = figure.axes[0].lines
    assert [line.get_label() for line in lines] == ["N: area 0.987", "V: area 0.500"]
    assert len({line.get_color() for line in lines}) == 2
    assert len({line.get_linestyle() for line in lines}) == 2


def test_learning_marks_the_best_epoch(history: pd.DataFrame) -> None:
    figure = figures.learning_figure(history, "kaggle, training")
    loss, macro_f1, rate = figure.axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [[0.9, 0.5, 0.3], [0.8, 0.6, 0.7]]
    assert macro_f1.lines[1].get_label() == "best: 0.8500, epoch 2"
    assert loss.get_ylabel() == "cross-entropy (nats)"
    assert rate.get_title() == "Learning rate"
    without = figures.learning_figure(history.drop(columns="learning_rate"), "kaggle, training")
    assert len(without.axes) == 2


def by_record(n_records: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "record": [f"{number:03d}" for number in range(n_records)],
            **{f"{name}_support": 10 for name in "SV"},
            **{f"{name}_{kind}": range(n_records) for name in "SV" for kind in ("missed", "false")},
        }
    )


def test_records_are_bars_of_missed_and_false_calls() -> None:
    figure = figures.records_figure(by_record(3), "interpatient, test")
    for axes in figure.axes:
        assert [bar.get_height() for bar in axes.patches] == [0, 1, 2, 0, 1, 2]
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["000", "001", "002"]
    assert figure.axes[0].get_title() == "S (supraventricular ectopic), 30 beats"


def test_of_many_records_the_worst_are_drawn() -> None:
    figure = figures.records_figure(by_record(50), "interpatient, test")
    labels = [tick.get_text() for tick in figure.axes[1].get_xticklabels()]
    assert (len(labels), labels[0], labels[-1]) == (48, "002", "049")
    assert "48 of 50 records" in title(figure)


def test_mistakes_come_most_confident_first() -> None:
    y_true = np.array([0, 1, 2, 3])
    y_prob = np.array([[0.9, 0.1, 0, 0, 0], [0.6, 0.4, 0, 0, 0], [0.95, 0, 0.05, 0, 0], [0.6, 0, 0, 0.4, 0]])
    assert confident_mistakes(y_true, y_prob, limit=9).tolist() == [2, 1, 3]
    rows = np.ones((4, 187))
    rows[2, 60:] = 0
    captions = np.array(["100, sample 1", "100, sample 2", "232, sample 3", "232, sample 4"])
    figure = mistakes_figure(rows, y_true, y_prob, captions, "kaggle, test")
    first = figure.axes[0]
    assert first.get_title() == "V called N, p = 0.950"
    assert first.texts[0].get_text() == "232, sample 3"
    time_s = first.lines[0].get_xdata()
    assert (len(time_s), time_s[-1]) == (60, pytest.approx(59 / 120))
    assert sum(bool(axes.lines) for axes in figure.axes) == 3


def test_a_model_without_mistakes_has_a_figure_that_says_so() -> None:
    figure = mistakes_figure(np.ones((2, 187)), np.array([0, 1]), np.eye(5)[:2], np.array(["a", "b"]), "kaggle, test")
    assert texts(figure) == ["No beat was called wrongly."]


def test_the_user_s_own_settings_neither_change_nor_are_changed(tmp_path) -> None:
    save_png(figures.confusion_figure(COUNTS, "kaggle, test"), tmp_path / "plain.png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "savefig.dpi": 30}):
        save_png(figures.confusion_figure(COUNTS, "kaggle, test"), tmp_path / "other.png")
        assert matplotlib.rcParams["font.size"] == 20
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "other.png").read_bytes()
