"""A classifier that begins as an autoencoder."""

from __future__ import annotations

import numbers
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from isthmus.estimators import classifier_files, classifier_fitting
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.inputs import open_input
from isthmus.estimators.scoring import apply_to_source

__all__ = ["AutoencoderClassifier"]


def _at_least_one(kind: type) -> Interval:
    return Interval(kind, 1, None, closed="left")


@dataclass(eq=False, repr=False)
class AutoencoderClassifier(ClassifierMixin, BaseEstimator):
    """A classifier whose network begins as an autoencoder's encoder, then learns from labels.

    A linear layer is put on the code, and the whole is trained by the loop that trains autoencoders, with the
    likelihood Categorical(y): cross-entropy (Hinton & Salakhutdinov 2006; Vincent et al. 2010).

    Parameters
    ----------
    estimator : autoencoder, optional
        Fitted: its encoder is where learning begins, for instance after many rows without labels. Not fitted
        (as after `clone`, hence in a grid search): a clone is fitted to the rows of `X` first. By default a
        `StackedAutoencoder`.
    pretrained : bool, default=True
        False leaves the encoder at random weights, of the same sizes: the baseline.
    max_epochs, batch_size, learning_rate, patience : "auto" or number, default="auto"
        As in `Autoencoder`.
    weight_decay : float, default=0.0
    validation_fraction : float, default=0.1
        Share of the rows to hold out, which decide when to stop.
    random_state : int, RandomState or None, default=None
    device : str, default="auto"

    Attributes
    ----------
    estimator_ : autoencoder
        The fitted autoencoder.
    classes_ : ndarray
    model_ : torch.nn.Module
        Features, encoder, code and the linear layer.
    history_ : list of dict
        One row an epoch, in nats per row.
    metrics_ : dict
        Accuracy and cross-entropy on held-out rows (``metrics_["rows"]`` says so; else on training rows)
        beside those of always telling how frequent the classes are.
    n_iter_ : int
    seed_ : int
        What all random numbers of the fit derive from.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        After a fit on a frame.

    Examples
    --------
    >>> from isthmus import Autoencoder
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> autoencoder = Autoencoder(20, max_epochs=5, random_state=0)
    >>> model = AutoencoderClassifier(autoencoder, max_epochs=20, random_state=0).fit(X[:1000], y[:1000])
    >>> bool(model.score(X[1000:], y[1000:]) > 0.85)
    True
    """

    estimator: BaseAutoencoder | None = None
    _: KW_ONLY
    pretrained: bool = True
    max_epochs: int | str = "auto"
    batch_size: int | str = "auto"
    learning_rate: float | str = "auto"
    patience: int | str = "auto"
    weight_decay: float = 0.0
    validation_fraction: float = 0.1
    random_state: int | np.random.RandomState | None = None
    device: str = "auto"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "transform"]), None],
        "pretrained": ["boolean"],
        "max_epochs": [_at_least_one(numbers.Integral), StrOptions({"auto"})],
        "batch_size": [_at_least_one(numbers.Integral), StrOptions({"auto"})],
        "learning_rate": [Interval(numbers.Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "patience": [_at_least_one(numbers.Integral), StrOptions({"auto"})],
        "weight_decay": [Interval(numbers.Real, 0, None, closed="left")],
        "validation_fraction": [Interval(numbers.Real, 0, 1, closed="left")],
        "random_state": ["random_state"],
        "device": [str],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, *, sample_weight: ArrayLike | None = None) -> Self:
        """Learn to tell the classes of rows.

        Parameters
        ----------
        X : rows as in `Autoencoder.fit`
        y : array-like of shape (n,)
            The classes.
        sample_weight : array-like of shape (n,), optional

        Returns
        -------
        self
        """
        classifier_fitting.fit(self, X, y, sample_weight)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, of shape (n, n_classes), in the order of ``classes_``."""
        logits = self._logits(X)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row."""
        logits = self._logits(X)
        return self.classes_[logits.argmax(axis=1)]

    def _logits(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self, "model_")
        schema = self.estimator_.schema_
        source = open_input(self, X, schema=schema, reset=False)
        model: Any = self.model_
        blocks = apply_to_source(model, source, schema, lambda piece: model.logits(piece.rows))
        return np.concatenate(list(blocks)).astype(np.float64)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the fitted classifier as a folder that `isthmus.load` reads; see `isthmus.store`."""
        check_is_fitted(self, "model_")
        classifier_files.save(self, Path(path), overwrite=overwrite)

    def __getstate__(self) -> dict[str, Any]:
        return classifier_files.freeze(cast("dict[str, Any]", super().__getstate__()))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(classifier_files.thaw(state))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags
