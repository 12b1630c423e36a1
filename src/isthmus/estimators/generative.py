"""What generative autoencoders add: densities and samples, beside walks through the space of codes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from isthmus.errors import InputError
from isthmus.estimators import streaming
from isthmus.estimators.choices import draw_seed
from isthmus.estimators.density import MeanDensity, Scorer, bits_per_dim
from isthmus.estimators.diagnosing import diagnose
from isthmus.estimators.health import Diagnosis
from isthmus.estimators.importance import DEFAULT_SAMPLES
from isthmus.estimators.latents import prior_draws
from isthmus.estimators.walking import Walking, whole

__all__ = ["Generative"]


@dataclass(eq=False, repr=False, kw_only=True)
class Generative(Walking):
    """Methods of autoencoders that have a prior; not to be used by itself."""

    # Densities ----------------------------------------------------------------------------------------------

    def score_samples(
        self,
        X: Any,
        *,
        n_samples: int = DEFAULT_SAMPLES,
        random_state: int | None = None,
        return_n_observed: bool = False,
        return_std_error: bool = False,
    ) -> Any:
        """Return log p(x) of each row, in nats of the data as given, over its observed entries.

        An importance-sampled estimate: the logarithm of the mean of p(x, z) / q(z given x) over draws of q,
        whose expectation is a lower bound on log p(x) that rises with `n_samples` (Burda et al. 2016). Of a
        discrete code it is log p(x, z), a lower bound too. Where codes have no density (deterministic codes,
        or a prior that can only be drawn from) it is log p(x given z(x)), which is none.

        Parameters
        ----------
        X : rows as in `fit`
        n_samples : int, default=128
            Draws per row; they are streamed, so thousands need no more memory.
        random_state : int, optional
            By default all rows see the same fixed noise: a row's score depends on nothing but the row. With
            an int each row has its own noise, a function of its position.
        return_n_observed, return_std_error : bool, default=False
            Whether to return the number of observed modelled entries, or the Monte Carlo standard error, too.

        Returns
        -------
        ndarray of float64 of shape (n,), or a tuple of them: scores[, n_observed][, std_error]
        """
        return self._score_samples(
            X,
            None,
            n_samples,
            random_state,
            return_n_observed=return_n_observed,
            return_std_error=return_std_error,
        )

    def _score_samples(
        self,
        X: Any,
        condition: Any,
        n_samples: int,
        random_state: int | None,
        *,
        return_n_observed: bool = False,
        return_std_error: bool = False,
    ) -> Any:
        result = np.concatenate(list(self._scores(X, condition, self._scorer(n_samples, random_state))))
        values, errors, n_observed = result.T
        chosen = [
            values,
            *([n_observed] if return_n_observed else []),
            *([errors] if return_std_error else []),
        ]
        return tuple(chosen) if len(chosen) > 1 else values

    def _scorer(self, n_samples: int, random_state: int | None) -> Scorer:
        check_is_fitted(self)
        if random_state is not None:
            random_state = whole("random_state", random_state, 0)
        return Scorer(self.model_, whole("n_samples", n_samples), random_state)

    def _scores(self, X: Any, condition: Any, score: Scorer) -> Any:
        return streaming.scores(self, X, condition, score)

    def mean_density(
        self, X: Any, *, n_samples: int = DEFAULT_SAMPLES, random_state: int | None = None
    ) -> MeanDensity:
        """Return the mean of `score_samples` with its Monte Carlo standard error.

        Rows that share noise err together; the error accounts for that.
        """
        return self._mean_density(X, None, n_samples, random_state)

    def _mean_density(self, X: Any, condition: Any, n_samples: int, random_state: int | None) -> MeanDensity:
        score = self._scorer(n_samples, random_state)
        for _ in self._scores(X, condition, score):
            pass
        return score.mean()

    def bits_per_dim(
        self, X: Any, *, n_samples: int = DEFAULT_SAMPLES, random_state: int | None = None
    ) -> float:
        """Return the bound on -log2 p(x) per observed modelled entry: bits per dimension, lower is better.

        It is NaN where no entry is observed.
        """
        return self._bits_per_dim(X, None, n_samples, random_state)

    def _bits_per_dim(self, X: Any, condition: Any, n_samples: int, random_state: int | None) -> float:
        values, n_observed = self._score_samples(
            X, condition, n_samples, random_state, return_n_observed=True
        )
        return bits_per_dim(float(values.sum()), float(n_observed.sum()))

    # Samples ------------------------------------------------------------------------------------------------

    def sample(
        self,
        n: int = 1,
        *,
        temperature: float = 1.0,
        expected: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> Any:
        """Draw new rows: a code from the prior, then a row from the likelihood.

        Parameters
        ----------
        n : int, default=1
        temperature : float, default=1.0
            Multiplies the standard deviation of the prior's noise; below 1 the samples are more typical and
            less diverse.
        expected : bool, default=False
            Return the row to be expected from the code instead of drawing it: images without pixel noise.
        random_state : int, RandomState or None, default=None
            None draws anew at every call.

        Returns
        -------
        ndarray or frame of n rows
            As the data of `fit`: its columns, types and library; images in their shape.
        """
        return self._sample(n, None, temperature, expected, random_state)

    def _sample(
        self,
        n: int,
        condition: Any,
        temperature: float,
        expected: bool,
        random_state: Any,
        kinds: NDArray[np.int64] | None = None,
    ) -> Any:
        seed = draw_seed(random_state)
        codes = self._sample_codes(n, temperature, seed, kinds)
        return self._decode(codes, condition, None if expected else seed)

    def sample_codes(
        self,
        n: int = 1,
        *,
        temperature: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
    ) -> NDArray[np.float32]:
        """Draw codes of shape (n, n_components) from the prior."""
        return self._sample_codes(n, temperature, draw_seed(random_state))

    def _sample_codes(
        self, n: int, temperature: float, seed: int, kinds: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        check_is_fitted(self)
        return prior_draws(self.model_, whole("n", n), seed, _temperature(temperature), kinds)

    # Health -------------------------------------------------------------------------------------------------

    def diagnose(self, X: Any) -> Diagnosis:
        """Look for what goes wrong in generative models: unused latents, a prior that codes do not follow.

        Parameters
        ----------
        X : rows as in `fit`
            Best held-out ones; at most 5,000 of them are looked at.

        Returns
        -------
        Diagnosis
            Active units, KL per latent, agreement of codes and prior, dead codes, and concerns with advice.
        """
        return diagnose(self, X, None)


def _temperature(value: float) -> float:
    if not isinstance(value, int | float | np.number) or not 0 <= value < math.inf:
        raise InputError(f"temperature={value!r}: give a number of at least 0")
    return float(value)
