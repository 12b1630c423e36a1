"""The vector-quantised autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from isthmus.estimators import streaming
from isthmus.estimators.docs import document
from isthmus.estimators.generative import Generative
from isthmus.estimators.registry import register
from isthmus.parts.posteriors import FiniteScalar, Posterior, VectorQuantized
from isthmus.parts.priors import Autoregressive, Prior
from isthmus.parts.registry import Part, parse_as

__all__ = ["VectorQuantizedAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class VectorQuantizedAutoencoder(Generative):
    """An autoencoder whose codes are made of tokens, each one of finitely many (van den Oord et al. 2017).

    `transform` gives quantised vectors, `encode_indices` the tokens as integers. A prior over tokens is
    learned beside the networks, so that the model generates, and log p(x, z) bounds the density of a row.

    Parameters
    ----------
    {parameters}
    posterior : Posterior, str or dict, default="vector_quantized"
        "vector_quantized" (a learned codebook) or "finite_scalar" (rounding). A token has 4 components by
        default, or as many fewer as divide `n_components`; "auto" is rounded up to whole tokens.
    prior : Prior, str or dict, default="autoregressive"
        Tokens one after the other.

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = VectorQuantizedAutoencoder(16, max_epochs=3, random_state=0).fit(digits)
    >>> model.encode_indices(digits).shape
    (1797, 4)
    """

    posterior: Posterior | str | dict[str, Any] = "vector_quantized"
    prior: Prior | str | dict[str, Any] = "autoregressive"

    paper: ClassVar[str] = 'van den Oord et al., "Neural discrete representation learning", NeurIPS 2017'
    part_families: ClassVar[dict[str, str]] = Generative.part_families | {
        "posterior": "posterior",
        "prior": "prior",
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = Generative._parameter_constraints | {
        "posterior": [str, dict, Part],
        "prior": [str, dict, Part],
    }

    def encode_indices(self, X: Any) -> NDArray[np.int64]:
        """Return the tokens of rows.

        Returns
        -------
        ndarray of int64 of shape (n, n_tokens)
        """
        check_is_fitted(self)
        return np.concatenate(list(streaming.tokens(self, X)))

    def _posterior(self) -> Posterior:
        return parse_as(self.posterior, "posterior", (VectorQuantized, FiniteScalar), "posterior")

    def _prior(self) -> Prior | None:
        return parse_as(self.prior, "prior", (Autoregressive,), "prior")
