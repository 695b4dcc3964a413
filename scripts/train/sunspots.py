"""Trains `sunspots`: monthly mean sunspot numbers; the next 24 months from any history.

Data: sunspots_monthly.dat, which statsmodels carries beside its yearly datasets.sunspots
(January 1749 to June 2009, the international sunspot number before its revision of 2015, NOAA's
National Geophysical Data Center, public domain).

Network: a two-layer LSTM foretells the 24 numbers themselves; a relu keeps them from going below
zero. Training windows are scaled by 0.7 to 1.4, since no two cycles are equally strong.

Held out: the last 20 years. Settings were chosen on the 20 years before those.

Use: python sunspots.py [--fixtures-only]
"""

import argparse
from pathlib import Path

import numpy as np
import statsmodels.datasets.sunspots
import torch
from torch import Tensor, nn

import forecasting
import model_folder

NAME = "sunspots"
AHEAD = 24
HELD_OUT = 240
HIDDEN, LAYERS = 32, 2
WINDOW, SHORTEST, BATCH, ITERATIONS, LEARNING_RATE = 480, 24, 16, 1200, 4e-3
STRENGTH = (0.7, 1.4)
RIDGE_LAGS, RIDGE_PENALTY = 264, 1e6
SEED = 1


def monthly() -> np.ndarray:
    """The monthly means from January 1749 to June 2009, as float64."""
    table = Path(statsmodels.datasets.sunspots.__file__).parent / "src" / "sunspots_monthly.dat"
    rows = [line.split() for line in table.read_text(encoding="latin-1").splitlines()]
    years = [row for row in rows if row and row[0].isdigit()]
    assert [int(row[0]) for row in years] == list(range(1749, 2010))
    return np.array([float(value) for row in years for value in row[1:]])


class Network(nn.Module):
    """Foretells the next numbers at each step."""

    def __init__(self, mean: float, scale: float) -> None:
        super().__init__()
        self.mean, self.scale = mean, scale
        self.lstm = nn.LSTM(1, HIDDEN, LAYERS, batch_first=True)
        self.head = nn.Linear(HIDDEN, AHEAD)
        nn.init.constant_(self.head.bias, mean)

    def forward(self, numbers: Tensor) -> Tensor:
        h, _ = self.lstm(((numbers - self.mean) / self.scale).unsqueeze(-1))
        return self.head(h)


def train(series: np.ndarray, seed: int) -> Network:
    """A network fitted to all of `series`."""
    torch.manual_seed(seed)
    network = Network(round(float(series.mean()), 1), round(float(series.std()), 1))
    optimiser = torch.optim.AdamW([
        {"params": network.lstm.parameters()},
        {"params": network.head.parameters(), "lr": 10 * LEARNING_RATE},
    ], LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [LEARNING_RATE, 10 * LEARNING_RATE], total_steps=ITERATIONS, pct_start=0.1)
    months = torch.tensor(series, dtype=torch.float32)
    window = torch.arange(WINDOW + AHEAD)
    following = torch.arange(WINDOW).unsqueeze(1) + torch.arange(1, AHEAD + 1)
    for _ in range(ITERATIONS):
        start = torch.randint(0, len(months) - len(window) + 1, (BATCH, 1))
        strength = STRENGTH[0] + (STRENGTH[1] - STRENGTH[0]) * torch.rand(BATCH, 1)
        numbers = months[start + window] * strength
        error = network(numbers[:, :WINDOW]) - numbers[:, following]
        loss = error[:, SHORTEST - 1:].abs().mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return network


def save(network: Network) -> None:
    """Writes the model folder."""
    model_folder.save(model_folder.MODELS / NAME, {
        "format": "carousel/1",
        "name": NAME,
        "version": "1",
        "summary": "Monthly mean sunspot numbers: the next 24 months from 11 years or more of "
                   "history.",
        "source": "international sunspot number (before its revision of 2015), NOAA National "
                  "Geophysical Data Center; as packaged in statsmodels.datasets.sunspots",
        "licence": "public domain",
        "inputs": [{"name": "x", "kind": "features", "size": 1,
                    "mean": [network.mean], "scale": [network.scale]}],
        "nodes": [
            {"name": "h", "op": "lstm", "inputs": ["x"], "weights": "lstm"},
            {"name": "now", "op": "last", "inputs": ["h"]},
            {"name": "unbounded", "op": "linear", "inputs": ["now"], "weights": "head"},
            {"name": "number", "op": "relu", "inputs": ["unbounded"]},
        ],
        "outputs": [{"name": "number", "labels": [f"+{k}" for k in range(1, AHEAD + 1)],
                     "forecasts": "x"}],
    }, network.state_dict())


def report(series: np.ndarray) -> None:
    """Prints the errors of the stored model and of its rivals on the held-out months."""
    folder = model_folder.Folder(model_folder.MODELS / NAME)

    def stored(history: np.ndarray) -> np.ndarray:
        numbers = torch.tensor(history, dtype=torch.float32).unsqueeze(1)
        return folder.run({"x": numbers})["number"].double().numpy()

    first = len(series) - HELD_OUT
    linear = forecasting.ridge(series[:first], AHEAD, RIDGE_LAGS, RIDGE_PENALTY)
    print("mean absolute error, all 24 months; months ahead 1, 6, 12, 24:")
    for name, predict in (
        [(f"carousel, {n} months", lambda h, n=n: stored(h[-n:])) for n in (60, 132, 264, 528)]
        + [("persistence", lambda h: np.repeat(h[-1], AHEAD)),
           ("mean of the last 12 months", lambda h: np.repeat(h[-12:].mean(), AHEAD)),
           ("ridge autoregression", lambda h: np.maximum(linear(h), 0))]):
        error = forecasting.errors(series, first, AHEAD, predict)
        print(f"  {name:28}{error.mean():.1f}   "
              + " ".join(f"{error[k - 1]:.1f}" for k in (1, 6, 12, 24)))


def main() -> None:
    """Trains, reports and writes fixtures; with --fixtures-only, all but the training."""
    only_fixtures = model_folder.fixtures_only(NAME)
    torch.set_num_threads(1)
    series = monthly()
    if not only_fixtures:
        save(train(series[:-HELD_OUT], SEED))
    report(series)
    forecasting.write_fixtures(
        NAME, "number", series[:-HELD_OUT],
        ((1, None), (132, None), (600, None), (132, 60)))


if __name__ == "__main__":
    main()
