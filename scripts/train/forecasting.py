"""What the forecasters share: errors over rolling origins, the ridge autoregression that they are
held against, and their fixtures."""

from collections.abc import Callable

import numpy as np
import torch

import model_folder

Forecast = Callable[[np.ndarray], np.ndarray]


def errors(series: np.ndarray, first: int, ahead: int, predict: Forecast) -> np.ndarray:
    """The mean absolute error of each step ahead, over every origin from `first` - 1 on.

    `predict` sees all the history up to its origin; all its targets lie at or after `first`.
    """
    origins = range(first, len(series) - ahead + 1)
    return np.mean([np.abs(predict(series[:t]) - series[t:t + ahead]) for t in origins], axis=0)


def ridge(series: np.ndarray, ahead: int, lags: int, penalty: float) -> Forecast:
    """A direct linear forecast of the changes from the newest value, fitted to all of `series`.

    One regression a step ahead, on the last `lags` values less the newest and a constant, which
    alone is not penalised.
    """
    def row(history: np.ndarray) -> np.ndarray:
        return np.append(history[-lags:-1] - history[-1], 1.0)

    ends = range(lags, len(series) - ahead + 1)
    a = np.array([row(series[:t]) for t in ends])
    y = np.array([series[t:t + ahead] - series[t - 1] for t in ends])
    shrink = penalty * np.eye(lags)
    shrink[-1, -1] = 0
    coefficients = np.linalg.solve(a.T @ a + shrink, a.T @ y)
    return lambda history: history[-1] + row(history) @ coefficients


def write_fixtures(name: str, output: str, known: np.ndarray,
                   cases: tuple[tuple[int, int | None], ...]) -> None:
    """Writes the stored model's outputs for the last months of `known`.

    A case is a number of months, and a horizon or None for what the model answers by itself.
    """
    folder = model_folder.Folder(model_folder.MODELS / name)
    written = []
    for months, horizon in cases:
        x = torch.tensor(known[-months:], dtype=torch.float32).unsqueeze(1)
        if horizon is None:
            written.append(model_folder.case({"x": x}, folder.run({"x": x})))
        else:
            y = folder.forecast(x, horizon)
            written.append(model_folder.case({"x": x}, {output: y}, horizon=horizon))
    model_folder.write_cases(model_folder.MODEL_FIXTURES / f"{name}.json", written)
