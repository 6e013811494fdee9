"""Classify heartbeats with a CNN-BiLSTM in plain Keras.

    python keras_script.py beats.npz --epochs 5

`beats.npz` holds x_train, x_validation: (n, 187) float32, and y_train, y_validation: (n,) integers 0..4
(`python -m benchmarks.data beats.npz` writes one).
"""

import argparse
import time

import keras
import numpy as np
from keras import layers
from sklearn.metrics import f1_score

STARTED = time.monotonic()


def build_model() -> keras.Sequential:
    """The network: 187 samples in, 5 class probabilities out."""
    return keras.Sequential(
        [
            keras.Input((187, 1)),
            layers.Conv1D(64, 3, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Dropout(0.1),
            layers.Conv1D(32, 3, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Dropout(0.1),
            layers.Bidirectional(layers.LSTM(64, return_sequences=True)),
            layers.Dropout(0.1),
            layers.Bidirectional(layers.LSTM(64)),
            layers.Dropout(0.1),
            layers.Dense(100, activation="relu"),
            layers.Dropout(0.1),
            layers.Dense(5, activation="softmax"),
        ]
    )


class TrainingClock(keras.callbacks.Callback):
    """Seconds of each epoch's training, without its validation."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.last_batch = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(self.last_batch - self.started)


class Quality(keras.callbacks.Callback):
    """Validation accuracy and macro-F1 after each epoch, and when; stops once both reach `wanted`."""

    def __init__(self, x, y, wanted: tuple[float, float]) -> None:
        super().__init__()
        self.x, self.y, self.wanted = x, y, wanted
        self.rows: list[tuple[float, float, float]] = []
        self.own_s = 0.0

    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        predicted = self.model.predict(self.x, verbose=0).argmax(axis=1)
        scores = (float((predicted == self.y).mean()), float(f1_score(self.y, predicted, average="macro")))
        self.rows.append((now - STARTED - self.own_s, *scores))
        self.own_s += time.monotonic() - now
        self.model.stop_training = all(score >= least for score, least in zip(scores, self.wanted, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="the .npz file of beats")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reach", type=float, nargs=2, metavar=("ACCURACY", "MACRO_F1"), help="stop there")
    parser.add_argument("--save", help="write epoch_seconds and the predicted classes to this .npz file")
    args = parser.parse_args()

    data = np.load(args.data)
    x_train, y_train = data["x_train"][..., None], data["y_train"]
    x_validation, y_validation = data["x_validation"][..., None], data["y_validation"]

    keras.utils.set_random_seed(args.seed)
    model = build_model()
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    clock = TrainingClock()
    quality = [Quality(x_validation, y_validation, tuple(args.reach))] if args.reach else []
    model.fit(
        x_train,
        y_train,
        batch_size=128,
        epochs=args.epochs,
        validation_data=(x_validation, y_validation),
        callbacks=[clock, *quality],
        verbose=2,
    )
    predicted = model.predict(x_validation, verbose=0).argmax(axis=1)
    print(f"validation accuracy {(predicted == y_validation).mean():.4f}")
    if args.save:
        rows = [row for each in quality for row in each.rows]
        np.savez(args.save, epoch_seconds=clock.seconds, predicted=predicted, quality=np.array(rows).reshape(-1, 3))


if __name__ == "__main__":
    main()
