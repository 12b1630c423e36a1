"""The contract that every autoencoder keeps: scikit-learn's, and what `transform` alone does not cover."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted
from torch import Tensor

from isthmus.data.encoding import decode
from isthmus.data.loaders import LoaderSource
from isthmus.data.schema import Schema
from isthmus.errors import InputError
from isthmus.estimators import chunks, fitting, persistence, pickling, streaming
from isthmus.estimators.building import ModuleFactory
from isthmus.estimators.fitted import Fitted
from isthmus.estimators.inputs import restore_shape
from isthmus.estimators.parameters import PartParameters
from isthmus.estimators.scoring import apply_to_codes
from isthmus.nets.mlp import ACTIVATIONS
from isthmus.parts.corruptions import Corruption
from isthmus.parts.likelihoods import Likelihood
from isthmus.parts.registry import Part

__all__ = ["BaseAutoencoder"]


def _positive(kind: type) -> Interval:
    return Interval(kind, 1, None, closed="left")


@dataclass(eq=False, repr=False)
class BaseAutoencoder(
    Fitted, CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, PartParameters
):
    """Fields and methods that all autoencoders share; not to be used by itself.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Numbers in a code; "auto" is the TwoNN intrinsic dimension of at most 5,000 training rows.
    hidden_sizes : tuple of int or "auto", default="auto"
        Widths of the encoder's hidden layers, mirrored in the decoder; () makes both linear. "auto" is two
        layers, the first about four times as wide as the input (32 to 512), the second half of that.
    likelihood : Likelihood, str or dict, default="auto"
        p(x | z), hence the loss, for instance "gaussian", "laplace:scale=per_feature" or `PerColumn`. "auto"
        chooses from the schema.
    activation : {"elu", "gelu", "relu", "sigmoid", "silu", "tanh"}, default="silu"
    encoder, decoder : callable, optional
        Makes an own torch module from the sizes of its input and output, in place of the default network.
    max_epochs : int or "auto", default="auto"
        Most passes through the training rows; "auto" aims at 8,000 steps, within 10 and 500 epochs.
    batch_size : int or "auto", default="auto"
        "auto" is a power of two near a twelfth of the rows, from 16 to 256 (1024 from 500,000 rows on).
    learning_rate : float or "auto", default="auto"
        Rate between warm-up and decay; "auto" is 0.01 for a linear network and 0.002 otherwise.
    weight_decay : float, default=0.0
    validation_fraction : float, default=0.1
        Share of the rows that is held out, to choose the best weights; none where that makes fewer than 5.
    patience : int or "auto", default="auto"
        The decay begins when the held-out loss has not fallen for so many epochs; "auto" is a tenth of
        `max_epochs`, at least 5.
    schema : Schema or "auto", default="auto"
        What each column is; "auto" infers it from the rows.
    checkpoint : path, optional
        A file to keep an unfinished run in, from which `resume` goes on.
    checkpoint_seconds : float, default=60
        Time between two saves of it.
    random_state : int, RandomState or None, default=None
        An int makes a fit repeatable; the seed that was drawn is ``seed_``. None draws it from NumPy's global
        generator, as scikit-learn does.
    device : str, default="auto"
        Such as "cpu" or "cuda:0"; "auto" is the GPU where there is one.
    verbose : int, default=0
        1 shows progress.
    """

    n_components: int | str = "auto"
    _: KW_ONLY
    hidden_sizes: tuple[int, ...] | str = "auto"
    likelihood: Likelihood | str | dict[str, Any] = "auto"
    activation: str = "silu"
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

    part_families: ClassVar[dict[str, str]] = {"likelihood": "likelihood"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [_positive(numbers.Integral), StrOptions({"auto"})],
        "hidden_sizes": [tuple, list, StrOptions({"auto"})],
        "likelihood": [str, dict, Part],
        "activation": [StrOptions(set(ACTIVATIONS))],
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

    # Using ------------------------------------------------------------------------------------------------

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the codes of rows.

        Returns
        -------
        ndarray of float32 of shape (n, n_components)
        """
        check_is_fitted(self)
        return np.concatenate(list(streaming.codes(self, X)))

    def inverse_transform(self, Z: ArrayLike) -> Any:
        """Return the expected data of codes.

        Parameters
        ----------
        Z : array-like of shape (n, n_components)

        Returns
        -------
        ndarray or frame
            As the data of `fit`: its columns, types, category names and library; images in their shape.
        """
        check_is_fitted(self)
        codes = check_array(Z, dtype=np.float32, input_name="Z")
        if codes.shape[1] != self.n_components_:
            raise InputError(
                f"Z has {codes.shape[1]} columns, but this model's codes have n_components={self.n_components_}"
            )
        model = self.model_
        encoded = apply_to_codes(
            model, codes, lambda z: model.features.to_data(model.density.mean(model.decode(z)))
        )
        return decode(self.schema_, encoded.astype(np.float64, copy=False))

    def reconstruct(self, X: Any) -> Any:
        """Return rows as the model sees them: encoded and decoded again.

        Returns
        -------
        ndarray or frame
            In the shape, library and, for frames, columns, types and index of `X`. Missing entries come back
            filled; columns that are not learned are copied.
        """
        check_is_fitted(self)
        return restore_shape(_join(list(streaming.reconstructions(self, X))), X)

    def score_samples(self, X: Any, *, return_n_observed: bool = False) -> Any:
        """Return log p(x | z(x)) of each row, in nats of the data as given, over its observed entries.

        This is how well a row's own code explains it, no density of the data: it rises with `n_components`.

        Parameters
        ----------
        X : rows as in `fit`
        return_n_observed : bool, default=False
            Whether to return the number of observed modelled entries of each row too.

        Returns
        -------
        ndarray of float64 of shape (n,), or two of them
        """
        check_is_fitted(self)
        result = np.concatenate(list(streaming.scores(self, X)))
        return (result[:, 0], result[:, 1]) if return_n_observed else result[:, 0]

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean of `score_samples`, in nats per row."""
        del y
        return float(np.mean(self.score_samples(X)))

    # Tensors ----------------------------------------------------------------------------------------------

    def encode_tensor(self, X: Tensor) -> Tensor:
        """Return the codes of rows given as a tensor in data units, differentiably, on the model's device.

        Parameters
        ----------
        X : Tensor of shape (B, ...)
            For a model fitted on an array.
        """
        check_is_fitted(self)
        if self.schema_.container != "array":
            raise InputError("encode_tensor needs a model fitted on an array; this one was fitted on a frame")
        flat = X.reshape(len(X), -1)
        if flat.shape[1] != self.n_features_in_:
            raise InputError(f"X has {flat.shape[1]} features per row, but the model expects {self.n_features_in_}")
        chosen = torch.as_tensor(self.schema_.modelled_index)
        device = next(self.model_.parameters()).device
        values = flat.to(device, torch.float64)[:, chosen.to(device)]
        return self.model_.encode(self.model_.features.to_values(values))

    # scikit-learn -----------------------------------------------------------------------------------------

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the fitted model as a folder that `isthmus.load` reads; see `isthmus.store`."""
        check_is_fitted(self)
        persistence.save(self, Path(path), overwrite=overwrite)

    def __getstate__(self) -> dict[str, Any]:
        return pickling.freeze(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(pickling.thaw(state))

    def _corruption(self) -> Corruption | None:
        """Return what corrupts rows in training; nothing, unless a subclass has it."""
        return None

    def _parts(self) -> dict[str, Part]:
        """Return the parts that were given (not those left at "auto")."""
        given = {name: self._part(name) for name in self.part_families}
        return {name: part for name, part in given.items() if part is not None}


def _join(pieces: list[Any]) -> Any:
    if len(pieces) == 1:
        return pieces[0]
    if isinstance(pieces[0], np.ndarray):
        return np.concatenate(pieces)
    return nw.to_native(nw.concat([nw.from_native(piece, eager_only=True) for piece in pieces]))
