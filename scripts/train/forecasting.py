"""Errors over rolling origins, and the ridge autoregression that forecasters are held against."""

from collections.abc import Callable

import numpy as np

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
