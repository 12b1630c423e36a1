"""Does each known factor of the data have one latent of its own?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import InputError

__all__ = ["InformationGap", "mutual_information_gap"]

Array = NDArray[np.float64]
N_BINS = 20


@dataclass(frozen=True, eq=False)
class InformationGap:
    """What latents tell of factors.

    Attributes
    ----------
    value : float
        The mutual information gap, from 0 to 1: the mean of `by_factor`.
    by_factor : ndarray of shape (n_factors,)
        How much more of a factor its best latent tells than the second best, as a share of its entropy.
    information : ndarray of shape (n_components, n_factors)
        Mutual information of each latent with each factor, in nats.
    """

    value: float
    by_factor: Array
    information: Array


def mutual_information_gap(Z: ArrayLike, factors: ArrayLike, *, n_bins: int = N_BINS) -> InformationGap:
    """Measure how far each factor is told by one latent alone.

    Latents, and factors that take more than `n_bins` values, are cut into as many bins of equally many rows;
    monotone functions of either change nothing. Information counted in bins is too large, by about
    (bins - 1) (levels - 1) / 2 n nats where there is none: give thousands of rows.

    Parameters
    ----------
    Z : array-like of shape (n, n_components)
        Codes, of two components or more.
    factors : array-like of shape (n, n_factors)
        Known factors that the rows were made of; of each, two values or more.
    n_bins : int, default=20

    Returns
    -------
    InformationGap

    References
    ----------
    R. T. Q. Chen, X. Li, R. Grosse and D. Duvenaud, "Isolating sources of disentanglement in variational
    autoencoders", NeurIPS 2018.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> factors = rng.integers(0, 4, size=(5000, 2))
    >>> round(mutual_information_gap(factors, factors).value, 1)
    1.0
    >>> turned = factors @ [[1.0, 1.0], [-1.0, 1.0]]
    >>> round(mutual_information_gap(turned, factors).value, 1)
    0.0
    """
    codes, known = _checked(Z, factors, n_bins)
    latents = [_levels(column, n_bins) for column in codes.T]
    told = [_levels(column, n_bins) for column in known.T]
    entropies = np.array([_entropy(np.bincount(factor)) for factor in told])
    if not entropies.all():
        raise InputError("a factor has one value for all rows, of which nothing can be told; leave it out")
    information = np.array([[_information(latent, factor) for factor in told] for latent in latents])
    second, best = np.sort(information, axis=0)[-2:]
    gaps = (best - second) / entropies
    return InformationGap(float(gaps.mean()), gaps, information)


def _checked(Z: ArrayLike, factors: ArrayLike, n_bins: int) -> tuple[Array, Array]:
    if n_bins < 2:
        raise InputError(f"n_bins is {n_bins}; give 2 or more")
    codes, known = np.asarray(Z, dtype=np.float64), np.asarray(factors, dtype=np.float64)
    if codes.ndim != 2 or known.ndim != 2 or len(codes) != len(known) or codes.shape[1] < 2:
        raise InputError(
            f"codes have shape {codes.shape} and factors {known.shape}; give (n, >= 2) and (n, n_factors)"
        )
    if not len(codes) or not known.shape[1]:
        raise InputError("there are no rows or no factors; give at least one of each")
    if not np.isfinite(codes).all() or not np.isfinite(known).all():
        raise InputError("codes or factors hold NaN or infinity; leave those rows out")
    return codes, known


def _levels(column: Array, n_bins: int) -> NDArray[np.intp]:
    """Return which value, or bin of equally many rows, each entry is in, from 0; equal ones together."""
    values, place, counts = np.unique(column, return_inverse=True, return_counts=True)
    if len(values) <= n_bins:
        return place
    middle = np.cumsum(counts) - 0.5 * (counts + 1)
    return (middle * n_bins / len(column)).astype(np.intp)[place]


def _entropy(counts: NDArray[Any]) -> float:
    """Return the entropy of what was counted, in nats."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _information(a: NDArray[np.intp], b: NDArray[np.intp]) -> float:
    """Return the mutual information of two columns of levels: H(a) + H(b) - H(a, b)."""
    together = np.bincount(a * (b.max() + 1) + b)
    return max(_entropy(np.bincount(a)) + _entropy(np.bincount(b)) - _entropy(together), 0.0)
