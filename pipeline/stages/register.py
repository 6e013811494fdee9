"""Stage `register`: the best run of a protocol becomes the challenger of its registered model."""

from pipeline.config import Config
from pipeline.files import write_json
from pipeline.stages.entry import MODELS, run_protocol_stage, workspace
from pipeline.stages.manifest import read_manifest
from pipeline.tracking.registry import register_best
from pipeline.tracking.store import open_store


def main(_config: Config, protocol: str) -> None:
    """Register the best finished run, by validation macro-F1, among those on the same sides."""
    manifest = read_manifest(MODELS / protocol / "run.json")
    registered = register_best(open_store(workspace()), protocol, manifest.compared_on)
    write_json(
        MODELS / f"{protocol}.registered.json",
        {
            "model": registered.name,
            "version": registered.version,
            "run_id": registered.run_id,
            "validation_macro_f1": registered.validation_macro_f1,
        },
    )
    news = "registered" if registered.created else "is there already"
    print(
        f"{registered.name} version {registered.version} {news} (run {registered.run_id}, validation macro-F1 "
        f"{registered.validation_macro_f1:.4f}), alias challenger; promote it with "
        f"`heartbeat promote --protocol {protocol} --version {registered.version}`"
    )


if __name__ == "__main__":
    run_protocol_stage(main)
