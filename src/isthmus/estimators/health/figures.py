"""The figures of a diagnosis, each from the arrays it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import InputError
from isthmus.manifold.two_sample import LEAST_ROWS, classifier_two_sample

__all__ = ["against_prior", "divergence", "gain", "least_variance", "matrix", "usage"]

Array = NDArray[np.float64]

# A latent is active if its posterior mean varies over rows by more than this, where the prior's variance is 1
# (Burda et al. 2016, who found that the variances part clearly on either side). Where the prior is narrower,
# as a component of a point on the unit sphere, the share of the prior's variance.
ACTIVE_VARIANCE = 0.01
# Without a prior a code has no scale but its own. A latent with a hundredth of the widest one's standard
# deviation is as good as constant; so are codes that vary by a thousandth of their own size.
WITHOUT_PRIOR_OF_WIDEST, WITHOUT_PRIOR_OF_SIZE = 1e-2**2, 1e-3**2


def matrix(values: ArrayLike, name: str, width: int | None = None) -> Array:
    """Return finite numbers of shape (n, width) in float64, or say what is wrong with them."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or not array.shape[1] or (width is not None and array.shape[1] != width):
        raise InputError(f"{name} have shape {array.shape}; give (n, {width or 'D'})")
    if not np.isfinite(array).all():
        raise InputError(f"{name} hold NaN or infinity; leave those rows out")
    return array


def divergence(kl: ArrayLike | None, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return mean divergences from the prior, of each latent where they are known."""
    if kl is None:
        return {}
    array = matrix(kl, "values of kl")
    if array.shape not in (shape, (shape[0], 1)):
        raise InputError(f"kl has shape {array.shape}; give {shape} or ({shape[0]}, 1)")
    per_latent = array.mean(axis=0) if array.shape == shape else None
    return {"kl_per_latent": per_latent, "total_kl": float(array.sum(axis=1).mean())}


def least_variance(means: Array, prior_draws: Array | None, *, divergence_known: bool) -> Array | float:
    """Return what the posterior mean of an active latent must exceed in variance over rows."""
    if prior_draws is not None:
        return ACTIVE_VARIANCE * np.minimum(prior_draws.var(axis=0), 1.0)
    if divergence_known:
        return ACTIVE_VARIANCE
    widest, size = means.var(axis=0).max(), (means**2).mean()
    return max(WITHOUT_PRIOR_OF_WIDEST * widest, WITHOUT_PRIOR_OF_SIZE * size)


def against_prior(draws: Array, prior_draws: Array | None, random_state: Any) -> dict[str, Any]:
    """Return how well a classifier tells codes from draws of the prior, if there are enough of both."""
    if prior_draws is None or min(len(draws), len(prior_draws)) < LEAST_ROWS:
        return {}
    accuracy, error = classifier_two_sample(draws, prior_draws, random_state)
    return {"prior_accuracy": accuracy, "prior_accuracy_error": error}


def usage(indices: ArrayLike | None, vocabulary: int | Sequence[int] | None, n: int) -> dict[str, Any]:
    """Return how many codes there are, how many are unused, and how evenly the others are used."""
    if indices is None:
        return {}
    tokens = np.asarray(indices)
    if tokens.ndim != 2 or len(tokens) != n or not tokens.size:
        raise InputError(f"indices have shape {tokens.shape}; give ({n}, T)")
    size = _one_size(vocabulary)
    if tokens.dtype.kind not in "iu" or tokens.min() < 0 or tokens.max() >= size:
        raise InputError(f"indices must be integers from 0 to {size - 1}, as the vocabulary is {size}")
    counts = np.unique(tokens, return_counts=True)[1]
    share = counts / tokens.size
    return {
        "n_tokens": tokens.shape[1],
        "n_codes": size,
        "dead_codes": size - len(counts),
        "perplexity": float(np.exp(-(share * np.log(share)).sum())),
    }


def _one_size(vocabulary: int | Sequence[int] | None) -> int:
    sizes = set() if vocabulary is None else {int(size) for size in np.ravel(vocabulary)}
    if len(sizes) != 1:
        raise InputError(f"vocabulary is {vocabulary}; give the one number of codes that all tokens share")
    return sizes.pop()


def gain(figures: Mapping[str, Any] | None) -> float | None:
    """Return the share of the training means' squared error that a reconstruction is spared."""
    figures = figures or {}
    error, mean = figures.get("squared_error"), figures.get("mean_squared_error")
    return None if error is None or not mean else 1 - float(error) / float(mean)
