"""Draws the forecasts that a running server makes of the held-out years of co2.

Asks the server at --url once a held-out year, with the months before it, and draws its answers over
what was measured. With --offline the answers are PyTorch's, from the same weights.

Use: python plot.py [--url http://localhost:8080] [--output co2.svg]
"""

import argparse
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

import co2  # noqa: E402
import model_folder  # noqa: E402

HISTORY = 120
FIRST = 1958 + 2 / 12  # the series begins in March
INK, GREY, ORANGE = "#24292f", "#9aa4af", "#d9480f"


def ask(url: str, history: np.ndarray) -> np.ndarray:
    """The server's forecast for the months after `history`."""
    body = json.dumps({"model": co2.NAME, "inputs": [round(float(v), 3) for v in history]})
    request = urllib.request.Request(
        url.rstrip("/") + "/predict", body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
    return np.array(answer["outputs"], dtype=np.float64).reshape(-1)


def offline(history: np.ndarray) -> np.ndarray:
    """PyTorch's forecast for the months after `history`."""
    x = torch.tensor(history, dtype=torch.float32).unsqueeze(1)
    return model_folder.Folder(model_folder.MODELS / co2.NAME).run({"x": x})["ppm"].numpy()


def draw(series: np.ndarray, forecast: Callable[[np.ndarray], np.ndarray], output: Path) -> None:
    """Writes the picture, and prints its mean absolute error."""
    plt.rcParams |= {"font.family": "sans-serif", "font.size": 11, "svg.hashsalt": "co2",
                     "text.color": INK, "axes.labelcolor": INK,
                     "xtick.color": INK, "ytick.color": INK}
    times = FIRST + np.arange(len(series)) / 12
    cut = len(series) - co2.HELD_OUT
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    axes.axvspan(times[cut], times[-1] + 0.1, color="#f6f1ea", linewidth=0)
    axes.plot(times[cut - 36:], series[cut - 36:], color=GREY, linewidth=1.2, marker="o",
              markersize=3, label="measured")
    errors = []
    for start in range(cut, len(series), co2.AHEAD):
        y = forecast(series[start - HISTORY:start])
        errors.append(np.abs(y - series[start:start + co2.AHEAD]))
        axes.plot(times[start:start + co2.AHEAD], y, color=ORANGE, linewidth=2,
                  label="forecast, 12 months at a time" if start == cut else None)
    axes.set_ylabel("CO$_2$ at Mauna Loa, ppm")
    axes.text(times[cut] + 0.05, axes.get_ylim()[1], "never seen in training", va="bottom",
              fontsize=10)
    axes.set_xlim(times[cut - 36], times[-1] + 0.1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(output, metadata={"Date": None})
    print(f"{output.name}: mean absolute error {np.mean(errors):.2f} ppm over {len(errors)} years")


def main() -> None:
    """Reads the arguments and draws."""
    parser = argparse.ArgumentParser(description="Draws the server's forecasts of co2.")
    parser.add_argument("--url", default="http://localhost:8080", help="where the server listens")
    parser.add_argument("--offline", action="store_true", help="ask PyTorch instead")
    parser.add_argument("--output", type=Path,
                        default=model_folder.MODELS / co2.NAME / "forecast.svg")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    draw(co2.monthly(),
         offline if arguments.offline else lambda history: ask(arguments.url, history),
         arguments.output)


if __name__ == "__main__":
    main()
