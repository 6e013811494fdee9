"""Synthetic records: WFDB files whose beats follow the physiology of their AAMI classes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb
from scipy.integrate import solve_ivp

from pipeline.ecg.aami import CLASS_OF_SYMBOL, CLASSES
from pipeline.ecg.synthetic import dynamics, write_records
from pipeline.ecg.synthetic.profiles import profile_for
from pipeline.ecg.synthetic.records import synthesise
from pipeline.errors import UserError

SIDES = Path(__file__).parents[2] / "data" / "reference" / "synthetic" / "records.csv"
FS_HZ = 360
SEED = 11
WITH_SINUS_RHYTHM = ["s01", "s03", "s04", "s06", "s08", "s21"]
MINUTES = 4.0


class Read:
    """A record as a reader of the files sees it."""

    def __init__(self, folder: Path, name: str) -> None:
        record = wfdb.rdrecord(str(folder / name))
        annotation = wfdb.rdann(str(folder / name), "atr")
        self.header, self.signal_mv, self.annotation = record, record.p_signal, annotation
        beats = [i for i, symbol in enumerate(annotation.symbol) if symbol in CLASS_OF_SYMBOL]
        self.samples = annotation.sample[beats]
        self.symbols = np.array(annotation.symbol)[beats]
        self.classes = np.array([CLASS_OF_SYMBOL[symbol] for symbol in self.symbols])
        self.rr_s = np.diff(self.samples) / FS_HZ

    def between_sinus_beats(self, aami: str) -> np.ndarray:
        """Beats of a class with two sinus beats on either side; and the local sinus interval of each."""
        around = np.array([-2, -1, 1, 2])
        middle = [
            i
            for i in np.flatnonzero(self.classes == aami)
            if 2 <= i < len(self.classes) - 3
            and (self.classes[i + around] == "N").all()
            and not set(self.symbols[i + around]) & {"e", "j"}
        ]
        return np.array([(i, (self.rr_s[i - 2] + self.rr_s[i + 1]) / 2) for i in middle]).reshape(-1, 2)

    def timing(self, aami: str) -> tuple[np.ndarray, np.ndarray]:
        """The intervals before and after such beats, in units of the local sinus interval."""
        found = self.between_sinus_beats(aami)
        index = found[:, 0].astype(int)
        return self.rr_s[index - 1] / found[:, 1], self.rr_s[index] / found[:, 1]

    def median_beat(self, indices: np.ndarray) -> np.ndarray:
        """Median of beats from 0.35 s before the mark to 0.5 s after, less its median, shape (samples, 2)."""
        span = np.arange(-int(0.35 * FS_HZ), int(0.5 * FS_HZ))
        beats = np.median(self.signal_mv[self.samples[indices][:, None] + span], axis=0)
        return beats - np.median(beats, axis=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    write_records(folder, [*WITH_SINUS_RHYTHM, "s02", "s10"], MINUTES, SEED)
    return folder


@pytest.fixture(scope="module")
def sinus_records(folder: Path) -> list[Read]:
    return [Read(folder, name) for name in WITH_SINUS_RHYTHM]


def qrs_width_s(beat: np.ndarray) -> float:
    """How long the steepness of a median beat stays above a tenth of its largest, about the mark."""
    centre = int(0.35 * FS_HZ)
    steep = np.hypot(*np.gradient(beat, axis=0).T)[centre - 45 : centre + 55]
    return float(np.ptp(np.flatnonzero(steep > 0.15 * steep.max()))) / FS_HZ


def test_files_look_like_mitbih(folder: Path) -> None:
    read = Read(folder, "s01")
    assert read.header.fs == FS_HZ
    assert read.header.fmt == ["212", "212"]
    assert read.header.adc_gain == [200.0, 200.0]
    assert read.header.baseline == [1024, 1024]
    assert read.header.units == ["mV", "mV"]
    assert read.header.sig_name[0] == "MLII"
    assert read.signal_mv.shape == (int(MINUTES * 60 * FS_HZ), 2)
    digital = wfdb.rdrecord(str(folder / "s01"), physical=False).d_signal
    assert digital.min() >= 0
    assert digital.max() <= 2047
    assert sorted(path.name for path in folder.glob("s01*")) == ["s01.atr", "s01.dat", "s01.hea"]


def test_annotations_start_with_the_rhythm_and_ascend(folder: Path) -> None:
    read = Read(folder, "s01")
    assert read.annotation.symbol[0] == "+"
    assert read.annotation.aux_note[0].rstrip("\0") == "(N"
    assert (np.diff(read.annotation.sample) > 0).all()
    assert read.annotation.sample[-1] < len(read.signal_mv)
    assert set(read.annotation.symbol[1:]) <= set(CLASS_OF_SYMBOL)


def test_same_arguments_same_bytes_whatever_the_company(folder: Path, tmp_path: Path) -> None:
    write_records(tmp_path, ["s06"], MINUTES, SEED)
    for suffix in (".dat", ".hea", ".atr"):
        assert (tmp_path / f"s06{suffix}").read_bytes() == (folder / f"s06{suffix}").read_bytes()


def test_seed_name_and_length_matter(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        write_records(tmp_path / name, ["s01", "s25"], 0.3, seed)
    signals = [(tmp_path / name / f"{record}.dat").read_bytes() for name in "ab" for record in ("s01", "s25")]
    assert len(set(signals)) == 4
    assert profile_for("s01") == profile_for("s33")


def test_a_sick_sinus_is_silent_after_atrial_runs() -> None:
    made = synthesise("x28", 4, SEED)
    symbols, times_s = np.array(made.symbols[1:]), made.samples[1:] / FS_HZ
    after_atrial = np.isin(symbols[:-1], ["A", "a", "J", "S"])
    pauses = after_atrial & (np.diff(times_s) > 1.2)
    assert pauses.sum() > 10
    assert (symbols[1:][pauses] == "N").all()
    assert 1.5 * np.median(np.diff(times_s)) < np.diff(times_s)[pauses].max() < 3.4


def test_another_sampling_rate_gives_the_same_rhythm(folder: Path, tmp_path: Path) -> None:
    write_records(tmp_path, ["s01"], MINUTES, SEED, fs_hz=250)
    annotation = wfdb.rdann(str(tmp_path / "s01"), "atr")
    assert wfdb.rdheader(str(tmp_path / "s01")).fs == 250
    at_360 = Read(folder, "s01")
    assert list(at_360.symbols) == annotation.symbol[1:]
    assert np.abs(annotation.sample[1:] / 250 - at_360.samples / FS_HZ).max() < 0.15


def test_progress_names_each_record(tmp_path: Path) -> None:
    seen: list[str] = []
    write_records(tmp_path, ["s02", "s01"], 0.2, 1, progress=seen.append)
    assert seen == ["s02", "s01"]


def test_bad_record_name_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'\.\./x' cannot name a record"):
        write_records(tmp_path, ["s01", "../x"], 0.2, 1)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file.*cannot be written"):
        write_records(tmp_path / "file", ["s01"], 0.2, 1)


def test_supraventricular_beats_come_early_and_reset_the_sinus_node(sinus_records: list[Read]) -> None:
    for read in sinus_records:
        before, after = read.timing("S")
        assert len(before) >= 3
        assert (before < 0.9).all()
        assert np.median(after) > 1.0
        assert np.median(before + after) < 1.95


def test_ventricular_beats_come_early_with_a_compensatory_pause(sinus_records: list[Read]) -> None:
    for read in sinus_records:
        before, after = read.timing("V")
        early = before < 1.0
        assert early.sum() >= 3
        assert np.median(before[early]) < 0.95
        assert np.median((before + after)[early]) == pytest.approx(2.0, abs=0.12)


def test_ventricular_beats_are_wide(sinus_records: list[Read]) -> None:
    widths = [
        [qrs_width_s(read.median_beat(np.flatnonzero(read.symbols == symbol)[1:-1])) for symbol in "NV"]
        for read in sinus_records
        if "N" in read.symbols
    ]
    normal, ventricular = np.array(widths).T
    assert np.median(normal) < 0.12
    assert np.median(ventricular) > 0.13
    assert (ventricular > 1.2 * normal).all()


def atrial_activity_mv(read: Read, indices: np.ndarray) -> float:
    """The rise of the median beat's first lead above the line through 0.24 s and 0.09 s before the mark."""
    beats = read.median_beat(indices)[:, 0]
    centre = int(0.35 * FS_HZ)
    piece = beats[centre - int(0.24 * FS_HZ) : centre - int(0.09 * FS_HZ)]
    return float((piece - np.linspace(piece[0], piece[-1], len(piece))).max())


