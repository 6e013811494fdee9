"""Training: killed and resumed it ends the same; the best weights are kept; what is saved loads anywhere."""

import errno
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sklearn.metrics import log_loss

from pipeline.config import (
    ContextConfig,
    ContextTraining,
    ModelConfig,
    ReferenceConfig,
    ResidualConfig,
    RowTraining,
    TrainConfig,
    VariationConfig,
    VariationsConfig,
)
from pipeline.ecg.context import ContextInputs
from pipeline.errors import UserError
from pipeline.model import training
from pipeline.model.device import Device
from pipeline.model.examples import Recording, RecordingExamples, RowExamples
from pipeline.model.training import load_model, save_model, train

MODEL = ModelConfig(
    architecture="reference",
    reference=ReferenceConfig(filters=[8] * 4, lstm_units=[4, 4], dense_units=8, dropout=0.1),
    residual=ResidualConfig(filters=[4, 6], lstm_units=[4], dense_units=8, dropout=0.1),
    context=ContextConfig(filters=[4, 4], dense_units=8, lstm_units=[4], dropout=0.1, likeness=True, members=2),
)
NO_VARIATION = VariationConfig(
    lead_swap=0, lead_loss=0, disturbance=0, gain=0, tempo=0, synthetic_patients=0, patients_an_epoch=0
)
TRAIN = TrainConfig(
    seed=3,
    epochs=4,
    patience=4,
    device="cpu",
    precision="auto",
    deterministic=True,
    reference=RowTraining(epochs=9, keep="best", batch_size=16, learning_rate=0.02),
    residual=RowTraining(epochs=9, keep="last", batch_size=16, learning_rate=0.02),
    context=ContextTraining(epochs=9, keep="last", batch_size=4, stretch_beats=8, learning_rate=0.02),
    variation=VariationsConfig(kaggle=NO_VARIATION, interpatient=NO_VARIATION),
)

# One process: train into argv[1]; with argv[2], die by SIGKILL where it says; else write the weights.
PROGRAM = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from pipeline.config import ModelConfig, TrainConfig
from pipeline.model import training
from pipeline.model.device import Device
from pipeline.model.examples import RowExamples

folder, where = Path(sys.argv[1]), sys.argv[2]
told = json.loads((folder / "told.json").read_text())
arrays = np.load(folder / "examples.npz")
sides = [RowExamples(arrays[f"{side}_rows"], arrays[f"{side}_labels"]) for side in ("train", "validation")]
counted = [0]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def predict_or_die(*arguments, predict=RowExamples.predict):
    counted[0] += 1
    if where == "within epoch 3" and counted[0] == 3:
        die()
    return predict(*arguments)

RowExamples.predict = predict_or_die

def run(name):
    return training.train(
        ModelConfig(**told["model"]), TrainConfig(**told["train"]), *sides, folder / name,
        on_epoch=lambda epoch, row: die() if where == "after epoch 1" and epoch == 0 else None,
    )

if where == "never":
    for name in ("whole", "killed early", "killed late"):
        trained = run(name)
        np.savez(folder / f"weights of {name}.npz", *trained.model.get_weights())
        trained.history.drop(columns="seconds").to_csv(folder / f"history of {name}.csv")
else:
    run("killed early" if where == "after epoch 1" else "killed late")
"""


def examples(n_beats, seed):
    """Rows of each class at a level of its own, in noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_beats) % 5
    rows = labels[:, None] / 4 + rng.normal(0, 0.05, (n_beats, 187))
    return RowExamples(rows.astype(np.float32), labels.astype(np.int64))


TRAINING, VALIDATION = examples(320, 0), examples(100, 1)


def changed(**values):
    return TRAIN.model_copy(update=values)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(MODEL, TRAIN, TRAINING, VALIDATION, tmp_path_factory.mktemp("state") / "checkpoint.npz")


