"""Stage `download`: the annotated recordings of the chosen source, in data/raw."""

import os
from pathlib import Path

from pipeline.config import Config
from pipeline.ecg.dataset import load_dataset
from pipeline.errors import UserError
from pipeline.stages.entry import RAW, run_stage


def main(config: Config) -> None:
    """Fetch, copy or generate what is not there yet, and remove what another source left."""
    RAW.mkdir(parents=True, exist_ok=True)
    _refuse_folders()
    names = _fill(config)
    for path in RAW.iterdir():
        if path.name not in names and not path.name.endswith(".part"):
            path.unlink()


def _refuse_folders() -> None:
    """A folder is no source's, and may hold what somebody needs: it is not for us to remove."""
    for path in sorted(RAW.iterdir()):
        if path.is_dir() and not path.is_symlink():
            raise UserError(f"{path}: a folder, where only recordings belong; move it out of {RAW}")


def _fill(config: Config) -> set[str]:
    if config.data.source == "kaggle_csv":
        from pipeline.sources.kaggle_csv import KNOWN_FILES, copy_csvs

        copy_csvs(Path(config.data.folder), RAW)
        return set(KNOWN_FILES)
    dataset = load_dataset(Path(config.data.dataset))
    records = dataset.records.record.tolist()
    if config.data.source == "mitdb":
        from pipeline.sources.mitdb import download_mitdb

        report = download_mitdb(dataset.folder, RAW, config.download, os.environ.get("MITDB_MIRROR"))
        print(f"{len(report.present)} files were there, {len(report.fetched)} fetched")
        return {*report.present, *report.fetched}
    if config.data.source == "wfdb":
        from pipeline.sources.wfdb_folder import copy_records

        return copy_records(Path(config.data.folder), records, RAW)
    from pipeline.ecg.synthetic import write_records

    write_records(
        RAW,
        records,
        config.synthetic.minutes,
        config.synthetic.seed,
        progress=lambda name: print(f"generated {name}", flush=True),
    )
    return {f"{record}.{ending}" for record in records for ending in ("dat", "hea", "atr")}


if __name__ == "__main__":
    run_stage(main)