def test_no_p_wave_before_ventricular_beats(sinus_records: list[Read]) -> None:
    late = []
    for read in sinus_records:
        sinus = np.flatnonzero(read.symbols == "N")[2:-2]
        if not len(sinus):
            continue
        rr_before = np.concatenate([[1.0], read.rr_s])
        ventricular = np.flatnonzero((read.symbols == "V") & (rr_before > 0.55))
        if len(ventricular) >= 5:
            late.append((atrial_activity_mv(read, sinus), atrial_activity_mv(read, ventricular)))
    sinus_p, ventricular_p = np.array(late).T
    assert len(late) >= 3
    assert np.median(ventricular_p / sinus_p) < 0.5


def test_fusion_beats_lie_between_normal_and_ventricular_ones(sinus_records: list[Read]) -> None:
    """A fusion beat is nearer to either parent than the parents are to each other."""
    between = []
    for read in sinus_records:
        shapes = {}
        for symbol in ("N", "L", "V", "F"):
            indices = np.flatnonzero(read.symbols == symbol)[1:-1]
            if len(indices):
                shapes[symbol] = read.median_beat(indices)[int(0.25 * FS_HZ) : int(0.45 * FS_HZ)]
        parent = shapes.get("N", shapes.get("L"))
        apart = np.linalg.norm(parent - shapes["V"])
        near = [np.linalg.norm(shapes["F"] - other) < apart for other in (parent, shapes["V"])]
        between.append(all(near))
    assert np.mean(between) >= 0.8