@pytest.mark.slow
def test_killed_and_resumed_ends_with_the_same_bytes(tmp_path):
    told = {"model": MODEL.model_dump(), "train": TRAIN.model_dump()}
    (tmp_path / "told.json").write_text(json.dumps(told))
    sides = {"train": TRAINING, "validation": VALIDATION}
    arrays = {f"{side}_rows": each.rows for side, each in sides.items()}
    np.savez(tmp_path / "examples.npz", **arrays, **{f"{side}_labels": each.labels for side, each in sides.items()})
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    for where in ("after epoch 1", "within epoch 3"):
        assert subprocess.run([*command, where], check=False, capture_output=True).returncode == -9
    # A checkpoint that is all of the training would prove nothing.
    kept = [
        len(json.loads(np.load(tmp_path / f"killed {when}")["told"].tobytes())["history"]) for when in ("early", "late")
    ]
    assert kept == [1, 2]
    subprocess.run([*command, "never"], check=True, capture_output=True)
    for name in ("killed early", "killed late"):
        for kind in ("{}", "weights of {}.npz"):
            whole, resumed = (np.load(tmp_path / kind.format(each)) for each in ("whole", name))
            compared = set(whole.files) - {"told"}
            assert len(compared) > 10
            for array in compared:
                assert whole[array].tobytes() == resumed[array].tobytes(), f"{name}: {array}"
        histories = [(tmp_path / f"history of {each}.csv").read_text() for each in ("whole", name)]
        assert histories[0] == histories[1]


def test_training_learns(trained):
    history = trained.history
    assert list(history.epoch) == [1, 2, 3, 4]
    assert history.loss.iloc[-1] < history.loss.iloc[0]
    assert history.val_macro_f1[trained.kept_epoch] == history.val_macro_f1.max() > 0.3
    assert history.learning_rate.iloc[0] == pytest.approx(TRAIN.reference.learning_rate, rel=0.2)
    assert history.learning_rate.iloc[-1] < TRAIN.reference.learning_rate / 10
    assert trained.device == Device(gpus=0, precision="float32", backend="tensorflow")


@pytest.mark.parametrize("architecture", ["reference", "residual"])
def test_the_architecture_that_is_asked_for_learns(tmp_path, architecture):
    asked = MODEL.model_copy(update={"architecture": architecture})
    found = train(asked, TRAIN, TRAINING, VALIDATION, tmp_path / "checkpoint.npz")
    assert found.model.name == architecture
    assert found.history.loss.iloc[-1] < found.history.loss.iloc[0]


def test_early_stopping_keeps_the_best_weights(tmp_path, monkeypatch):
    scores = iter([0.2, 0.5, 0.4, 0.5, 0.9])
    monkeypatch.setattr(training, "macro_f1", lambda *_, **__: next(scores))
    told = []
    stopped = train(
        MODEL,
        changed(epochs=5, patience=2),
        TRAINING,
        VALIDATION,
        tmp_path / "checkpoint.npz",
        on_epoch=lambda epoch, row: told.append((epoch, row["val_macro_f1"])),
    )
    assert told == [(0, 0.2), (1, 0.5), (2, 0.4), (3, 0.5)]
    assert stopped.kept_epoch == 1
    losses = stopped.history.val_loss
    kept = log_loss(VALIDATION.labels, VALIDATION.predict(stopped.model).astype(np.float64), labels=range(5))
    assert kept == pytest.approx(losses[1], rel=1e-4)
    assert abs(kept - losses[3]) > 1e-3


