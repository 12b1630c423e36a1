"""The adversarial autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from sklearn.utils.validation import check_is_fitted

from isthmus.estimators import chunks, fitting
from isthmus.estimators.choices import draw_seed
from isthmus.estimators.docs import document
from isthmus.estimators.labels import label_positions
from isthmus.estimators.matching import Matching
from isthmus.estimators.registry import register
from isthmus.estimators.walking import whole
from isthmus.parts.registry import Part, parse_as
from isthmus.parts.terms import Adversarial, Term

__all__ = ["AdversarialAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class AdversarialAutoencoder(Matching):
    """An autoencoder whose codes are made to look like draws of a prior, whatever its shape (Makhzani 2015).

    A discriminator learns to tell codes from draws, and the encoder to deceive it. Held-out rows are judged
    by the maximum mean discrepancy from the prior instead, as a discriminator's opinion changes as it learns.

    Parameters
    ----------
    {parameters}
    posterior : Posterior, str or dict, default="point"
        "point" or "diagonal_gaussian".
    prior : Prior, str or dict, default="standard_normal"
        Any that can be drawn from, such as "swiss_roll" or "gaussian_mixture:layout=ring".
    adversarial : Adversarial, str or dict, default="adversarial"
        The discriminator and its weight.
    labels : str, optional
        A column of the frame whose values the discriminator is told, so that each label gets its own part of
        the prior; the networks are not told. `fit` takes them as an array too (-1, None or NaN: unknown).

    Attributes
    ----------
    {attributes}
    labels_ : ndarray
        The labels, in the order of the prior's parts.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = AdversarialAutoencoder(2, prior="swiss_roll", max_epochs=3, random_state=0).fit(digits)
    >>> model.sample_codes(5, random_state=0).shape
    (5, 2)
    """

    adversarial: Part | str | dict[str, Any] = "adversarial"
    labels: str | None = None

    paper: ClassVar[str] = 'Makhzani et al., "Adversarial autoencoders", arXiv:1511.05644 (2015)'
    part_families: ClassVar[dict[str, str]] = Matching.part_families | {"adversarial": "term"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = Matching._parameter_constraints | {
        "adversarial": [str, dict, Part],
        "labels": [str, None],
    }

    def _terms(self) -> tuple[Term, ...]:
        return (parse_as(self.adversarial, "term", (Adversarial,), "adversarial"),)

    def _label_names(self) -> tuple[str, ...]:
        return () if self.labels is None else (self.labels,)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        validation_data: Any = None,
    ) -> Self:
        """Learn from the rows of `X`.

        Parameters
        ----------
        X : array of shape (n, d) or (n, height, width[, channels]), sparse matrix, frame or Source
        y : ignored
        labels : array-like of shape (n,), optional
            What the discriminator is told of each row; -1, None or NaN where unknown.
        sample_weight : array-like of shape (n,), optional
        validation_data : rows as `X`, or a tuple (X, y, sample_weight), optional

        Returns
        -------
        self
        """
        del y
        self._forget()
        fitting.fit(self, X, sample_weight, validation_data, labels=labels)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def resume(
        self,
        X: Any,
        y: Any = None,
        *,
        labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        validation_data: Any = None,
    ) -> Self:
        del y
        self._forget()
        fitting.fit(self, X, sample_weight, validation_data, resume=True, labels=labels)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        del y
        chunks.partial_fit(self, X, sample_weight, labels=labels)
        return self

    # Samples ------------------------------------------------------------------------------------------------

    def sample(
        self,
        n: int = 1,
        *,
        labels: Any = None,
        temperature: float = 1.0,
        expected: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> Any:
        """Draw new rows: a code from the prior, then a row from the likelihood.

        Parameters
        ----------
        n : int, default=1
        labels : one of `labels_`, or array-like of shape (n,), optional
            From whose part of the prior codes are drawn; of all of it by default. For models fitted with
            labels.
        temperature, expected, random_state : optional
            As in `VariationalAutoencoder.sample`.

        Returns
        -------
        ndarray or frame of n rows
            As the data of `fit`: its columns, types and library; images in their shape.
        """
        return self._sample(n, None, temperature, expected, random_state, self._kinds(labels, n))

    def sample_codes(
        self,
        n: int = 1,
        *,
        labels: Any = None,
        temperature: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
    ) -> NDArray[np.float32]:
        """Draw codes of shape (n, n_components) from the prior, or from the parts of `labels`."""
        return self._sample_codes(n, temperature, draw_seed(random_state), self._kinds(labels, n))

    def _kinds(self, labels: Any, n: int) -> NDArray[np.int64] | None:
        """Return the part of the prior that each of n draws comes from; None for all of it."""
        check_is_fitted(self)
        if labels is None:
            return None
        return label_positions(labels, getattr(self, "labels_", None), whole("n", n))
