"""Small WFDB records and data-set folders, written as a user would have them; and the real beats."""

import numpy as np
import pandas as pd
import pytest
import wfdb
import yaml

from pipeline.ecg.beats import write_beats
from pipeline.ecg.dataset import load_dataset
from pipeline.ecg.segmentation import segment_record

FACTS = {"name": "test", "sampling_rate_hz": 360, "n_leads": 2}


@pytest.fixture
def write_record(tmp_path):
    """Write `<name>.dat/.hea/.atr`: noise with a spike at each annotation, 20 s unless told."""

    def write(name="r1", samples=(360, 720, 1080, 1440, 1800), symbols=None, fs_hz=360, n_leads=2, seconds=20):
        samples = np.asarray(samples)
        adu = np.random.default_rng(len(name)).integers(1000, 1048, (seconds * fs_hz, n_leads))
        adu[samples[samples < len(adu)]] += 300
        wfdb.wrsamp(
            name,
            fs=fs_hz,
            units=["mV"] * n_leads,
            sig_name=[f"lead{i}" for i in range(n_leads)],
            d_signal=adu,
            fmt=["212"] * n_leads,
            adc_gain=[200] * n_leads,
            baseline=[1024] * n_leads,
            write_dir=str(tmp_path),
        )
        wfdb.wrann(name, "atr", samples, symbol=list(symbols or "N" * len(samples)), write_dir=str(tmp_path))
        return adu

    return write


@pytest.fixture
def make_dataset(tmp_path):
    """A folder of facts with `records` as (record, patient, side), read back."""

    def make(records=(("r1", "p1", "train"),), test_beats=None, **facts):
        folder = tmp_path / "facts"
        folder.mkdir(exist_ok=True)
        (folder / "dataset.yaml").write_text(yaml.safe_dump({**FACTS, **facts}))
        pd.DataFrame(records, columns=["record", "patient", "side"]).to_csv(folder / "records.csv", index=False)
        if test_beats is not None:
            (folder / "test.csv").write_text(test_beats)
        return load_dataset(folder)

    return make


@pytest.fixture(scope="session")
def mitdb_facts(pytestconfig):
    return load_dataset(pytestconfig.rootpath / "data" / "reference" / "mitdb")


@pytest.fixture(scope="session")
def real_beats(mitdb_folder, mitdb_facts, tmp_path_factory):
    """The beat table of the 48 real records."""
    path = tmp_path_factory.mktemp("real") / "beats.parquet"
    write_beats(path, (segment_record(mitdb_folder, name) for name in mitdb_facts.records.record))
    return path
