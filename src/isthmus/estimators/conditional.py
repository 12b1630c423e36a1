"""The conditional variational autoencoder."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from torch import Tensor

from isthmus.data.loaders import LoaderSource
from isthmus.errors import InputError
from isthmus.estimators import chunks, fitting
from isthmus.estimators.conditions import ConditionRows, find_rows
from isthmus.estimators.density import MeanDensity
from isthmus.estimators.diagnosing import diagnose
from isthmus.estimators.docs import document
from isthmus.estimators.health import Diagnosis
from isthmus.estimators.importance import DEFAULT_SAMPLES
from isthmus.estimators.registry import register
from isthmus.estimators.variational import VariationalAutoencoder
from isthmus.manifold.geodesics import Geodesic

__all__ = ["ConditionalVariationalAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class ConditionalVariationalAutoencoder(VariationalAutoencoder):
    """A variational autoencoder that is told something of each row, and can be told it again (Sohn 2015).

    Encoder and decoder see the condition, which is not learned: the code says what the condition does not.
    It is read from columns of the frame (`condition` here), in every method, or given as ``condition=`` to
    `fit` and then to every method: a frame, an array of shape (n,) or (n, k), or one row for all. Told apart,
    rows of a model that reads it from columns may lack them.

    Parameters
    ----------
    {parameters}
    posterior, prior, bound, beta, warmup, free_bits, terms, corruption : optional
        As in `VariationalAutoencoder`.
    condition : str or sequence of str, default=()
        Columns of the frame that are told and not learned; discrete or continuous.

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = ConditionalVariationalAutoencoder(5, max_epochs=3, random_state=0).fit(X, condition=y)
    >>> model.sample(10, condition=7, random_state=0).shape
    (10, 64)
    """

    condition: str | Sequence[str] = ()

    paper: ClassVar[str] = 'Sohn, Lee & Yan, "Learning structured output representation", NeurIPS 2015'
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = VariationalAutoencoder._parameter_constraints | {
        "condition": [str, tuple, list]
    }

    def _condition_names(self) -> tuple[str, ...]:
        return (self.condition,) if isinstance(self.condition, str) else tuple(self.condition)

    def _check_condition(self, condition: ConditionRows | None) -> None:
        if condition is None:
            warnings.warn(
                f"{type(self).__name__} is fitted without a condition: it learns what a "
                "VariationalAutoencoder does; name columns (condition=[...]) or give condition=... to fit",
                UserWarning,
                stacklevel=5,
            )

    # Learning -----------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        condition: Any = None,
        sample_weight: ArrayLike | None = None,
        validation_data: Any = None,
    ) -> Self:
        """Learn from the rows of `X`.

        Parameters
        ----------
        X : array of shape (n, d) or (n, height, width[, channels]), sparse matrix, frame or Source
        y : ignored
        condition : frame, Source, or array-like of shape (n,) or (n, k), optional
            What is told of each row, if not in columns of `X`. Integers with at most 50 distinct values,
            texts and truth values are categories; other numbers are amounts.
        sample_weight : array-like of shape (n,), optional
        validation_data : rows as `X`, or a tuple (X, y, sample_weight, condition), optional

        Returns
        -------
        self
        """
        del y
        self._forget()
        fitting.fit(self, X, sample_weight, validation_data, condition=condition)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def resume(
        self,
        X: Any,
        y: Any = None,
        *,
        condition: Any = None,
        sample_weight: ArrayLike | None = None,
        validation_data: Any = None,
    ) -> Self:
        del y
        self._forget()
        fitting.fit(self, X, sample_weight, validation_data, resume=True, condition=condition)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any = None, *, condition: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        del y
        chunks.partial_fit(self, X, sample_weight, condition=condition)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_loader(self, loader: Iterable[Any], *, validation_data: Any = None) -> Self:
        """Learn from a torch DataLoader, in its order, going through it anew in every epoch.

        Parameters
        ----------
        loader : iterable of tuples (rows, condition)
            Rows are a Tensor of shape (B, ...). Their condition is a Tensor of shape (B,) or (B, k), a list
            of B texts, or a dict of these by name; what follows in a tuple is left aside. Every batch brings
            its own, so that a loader may shuffle; the other methods take it as ``condition=``. A loader of
            rows alone is learned from without a condition.
        validation_data : tuple (X, y, sample_weight, condition), optional
            As in `fit`. Without them the whole schedule is run and the last weights are kept.

        Returns
        -------
        self
        """
        self._forget()
        fitting.fit(self, LoaderSource(loader, told=True), None, validation_data)
        return self

    def fit_transform(self, X: Any, y: Any = None, *, condition: Any = None, **fit_params: Any) -> Any:
        """Fit, and return the codes of the rows."""
        return self.fit(X, y, condition=condition, **fit_params).transform(X, condition=condition)

    # Applying: what VariationalAutoencoder does, under a condition ------------------------------------------

    def transform(self, X: Any, *, condition: Any = None) -> NDArray[np.float32]:
        return self._transform(X, condition)

    def inverse_transform(self, Z: ArrayLike, *, condition: Any = None) -> Any:
        return self._inverse_transform(Z, condition)

    def reconstruct(self, X: Any, *, condition: Any = None) -> Any:
        return self._reconstruct(X, condition)

    def encode_tensor(self, X: Tensor, *, condition: Any = None) -> Tensor:
        """Return the codes of rows given as a tensor in data units, differentiably, on the model's device.

        Parameters
        ----------
        X : Tensor of shape (B, ...)
            For a model fitted on an array.
        condition : Tensor or array-like of shape (B,) or (B, k), or one row for all
            What the model is told, as in the other methods; codes have no gradients with respect to it.
        """
        return self._encode_tensor(X, condition)

    def score_samples(
        self,
        X: Any,
        *,
        condition: Any = None,
        n_samples: int = DEFAULT_SAMPLES,
        random_state: int | None = None,
        return_n_observed: bool = False,
        return_std_error: bool = False,
    ) -> Any:
        return self._score_samples(
            X,
            condition,
            n_samples,
            random_state,
            return_n_observed=return_n_observed,
            return_std_error=return_std_error,
        )

    def score(self, X: Any, y: Any = None, *, condition: Any = None) -> float:
        del y
        return float(np.mean(self.score_samples(X, condition=condition)))

    def mean_density(
        self,
        X: Any,
        *,
        condition: Any = None,
        n_samples: int = DEFAULT_SAMPLES,
        random_state: int | None = None,
    ) -> MeanDensity:
        return self._mean_density(X, condition, n_samples, random_state)

    def bits_per_dim(
        self,
        X: Any,
        *,
        condition: Any = None,
        n_samples: int = DEFAULT_SAMPLES,
        random_state: int | None = None,
    ) -> float:
        return self._bits_per_dim(X, condition, n_samples, random_state)

    def sample(
        self,
        n: int = 1,
        *,
        condition: Any = None,
        temperature: float = 1.0,
        expected: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> Any:
        return self._sample(n, condition, temperature, expected, random_state)

    def interpolate(
        self,
        a: Any,
        b: Any,
        n: int = 10,
        *,
        path: str = "spherical",
        through: Any = None,
        condition: Any = None,
    ) -> Any:
        return self._interpolate(a, b, n, path, through, condition)

    def geodesic(self, a: Any, b: Any, n: int = 10, *, through: Any = None, condition: Any = None) -> Any:
        return self._geodesic(a, b, n, through, condition)

    def geodesic_codes(
        self, a: Any, b: Any, n: int = 10, *, through: Any = None, condition: Any = None
    ) -> Geodesic:
        return self._geodesic_codes(a, b, n, through, condition)

    def traverse(self, row: Any, dim: int, n: int = 10, *, condition: Any = None) -> Any:
        return self._traverse(row, dim, n, condition)

    def manifold_grid(self, n: int = 20, *, dims: Sequence[int] = (0, 1), condition: Any = None) -> Any:
        return self._manifold_grid(n, dims, condition)

    def diagnose(self, X: Any, *, condition: Any = None) -> Diagnosis:
        return diagnose(self, X, condition)

    def analogies(self, X: Any, conditions: Any, *, condition: Any = None) -> Any:
        """Return rows told otherwise: the code of each row, decoded under each of several conditions.

        Parameters
        ----------
        X : rows as in `fit`
        conditions : frame, or array-like of shape (m,) or (m, k)
            What to tell the decoder.
        condition : optional
            What the rows' own condition is, if not in columns of `X`.

        Returns
        -------
        ndarray or frame of n * m rows
            The first row under all conditions, then the second, and so on.
        """
        schema = self.condition_schema_
        if schema is None:
            raise InputError("analogies: this model was fitted without a condition; fit with one")
        codes = self._transform(X, condition)
        told = find_rows(schema, None, conditions)
        block = next(iter(told.source.blocks(len(told.source))))
        index = np.tile(np.arange(len(told.source)), len(codes))
        return self._decode(np.repeat(codes, len(told.source), axis=0), block[index.tolist()].to_native())  # type: ignore[union-attr]