def test_a_finished_training_is_not_repeated(trained, tmp_path, monkeypatch):
    checkpoint = tmp_path / "checkpoint.npz"
    first = train(MODEL, changed(epochs=1), TRAINING, VALIDATION, checkpoint)
    monkeypatch.setattr(training, "_fit", lambda *_: pytest.fail("trained again"))
    again = train(MODEL, changed(epochs=1), TRAINING, VALIDATION, checkpoint)
    for one, other in zip(first.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_last_epochs_weights_are_kept_where_params_say_so(tmp_path, monkeypatch):
    scores = iter([0.9, 0.2, 0.1])
    monkeypatch.setattr(training, "macro_f1", lambda *_, **__: next(scores))
    keep_last = TRAIN.reference.model_copy(update={"keep": "last"})
    config = changed(epochs=3, patience=1, reference=keep_last)
    trained = train(MODEL, config, TRAINING, VALIDATION, tmp_path / "checkpoint.npz")
    assert (trained.kept_epoch, len(trained.history)) == (2, 3)
    kept = log_loss(VALIDATION.labels, VALIDATION.predict(trained.model).astype(np.float64), labels=range(5))
    assert kept == pytest.approx(trained.history.val_loss[2], rel=1e-4)


def recordings(seed):
    """Two recordings in which an early beat is of class S."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(2):
        labels = (rng.random(120) < 0.2).astype(np.int64)
        beats = rng.normal(0, 0.1, (120, 126, 4)).astype(np.float32)
        rhythm = rng.normal(0, 0.1, (120, 14)).astype(np.float32)
        rhythm[:, 0] -= 4 * labels
        made.append(Recording(ContextInputs(beats, rhythm), labels, np.ones(120, bool)))
    return RecordingExamples(made, stretch_beats=8)


def test_the_network_over_beats_learns_and_goes_on_as_if_it_had_not_been_stopped(tmp_path):
    context, sides = MODEL.model_copy(update={"architecture": "context"}), (recordings(1), recordings(2))
    settings = changed(epochs=8)
    whole = train(context, settings, *sides, tmp_path / "whole.npz")
    assert whole.history.val_accuracy.max() > 0.9

    def stop(epoch, row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(context, settings, *sides, tmp_path / "stopped.npz", on_epoch=stop)
    resumed = train(context, settings, *sides, tmp_path / "stopped.npz")
    for one, other in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_gpu_without_one_is_refused_before_any_work(tmp_path, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(UserError, match=r"params\.yaml: train\.device: gpu, but no GPU .*device: auto"):
        train(MODEL, changed(device="gpu"), TRAINING, VALIDATION, tmp_path / "checkpoint.npz")
    assert list(tmp_path.iterdir()) == []


def test_saved_model_is_built_in_layers_alone_and_predicts_the_same(trained, tmp_path):
    path = tmp_path / "model.keras"
    save_model(trained.model, path)
    with zipfile.ZipFile(path) as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    assert {layer["module"] for layer in layers} <= {"keras", "keras.layers"}
    assert not any(layer["registered_name"] for layer in layers)
    loaded = load_model(path)
    np.testing.assert_array_equal(VALIDATION.predict(loaded), VALIDATION.predict(trained.model))


def test_a_model_that_cannot_be_saved_leaves_nothing(trained, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    path.write_bytes(b"earlier")

    def half(_, target):
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(trained.model), "save", half)
    with pytest.raises(UserError, match=r"model\.keras: cannot be written"):
        save_model(trained.model, path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"earlier"


def test_probabilities_of_each_class(trained):
    found = VALIDATION.predict(trained.model)
    assert found.shape == (100, 5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("content", [None, b"not a model"])
def test_a_model_that_cannot_be_loaded_names_the_remedy(tmp_path, content):
    path = tmp_path / "model.keras"
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.keras: not a Keras model .*dvc repro train"):
        load_model(path)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "no archive", "another network"])
def test_a_damaged_checkpoint_is_named(tmp_path, damage, monkeypatch):
    checkpoint = tmp_path / "checkpoint.npz"
    if damage == "no archive":
        checkpoint.write_bytes(b"no archive")
    else:
        monkeypatch.setattr(training, "_fit", lambda *_: {"val_macro_f1": 0.5, "loss": 1.0, "seconds": 1.0})
        train(MODEL, changed(epochs=1), TRAINING, VALIDATION, checkpoint)
        if damage == "truncated":
            content = checkpoint.read_bytes()
            checkpoint.write_bytes(content[: len(content) // 2])
    wider = MODEL.model_copy(update={"reference": MODEL.reference.model_copy(update={"dense_units": 9})})
    model = wider if damage == "another network" else MODEL
    monkeypatch.setattr(training, "_fit", lambda *_: pytest.fail("trained on"))
    with pytest.raises(UserError, match=r"checkpoint\.npz: not a checkpoint of this training .*delete it"):
        train(model, changed(epochs=2), TRAINING, VALIDATION, checkpoint)
