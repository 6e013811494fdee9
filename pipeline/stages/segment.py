"""Stage `segment`: recordings to beats, one Parquet row a beat."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from rich.progress import track

from pipeline.config import Config
from pipeline.ecg.beats import write_beats
from pipeline.ecg.dataset import load_dataset
from pipeline.ecg.segmentation import row_table, segment_record
from pipeline.stages.entry import BEATS, RAW, run_stage


def main(config: Config) -> None:
    """Cut every record of the data set, in its order."""
    written = write_beats(BEATS, _csv_tables() if config.data.source == "kaggle_csv" else _tables(config))
    print(f"{written:,} beats in {BEATS}")


def _tables(config: Config) -> Iterator[pa.Table]:
    for record in track(load_dataset(Path(config.data.dataset)).records.record.tolist(), description="segment"):
        yield segment_record(RAW, record)


def _csv_tables() -> Iterator[pa.Table]:
    from pipeline.sources.kaggle_csv import KNOWN_FILES, read_rows

    for name in KNOWN_FILES:
        yield row_table(*read_rows(RAW / name), name.removesuffix(".csv"))


if __name__ == "__main__":
    run_stage(main)
