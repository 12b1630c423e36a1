"""The contract that every autoencoder keeps: scikit-learn's, and what `transform` alone does not cover."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from isthmus.data.loaders import LoaderSource
from isthmus.data.schema import Schema
from isthmus.errors import InputError
from isthmus.estimators import chunks, fitting, persistence, pickling
from isthmus.estimators.architecture import NETWORKS
from isthmus.estimators.conditions import ConditionRows
from isthmus.estimators.geodesic import Geodesics
from isthmus.estimators.networks import ModuleFactory
from isthmus.estimators.parameters import PartParameters
from isthmus.estimators.preparing import Prepared
from isthmus.model import Model
from isthmus.nets.activations import HIDDEN_ACTIVATIONS
from isthmus.parts.bounds import ELBO, Bound
from isthmus.parts.corruptions import Corruption
from isthmus.parts.likelihoods import Likelihood
from isthmus.parts.posteriors import Point, Posterior
from isthmus.parts.priors import Prior
from isthmus.parts.registry import Part
from isthmus.parts.terms import Term
from isthmus.training.checkpoint import Checkpoint

__all__ = ["BaseAutoencoder"]


def _positive(kind: type) -> Interval:
    return Interval(kind, 1, None, closed="left")


@dataclass(eq=False, repr=False)
class BaseAutoencoder(Geodesics, CallbackSupportMixin, PartParameters):
    """Fields and methods that all autoencoders share; not to be used by itself."""

    n_components: int | str = "auto"
    _: KW_ONLY
    hidden_sizes: tuple[int, ...] | str = "auto"
    likelihood: Likelihood | str | dict[str, Any] = "auto"
    activation: str = "silu"
    network: str = "auto"
    encoder: ModuleFactory | None = None
    decoder: ModuleFactory | None = None
    max_epochs: int | str = "auto"
    batch_size: int | str = "auto"
    learning_rate: float | str = "auto"
    weight_decay: float = 0.0
    validation_fraction: float = 0.1
    patience: int | str = "auto"
    schema: Schema | str = "auto"
    checkpoint: str | Path | None = None
    checkpoint_seconds: float = 60
    random_state: int | np.random.RandomState | None = None
    device: str = "auto"
    verbose: int = 0

    # Where the variant was described first; `isthmus models` tells it.
    paper: ClassVar[str] = ""
    # Whether "auto" may choose convolutions for images.
    convolves: ClassVar[bool] = True
    part_families: ClassVar[dict[str, str]] = {"likelihood": "likelihood"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [_positive(numbers.Integral), StrOptions({"auto"})],
        "hidden_sizes": [tuple, list, StrOptions({"auto"})],
        "likelihood": [str, dict, Part],
        "activation": [StrOptions(set(HIDDEN_ACTIVATIONS))],
        "network": [StrOptions({"auto", *NETWORKS})],
        "encoder": [callable, None],
        "decoder": [callable, None],
        "max_epochs": [_positive(numbers.Integral), StrOptions({"auto"})],
        "batch_size": [_positive(numbers.Integral), StrOptions({"auto"})],
        "learning_rate": [Interval(numbers.Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "weight_decay": [Interval(numbers.Real, 0, None, closed="left")],
        "validation_fraction": [Interval(numbers.Real, 0, 1, closed="left")],
        "patience": [_positive(numbers.Integral), StrOptions({"auto"})],
        "schema": [Schema, StrOptions({"auto"})],
        "checkpoint": [str, Path, None],
        "checkpoint_seconds": [Interval(numbers.Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "device": [str],
        "verbose": ["verbose"],
    }

    # Learning ---------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any = None, *, sample_weight: ArrayLike | None = None, validation_data: Any = None
    ) -> Self:
        """Learn from the rows of `X`.

        Parameters
        ----------
        X : array of shape (n, d) or (n, height, width[, channels]), sparse matrix, frame or Source
            NaN (in frames: null) marks a missing entry.
        y : ignored
        sample_weight : array-like of shape (n,), optional
            Weight of each row in the loss; not negative.
        validation_data : rows as `X`, or a tuple (X, y, sample_weight), optional
            Rows to hold out instead of a `validation_fraction` of `X`.

        Returns
        -------
        self
        """
        del y
        self._forget()
        fitting.fit(self, X, sample_weight, validation_data)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def resume(
        self, X: Any, y: Any = None, *, sample_weight: ArrayLike | None = None, validation_data: Any = None
    ) -> Self:
        """Go on with an interrupted `fit` of the same data, to the same bits as an unbroken one.

        Without a file at `checkpoint`, it starts anew. Raises `StoreError` where data, parameters, torch, the
        number of threads or the device differ from those of the interrupted run.
        """
        del y
        self._forget()
        fitting.fit(self, X, sample_weight, validation_data, resume=True)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, *, sample_weight: ArrayLike | None = None) -> Self:
        """Go once through a chunk of rows: warm-up, then a constant rate.

        The first chunk fixes the schema (unless one is given), the scales and the networks. ``metrics_`` is
        empty afterwards. A fitted or loaded model learns on.
        """
        del y
        chunks.partial_fit(self, X, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_loader(self, loader: Iterable[Any], *, validation_data: Any = None) -> Self:
        """Learn from a torch DataLoader, in its order, going through it anew in every epoch.

        Parameters
        ----------
        loader : iterable of Tensor of shape (B, ...), or of tuples that begin with one
        validation_data : optional
            Rows as in `fit`. Without them the whole schedule is run and the last weights are kept: a loader
            that shuffles has no rows one could hold out.
        """
        self._forget()
        fitting.fit(self, LoaderSource(loader), None, validation_data)
        return self

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") or name == "_trainer"]:
            delattr(self, name)

    # Keeping ----------------------------------------------------------------------------------------------

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the fitted model as a folder that `isthmus.load` reads; see `isthmus.store`."""
        check_is_fitted(self)
        persistence.save(self, Path(path), overwrite=overwrite)

    def __getstate__(self) -> dict[str, Any]:
        return pickling.freeze(cast("dict[str, Any]", super().__getstate__()))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(pickling.thaw(state))

    # The parts, which subclasses choose -------------------------------------------------------------------

    def _likelihood(self) -> Likelihood | None:
        """Return the likelihood, or None where it is left at "auto"."""
        part = self._part("likelihood")
        return part if isinstance(part, Likelihood) else None

    def _corruption(self) -> Corruption | None:
        """Return what corrupts rows in training."""
        return None

    def _posterior(self) -> Posterior:
        """Return what a code is."""
        return Point()

    def _prior(self) -> Prior | None:
        """Return what a typical code is, if the model has a notion of it."""
        return None

    def _bound(self) -> Bound:
        """Return how log p(x) is bounded."""
        return ELBO()

    def _terms(self) -> tuple[Term, ...]:
        """Return what else is asked of the code."""
        return ()

    def _condition_names(self) -> tuple[str, ...]:
        """Return the columns that the networks are told instead of learning them."""
        return ()

    def _check_condition(self, condition: ConditionRows | None) -> None:
        """Warn or refuse, when `fit` has found what the networks are told."""
        if condition is not None:
            name = condition.schema.modelled[0].name
            raise InputError(
                f'column "{name}" has the role of a condition, which {type(self).__name__} cannot be told; '
                "use ConditionalVariationalAutoencoder, or give the column another role"
            )

    def _label_names(self) -> tuple[str, ...]:
        """Return the column whose values an opponent is told, if there is one."""
        return ()

    def _initialize(self, model: Model, prepared: Prepared, checkpoint: Checkpoint | None) -> None:
        """Put weights learned before into a model that is about to be trained."""

    def _initial_identity(self, prepared: Prepared) -> dict[str, Any]:
        """Return, as JSON, what these weights depend on that the fit itself does not."""
        return {}

    def _parts(self) -> dict[str, Part]:
        """Return the parts that were given (not those left at "auto")."""
        given = {name: self._part(name) for name in self.part_families}
        return {name: part for name, part in given.items() if part is not None}
