"""What there is to know of the codes of some rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import InputError
from isthmus.estimators.concern import Concern
from isthmus.estimators.health.concerns import concerns_of
from isthmus.estimators.health.figures import against_prior, divergence, gain, least_variance, matrix, usage
from isthmus.estimators.health.table import table

__all__ = ["Diagnosis", "diagnose"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Figures of the codes of some rows; printed, a table.

    Attributes
    ----------
    rows : str
        Which rows, for instance "held-out".
    n_rows, n_components : int
    active_units : ndarray of bool of shape (n_components,)
        Which latents tell rows apart.
    mean_variance : ndarray of shape (n_components,)
        Variance over rows of the posterior mean.
    latent_mean, latent_sd : ndarray of shape (n_components,)
        Of the aggregated posterior: the codes of all rows together.
    kl_per_latent : ndarray of shape (n_components,) or None
        Mean over rows, in nats; None where the divergence has no such parts.
    total_kl : float or None
        Mean over rows of the divergence from the prior, in nats per row.
    prior_accuracy, prior_accuracy_error : float or None
        How often a classifier tells a code from a draw of the prior (0.5: it can only guess), and the
        standard error of that.
    n_tokens : int or None
        Of each row's discrete code.
    n_codes, dead_codes : int or None
        Size of the tokens' vocabulary, and how many of it no row uses.
    perplexity : float or None
        How many codes in equally frequent use would be as varied as the codes used.
    reconstruction_gain : float or None
        Share of the training means' squared error that the reconstruction is spared.
    concerns : tuple of Concern
        The gravest first.
    """

    rows: str
    n_rows: int
    n_components: int
    active_units: NDArray[np.bool_]
    mean_variance: Array
    latent_mean: Array
    latent_sd: Array
    kl_per_latent: Array | None = None
    total_kl: float | None = None
    prior_accuracy: float | None = None
    prior_accuracy_error: float | None = None
    n_tokens: int | None = None
    n_codes: int | None = None
    dead_codes: int | None = None
    perplexity: float | None = None
    reconstruction_gain: float | None = None
    concerns: tuple[Concern, ...] = ()

    def __str__(self) -> str:
        return table(self)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as what JSON has: arrays as lists, concerns as objects."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        lists = {name: value.tolist() for name, value in values.items() if isinstance(value, np.ndarray)}
        return values | lists | {"concerns": [asdict(concern) for concern in self.concerns]}


def diagnose(
    means: ArrayLike,
    draws: ArrayLike | None = None,
    prior_draws: ArrayLike | None = None,
    kl: ArrayLike | None = None,
    indices: ArrayLike | None = None,
    vocabulary: int | Sequence[int] | None = None,
    random_state: int | np.random.RandomState | None = 0,
    *,
    figures: Mapping[str, Any] | None = None,
    rows: str = "given",
) -> Diagnosis:
    """Judge the codes of some rows, 2 or more.

    Parameters
    ----------
    means : array-like of shape (n, D)
        Mean of each row's posterior; of a code without noise, the code.
    draws : array-like of shape (n, D), optional
        One draw of each row's posterior, by default `means`.
    prior_draws : array-like of shape (m, D), optional
        Draws of the prior, best as many as rows. With fewer than 20 of either they are not compared.
    kl : array-like of shape (n, D) or (n, 1), optional
        Divergence of each row's posterior from the prior, in nats: of each latent, or of all together.
    indices : array-like of int of shape (n, T), optional
        The tokens of discrete codes.
    vocabulary : int or sequence of int, optional
        How many codes there are, the same for all tokens; needed with `indices`.
    random_state : int, RandomState or None, default=0
        Of the comparison with the prior.
    figures : mapping, optional
        A model's ``metrics_``: its "squared_error" and "mean_squared_error" are read.
    rows : str, default="given"
        Which rows they are, for instance "held-out"; only printed.
    """
    means = matrix(means, "means")
    n, width = means.shape
    if n < 2:
        raise InputError(f"a diagnosis of {n} rows was asked for; give 2 or more, so that they can differ")
    draws = means if draws is None else matrix(draws, "draws", width)
    prior_draws = None if prior_draws is None else matrix(prior_draws, "prior_draws", width)
    least = least_variance(means, prior_draws, divergence_known=kl is not None)
    found = Diagnosis(
        rows=rows,
        n_rows=n,
        n_components=width,
        active_units=means.var(axis=0) > least,
        mean_variance=means.var(axis=0),
        latent_mean=draws.mean(axis=0),
        latent_sd=draws.std(axis=0),
        reconstruction_gain=gain(figures),
        **divergence(kl, means.shape),
        **against_prior(draws, prior_draws, random_state),
        **usage(indices, vocabulary, n),
    )
    return replace(found, concerns=concerns_of(found))
