"""Means, percentiles and bootstrap intervals. An undefined value (nothing to count) is ``nan``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Statistic: TypeAlias = Callable[[NDArray[np.float64]], float]


def mean(values: ArrayLike) -> float:
    """The arithmetic mean."""
    array = np.asarray(values, float)
    return float(array.mean()) if array.size else math.nan


def ratio(rows: ArrayLike) -> float:
    """The first column's sum over the second's: a share that is pooled over the questions."""
    first, second = np.asarray(rows, float).reshape(-1, 2).sum(axis=0)
    return float(first / second) if second else math.nan


def percentile(values: ArrayLike, q: float) -> float:
    """The ``q``-th percentile, 0..100, with linear interpolation."""
    array = np.asarray(values, float)
    return float(np.percentile(array, q)) if array.size else math.nan


def bootstrap_interval(
    values: ArrayLike, statistic: Statistic = mean, n: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % percentile interval over ``n`` resamples of the rows (Efron and Tibshirani 1993,
    section 13.3). Resamples for which the statistic is undefined are left out.
    """
    array = np.asarray(values, float)
    if not len(array):
        return math.nan, math.nan
    if (array == array[0]).all():  # so is every resample
        value = float(statistic(array))
        return value, value
    random = np.random.default_rng(seed)
    picks = random.integers(len(array), size=(n, len(array)), dtype=np.int32)
    if statistic is mean:  # by far the most common, and much faster so
        drawn = array.reshape(len(array), -1).mean(axis=1)[picks].mean(axis=1)  # (n,)
    else:
        drawn = np.array([statistic(array[pick]) for pick in picks])  # (n,)
    known = drawn[~np.isnan(drawn)]
    return percentile(known, 2.5), percentile(known, 97.5)


def share_interval(values: ArrayLike, statistic: Statistic = mean) -> tuple[float, float]:
    """The 95 % interval of a share, ``mean`` or ``ratio``: the bootstrap's, but where every
    resample would be 0 or 1, Wilson's (1927) for the number of rows. None of five is no proof.
    """
    low, high = bootstrap_interval(values, statistic)
    if low != high or low not in {0.0, 1.0}:
        return low, high
    n = len(np.asarray(values, float))
    width = 1.96**2 / (n + 1.96**2)
    return (0.0, width) if high == 0 else (1 - width, 1.0)
