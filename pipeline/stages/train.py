"""Stage `train`: the network of a protocol, as a run in MLflow."""

import shutil
from dataclasses import replace
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.lock import one_process
from pipeline.model.examples import Examples
from pipeline.model.training import Trained, save_model, train
from pipeline.stages.entry import MODELS, run_protocol_stage, workspace
from pipeline.stages.examples import examples_of
from pipeline.stages.manifest import Manifest, read_manifest
from pipeline.stages.protocol_data import load_protocol
from pipeline.stages.run_identity import describe_run
from pipeline.stages.run_results import enter_results
from pipeline.stages.training_side import training_side
from pipeline.tracking.failures import STORE_FAILURES
from pipeline.tracking.runs import fail, log_epoch, resume_run, run_exists, start_training_run, system_metrics
from pipeline.tracking.store import Store, check_writable, open_store


def main(config: Config, protocol: str) -> None:
    """Train into models/<protocol>."""
    train_run(config, protocol, MODELS / protocol)


def train_run(config: Config, protocol: str, folder: Path) -> Manifest:
    """Train, or go on with a training of the same settings that was stopped, and write the results to `folder`.

    The store is proved writable first. Should it fail later, the model is in `folder` all the same, and another call
    enters it without training again.

    Raises:
        UserError: bad input, or a store that cannot be written.
    """
    data = load_protocol(protocol)
    manifest = describe_run(config, protocol, data)
    store = open_store(workspace())
    check_writable(store, protocol)
    home, name = workspace() / ".heartbeat", f"{protocol}-{manifest.tags['config_key'][:16]}"
    with one_process(home / "locks" / name, f"{protocol}, seed {config.train.seed}: is being trained"):
        state = home / "training" / name
        manifest = _open_run(store, protocol, manifest, state / "run.json")
        training, validation = training_side(config, protocol, data), examples_of(config, data, "validation")
        trained = _train(config, protocol, training, validation, store, manifest.run_id, state)
        manifest = replace(manifest, tags={**manifest.tags, "device": str(trained.device)})
        _write(trained, manifest, folder)
        _enter(store, protocol, manifest, trained, validation, f"{folder} and in {state}")
        shutil.rmtree(state)
    return manifest


def _open_run(store: Store, protocol: str, manifest: Manifest, kept: Path) -> Manifest:
    """The run that a stopped training left in this store, or a new one."""
    if kept.exists():
        before = read_manifest(kept)
        if run_exists(store, before.run_id):
            resume_run(store, before.run_id)
            return before
        print(f"the run {before.run_id} is not in {store.shown}; the training goes on in a new one")
    run_id = start_training_run(store, protocol, manifest.params, manifest.tags, manifest.datasets())
    opened = replace(manifest, run_id=run_id)
    opened.write(kept)
    return opened


def _train(
    config: Config,
    protocol: str,
    training: Examples,
    validation: Examples,
    store: Store,
    run_id: str,
    state: Path,
) -> Trained:
    """Train in the open run; stopped by an error or by Ctrl-C, the run says so until it is resumed."""
    try:
        with system_metrics(store, run_id):
            return train(
                config.model.of(protocol),
                config.train,
                training,
                validation,
                state / "checkpoint.npz",
                title=f"train {protocol} (seed {config.train.seed})",
                on_epoch=lambda epoch, row: log_epoch(store, run_id, epoch + 1, row),
            )
    except BaseException:
        fail(store, run_id)
        raise


def _enter(store: Store, protocol: str, manifest: Manifest, trained: Trained, validation: Examples, kept: str) -> None:
    try:
        store.client.set_tag(manifest.run_id, "device", manifest.tags["device"])
        enter_results(store, manifest.run_id, protocol, trained.model, trained.history, validation)
    except (UserError, *STORE_FAILURES) as error:
        raise UserError(
            f"{store.shown}: failed after training ({' '.join(str(error).split())}); the trained model is in {kept}: "
            "mend the store and run the same command, which enters it without training again"
        ) from error


def _write(trained: Trained, manifest: Manifest, folder: Path) -> None:
    save_model(trained.model, folder / "model.keras")
    with atomic_path(folder / "history.csv") as temporary:
        trained.history.to_csv(temporary, index=False)
    manifest.write(folder / "run.json")
    kept = trained.history.iloc[trained.kept_epoch]
    print(f"kept epoch {kept.epoch:.0f}: validation macro-F1 {kept.val_macro_f1:.4f}; {folder / 'model.keras'}")


if __name__ == "__main__":
    run_protocol_stage(main)
