"""Stage `split`: a side for every beat of a protocol."""

from pathlib import Path

from pipeline.config import Config
from pipeline.ecg.beats import read_beats
from pipeline.ecg.dataset import load_dataset
from pipeline.ecg.splits import split_interpatient, split_kaggle, summarise
from pipeline.files import atomic_path, write_json
from pipeline.stages.entry import BEATS, SPLITS, run_protocol_stage


def main(config: Config, protocol: str) -> None:
    """Write the sides and their summary."""
    beats = read_beats(BEATS, ["record", "sample", "aami"])
    dataset = load_dataset(Path(config.data.dataset))
    if protocol == "kaggle":
        split = split_kaggle(beats, dataset, config.split.validation_fraction, config.split.seed)
    else:
        split = split_interpatient(beats, dataset)
    summary = summarise(split, beats, dataset, protocol)
    with atomic_path(SPLITS / f"{protocol}.parquet") as temporary:
        split.to_parquet(temporary, index=False, compression="zstd")
    write_json(SPLITS / f"{protocol}.json", summary)
    for side, counts in summary["beats"].items():
        print(f"{protocol} {side}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    for overlap in summary.get("patients_on_both_sides", []):
        records = " and ".join(overlap["records"])
        print(f"known overlap: records {records} are one patient ({overlap['patient']})")


if __name__ == "__main__":
    run_protocol_stage(main)
