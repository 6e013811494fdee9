"""Training shown on one line of a terminal, or as one line an epoch in a log."""

import time
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class TrainingProgress(keras.callbacks.Callback):
    """Counts trained beats over all epochs and estimates the time left."""

    def __init__(self, title: str, epochs: int, done: int, beats: int) -> None:
        super().__init__()
        self._console = Console(stderr=True)
        self._title, self._epochs, self._beats = title, epochs, beats
        self._epoch = done
        self._started = time.monotonic()
        self._done_before = done
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[news]}"),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task(title, total=epochs * beats, completed=done * beats, news="starting")
        self._bar.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar on."""
        reached = (self._epoch + (batch + 1) / self.params["steps"]) * self._beats
        self._bar.update(
            self._task, completed=reached, description=f"{self._title} epoch {self._epoch + 1}/{self._epochs}"
        )

    def epoch_done(self, row: dict[str, float], best: float) -> None:
        """Tell an epoch's scores."""
        self._epoch += 1
        scores = f"validation macro-F1 {row['val_macro_f1']:.4f} (best {best:.4f})"
        self._bar.update(self._task, news=scores)
        if not self._console.is_terminal:
            spent = time.monotonic() - self._started
            left = spent / (self._epoch - self._done_before) * (self._epochs - self._epoch)
            print(
                f"{self._title} epoch {self._epoch}/{self._epochs}: loss {row['loss']:.4f}, {scores}, "
                f"{self._beats / row['seconds']:.0f} beats/s, at most {left:.0f} s left",
                flush=True,
            )

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()
