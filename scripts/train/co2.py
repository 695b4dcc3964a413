"""Trains `co2`: monthly means of CO2 at Mauna Loa in ppm; the next 12 months from any history.

Data: statsmodels.datasets.co2 (weekly flask samples, March 1958 to December 2001, public domain),
as monthly means with the five empty months interpolated.

Network: the change from the last month is foretold by a two-layer LSTM, and added to the last
month itself, which a linear layer with fixed weights hands on. So the answer moves with the level
of the input. The LSTM learns to do without the level, which rises beyond anything it was trained
on, because each training window is moved up or down by as much as 20 ppm and tilted by as much as
0.6 ppm a year. Beyond those levels its errors grow; a wider range made them larger within.

Held out: the last five years. Settings were chosen on the five years before those.

Use: python co2.py [--fixtures-only]
"""

import numpy as np
import statsmodels.api as sm
import torch
from torch import Tensor, nn

import forecasting
import model_folder

NAME = "co2"
AHEAD = 12
HELD_OUT = 60
HIDDEN, LAYERS = 32, 2
WINDOW, SHORTEST, BATCH, ITERATIONS, LEARNING_RATE = 180, 12, 16, 2000, 4e-3
SHIFT, TILT = (-20.0, 20.0), (-0.6 / 12, 0.6 / 12)  # ppm; ppm a month
SEED = 2


def monthly() -> np.ndarray:
    """The monthly means from March 1958 to December 2001, in ppm, as float64."""
    weekly = sm.datasets.co2.load_pandas().data["co2"]
    return weekly.resample("MS").mean().interpolate().to_numpy(np.float64)


class Network(nn.Module):
    """Foretells the change from the last month, in ppm, at each step."""

    def __init__(self, mean: float, scale: float) -> None:
        super().__init__()
        self.mean, self.scale = mean, scale
        self.lstm = nn.LSTM(1, HIDDEN, LAYERS, batch_first=True)
        self.change = nn.Linear(HIDDEN, AHEAD)

    def forward(self, ppm: Tensor) -> Tensor:
        h, _ = self.lstm(((ppm - self.mean) / self.scale).unsqueeze(-1))
        return self.change(h)


def windows(series: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A batch of shifted and tilted windows, and the changes that follow each of their months."""
    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(BATCH, 1, generator=generator, dtype=torch.float64)

    start = torch.randint(0, len(series) - WINDOW - AHEAD + 1, (BATCH, 1), generator=generator)
    month = torch.arange(WINDOW + AHEAD)
    ppm = series[start + month] + uniform(*SHIFT)
    ppm = ppm + uniform(*TILT) * (month - WINDOW / 2)
    following = torch.arange(WINDOW).unsqueeze(1) + torch.arange(1, AHEAD + 1)
    changes = ppm[:, following] - ppm[:, :WINDOW].unsqueeze(-1)
    return ppm[:, :WINDOW].float(), changes.float()


def train(series: np.ndarray, seed: int) -> Network:
    """A network fitted to all of `series`."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = Network(round(float(series.mean()), 1), round(float(series.std()), 1))
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=ITERATIONS, pct_start=0.1)
    months = torch.tensor(series)
    for _ in range(ITERATIONS):
        ppm, changes = windows(months, generator)
        loss = (network(ppm) - changes)[:, SHORTEST - 1:].abs().mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return network


def save(network: Network, series: np.ndarray) -> None:
    """Writes the model folder; its example is the end of `series`."""
    labels = [f"+{k}" for k in range(1, AHEAD + 1)]
    tensors = network.state_dict() | {
        "level.weight": torch.full((AHEAD, 1), network.scale),
        "level.bias": torch.full((AHEAD,), network.mean),
    }
    model_folder.save(model_folder.MODELS / NAME, {
        "format": "carousel/1",
        "name": NAME,
        "version": "1",
        "summary": "Monthly mean CO2 at Mauna Loa in ppm: the next 12 months from two years or "
                   "more of history.",
        "source": "Keeling and Whorf (2004), flask samples of the Scripps Institution of "
                  "Oceanography, CDIAC; as packaged in statsmodels.datasets.co2",
        "licence": "public domain",
        "example": [float(str(np.float32(ppm))) for ppm in series[-24:]],
        "inputs": [{"name": "x", "kind": "features", "size": 1,
                    "mean": [network.mean], "scale": [network.scale]}],
        "nodes": [
            {"name": "h", "op": "lstm", "inputs": ["x"], "weights": "lstm"},
            {"name": "now", "op": "last", "inputs": ["h"]},
            {"name": "change", "op": "linear", "inputs": ["now"], "weights": "change"},
            {"name": "newest", "op": "last", "inputs": ["x"]},
            {"name": "level", "op": "linear", "inputs": ["newest"], "weights": "level"},
            {"name": "ppm", "op": "add", "inputs": ["level", "change"]},
        ],
        "outputs": [{"name": "ppm", "labels": labels, "forecasts": "x"}],
    }, tensors)


def report(series: np.ndarray) -> None:
    """Prints the errors of the stored model and of its rivals on the held-out months."""
    folder = model_folder.Folder(model_folder.MODELS / NAME)

    def stored(history: np.ndarray) -> np.ndarray:
        ppm = torch.tensor(history, dtype=torch.float32).unsqueeze(1)
        return folder.run({"x": ppm})["ppm"].double().numpy()

    first = len(series) - HELD_OUT
    known = series[:first]
    print("mean absolute error in ppm, all 12 months; months ahead 1, 6, 12:")
    for name, predict in (
        [(f"carousel, {n} months", lambda h, n=n: stored(h[-n:])) for n in (24, 60, 120, 240)]
        + [("seasonal naive with drift", lambda h: h[-12:] + h[-1] - h[-13]),
           ("ridge autoregression", forecasting.ridge(known, AHEAD, lags=36, penalty=1.0))]):
        error = forecasting.errors(series, first, AHEAD, predict)
        print(f"  {name:28}{error.mean():.3f}   "
              + " ".join(f"{error[k - 1]:.3f}" for k in (1, 6, 12)))


def main() -> None:
    """Trains, reports and writes fixtures; with --fixtures-only, all but the training."""
    only_fixtures = model_folder.fixtures_only(NAME)
    torch.set_num_threads(1)
    series = monthly()
    if not only_fixtures:
        known = series[:-HELD_OUT]
        save(train(known, SEED), known)
    report(series)
    forecasting.write_fixtures(
        NAME, "ppm", series[:-HELD_OUT],
        ((1, None), (24, None), (60, None), (240, None), (60, 5), (36, 30)))


if __name__ == "__main__":
    main()