def test_fusion_beats_come_when_the_sinus_beat_is_due(sinus_records: list[Read]) -> None:
    for read in sinus_records:
        before, _ = read.timing("F")
        assert len(before) >= 1
        assert np.median(before) == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("name", ["s02", "s10"])
def test_paced_beats_start_with_a_spike(folder: Path, name: str) -> None:
    """The jump into the annotated sample dwarfs any other within a tenth of a second before it."""
    read = Read(folder, name)
    paced = read.samples[read.symbols == "/"]
    assert len(paced) >= 20
    step = np.abs(np.diff(read.signal_mv[:, 0]))
    at_mark = step[paced - 1]
    before = np.array([step[mark - 36 : mark - 2].max() for mark in paced])
    assert np.median(at_mark) > 0.3
    assert (at_mark > 2 * before).mean() > 0.9
    peak = np.array([np.abs(read.signal_mv[mark + 14 : mark + 60, 0]).argmax() for mark in paced]) + 14
    assert 0.04 < np.median(peak) / FS_HZ < 0.17


def test_every_side_has_every_class_in_several_patients(tmp_path: Path) -> None:
    table = pd.read_csv(SIDES, dtype=str)
    write_records(tmp_path, list(table.record), 2.0, SEED)
    present = {name: set(Read(tmp_path, name).classes) for name in table.record}
    for _, names in table.groupby("side").record:
        for aami in CLASSES:
            assert sum(aami in present[name] for name in names) >= 2
    assert len({frozenset(c) for c in present.values()}) > 1


def test_closed_form_solves_the_three_coupled_equations() -> None:
    """A regular rhythm, integrated numerically as McSharry et al. state the model."""
    rr_s, fs_hz, beats = 0.8, FS_HZ, 6
    omega = 2 * np.pi / rr_s
    angle = np.deg2rad([-70.0, -15.0, 0.0, 15.0, 100.0])
    width = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
    strength = np.array([1.2, -5.0, 30.0, -7.5, 0.75])

    def motion(_: float, state: np.ndarray) -> list[float]:
        x, y, z = state
        pull = 1.0 - np.hypot(x, y)
        distance = np.mod(np.arctan2(y, x) - angle + np.pi, 2 * np.pi) - np.pi
        force = -np.sum(strength * distance * np.exp(-(distance**2) / (2 * width**2)))
        return [pull * x - omega * y, pull * y + omega * x, force - z]

    time_s = np.arange(int(beats * rr_s * fs_hz)) / fs_hz
    start = [-1.0, 0.0, 0.0]
    expected = solve_ivp(motion, (0, time_s[-1]), start, t_eval=time_s, rtol=1e-8, atol=1e-10, max_step=0.002).y[2]
    turn = np.repeat(np.arange(-1, beats + 1), len(angle))
    bumps = dynamics.Bumps(
        beat_s=(turn + 0.5) * rr_s,
        omega=np.full(len(turn), omega),
        angle=np.tile(angle, beats + 2),
        width=np.tile(width, beats + 2),
        amplitude_mv=(np.tile(strength * width**2, beats + 2) / omega)[:, None],
    )
    solved = dynamics.solve(bumps, np.zeros((len(time_s), 1)), fs_hz)[:, 0]
    assert np.ptp(expected) > 0.03
    assert np.abs(solved - expected).max() < 0.01 * np.ptp(expected)
