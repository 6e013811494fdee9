"""Stage `validate_records`: every recording against the facts of the data set."""

from pathlib import Path

import pandas as pd

from pipeline.checks.records import RecordFacts, validate_records
from pipeline.config import Config
from pipeline.ecg.dataset import load_dataset
from pipeline.ecg.records import inspect_records
from pipeline.files import write_json
from pipeline.stages.checked import conclude
from pipeline.stages.entry import DATA_DOCS, RAW, VALIDATION, run_stage


def main(config: Config) -> None:
    """Check what `download` brought; stop the pipeline on a critical failure."""
    if config.data.source == "kaggle_csv":
        write_json(VALIDATION / "records.json", {"skipped": "rows carry no recordings"})
        return
    dataset = load_dataset(Path(config.data.dataset))
    facts = RecordFacts(
        records=tuple(dataset.records.record),
        n_leads=dataset.n_leads,
        sampling_rate_hz=dataset.sampling_rate_hz,
        n_samples=dataset.n_samples,
    )
    found = sorted(path.stem for path in RAW.glob("*.hea"))
    table: pd.DataFrame = inspect_records(RAW, found)
    conclude(validate_records(table, facts, DATA_DOCS / "records"), "records")


if __name__ == "__main__":
    run_stage(main)
