"""Classify heartbeats with a CNN-BiLSTM in PyTorch.

    python torch_script.py beats.npz --epochs 5

`beats.npz` holds x_train, x_validation: (n, 187) float32, and y_train, y_validation: (n,) integers 0..4
(`python -m benchmarks.data beats.npz` writes one).
"""

import argparse
import time

import numpy as np
import torch
from torch import nn


class Network(nn.Module):
    """187 samples in, 5 class scores out. PyTorch's LSTM has two biases where Keras's has one."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv1d(1, 64, 3),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Dropout(0.1),
            nn.Conv1d(64, 32, 3),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Dropout(0.1),
        )
        self.lstm = nn.LSTM(32, 64, num_layers=2, dropout=0.1, bidirectional=True, batch_first=True)
        self.classifier = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(128, 100), nn.ReLU(), nn.Dropout(0.1), nn.Linear(100, 5)
        )

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        features = self.convolutions(rows[:, None, :])
        _, (last, _) = self.lstm(features.transpose(1, 2))
        return self.classifier(torch.cat([last[-2], last[-1]], dim=1))


def train_epoch(model, optimizer, x, y, batch_size=128) -> float:
    """One pass in random order; the mean loss."""
    model.train()
    total = 0.0
    for batch in torch.randperm(len(x), device=x.device).split(batch_size):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(x)


@torch.no_grad()
def predict(model, x, batch_size=512) -> torch.Tensor:
    """The class of each row."""
    model.eval()
    return torch.cat([model(batch).argmax(dim=1) for batch in x.split(batch_size)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="the .npz file of beats")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", help="write epoch_seconds and the predicted classes to this .npz file")
    args = parser.parse_args()

    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = np.load(args.data)
    x_train, y_train, x_validation, y_validation = (
        torch.from_numpy(data[name]).to(device) for name in ("x_train", "y_train", "x_validation", "y_validation")
    )

    torch.manual_seed(args.seed)
    model = Network().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    epoch_seconds = []
    for epoch in range(args.epochs):
        started = time.monotonic()
        loss = train_epoch(model, optimizer, x_train, y_train)
        epoch_seconds.append(time.monotonic() - started)
        predicted = predict(model, x_validation)
        accuracy = (predicted == y_validation).float().mean().item()
        print(
            f"epoch {epoch + 1}/{args.epochs}: loss {loss:.4f}, validation accuracy {accuracy:.4f}, "
            f"{epoch_seconds[-1]:.1f} s",
            flush=True,
        )
    if args.save:
        np.savez(args.save, epoch_seconds=epoch_seconds, predicted=predicted.cpu().numpy())


if __name__ == "__main__":
    main()
