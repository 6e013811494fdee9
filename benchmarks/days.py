"""A recording of a day, made of a shorter one again and again."""

from pathlib import Path

import numpy as np
import wfdb

_DAY_S = 24 * 3600


def write_day(record: Path, folder: Path) -> Path:
    """Repeat an annotated record until it has 24 hours; returns the new record's path."""
    signal = wfdb.rdrecord(str(record), physical=False)
    annotation = wfdb.rdann(str(record), "atr")
    times = -(-round(_DAY_S * signal.fs) // signal.sig_len)
    wfdb.wrsamp(
        "day",
        signal.fs,
        signal.units,
        signal.sig_name,
        d_signal=np.tile(signal.d_signal, (times, 1)),
        fmt=["16"] * signal.n_sig,
        adc_gain=signal.adc_gain,
        baseline=signal.baseline,
        write_dir=str(folder),
    )
    samples = np.concatenate([annotation.sample + turn * signal.sig_len for turn in range(times)])
    wfdb.wrann("day", "atr", samples, symbol=annotation.symbol * times, fs=signal.fs, write_dir=str(folder))
    return folder / "day"
