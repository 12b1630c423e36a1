"""What a fitted autoencoder does with rows and codes."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_is_fitted
from torch import Tensor

from isthmus.data.encoding import decode
from isthmus.errors import InputError
from isthmus.estimators import streaming
from isthmus.estimators.conditions import known_rows
from isthmus.estimators.fitted import Fitted
from isthmus.estimators.inputs import restore_shape
from isthmus.estimators.scoring import apply_to_codes

__all__ = ["Applying"]


class Applying(Fitted, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """The methods of a fitted model; a mixin of `BaseAutoencoder`."""

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the codes of rows.

        Returns
        -------
        ndarray of float32 of shape (n, n_components)
        """
        return self._transform(X)

    def _transform(self, X: Any, condition: Any = None) -> NDArray[np.float32]:
        check_is_fitted(self)
        return np.concatenate(list(streaming.codes(self, X, condition)))

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
        return self._inverse_transform(Z)

    def _inverse_transform(self, Z: ArrayLike, condition: Any = None) -> Any:
        check_is_fitted(self)
        codes = check_array(Z, dtype=np.float32, input_name="Z")
        if codes.shape[1] != self.n_components_:
            raise InputError(
                f"Z has {codes.shape[1]} columns, the model's codes have n_components={self.n_components_}"
            )
        return self._decode(codes, condition)

    def _decode(self, codes: NDArray[np.float32], condition: Any = None, seed: int | None = None) -> Any:
        """Return the data of codes: what is expected, or with a seed a draw of it, as the data of `fit`."""
        model = self.model_
        device = next(model.parameters()).device
        generator = None if seed is None else torch.Generator(device).manual_seed(seed)

        def data(z: Tensor, told: Tensor | None) -> Tensor:
            outputs = model.decode(z, told)
            if generator is None:
                return model.features.to_data(model.density.mean(outputs))
            return model.features.to_data(model.density.sample(outputs, generator))

        rows, stage = known_rows(self, None, condition, len(codes)), model.condition
        told = None if rows is None or stage is None else rows.tensor(stage)
        encoded = apply_to_codes(model, codes, data, told).astype(np.float64, copy=False)
        # Columns that say the condition come back as it was given.
        columns = None if rows is None else rows.frame(self.schema_)
        return decode(self.schema_, encoded, passthrough=columns)

    def reconstruct(self, X: Any) -> Any:
        """Return rows as the model sees them: encoded and decoded again.

        Returns
        -------
        ndarray or frame
            In the shape, library and, for frames, columns, types and index of `X`. Missing entries come back
            filled; columns that are not learned are copied.
        """
        return self._reconstruct(X)

    def _reconstruct(self, X: Any, condition: Any = None) -> Any:
        check_is_fitted(self)
        return restore_shape(_join(list(streaming.reconstructions(self, X, condition))), X)

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
        return (result[:, 0], result[:, 2]) if return_n_observed else result[:, 0]

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean of `score_samples`, in nats per row."""
        del y
        return float(np.mean(self.score_samples(X)))

    def encode_tensor(self, X: Tensor) -> Tensor:
        """Return the codes of rows given as a tensor in data units, differentiably, on the model's device.

        Parameters
        ----------
        X : Tensor of shape (B, ...)
            For a model fitted on an array.
        """
        return self._encode_tensor(X)

    def _encode_tensor(self, X: Tensor, condition: Any = None) -> Tensor:
        check_is_fitted(self)
        if self.schema_.container != "array":
            raise InputError("encode_tensor needs a model fitted on an array; this one was fitted on a frame")
        if any(column.levels not in ((), (False, True)) for column in self.schema_.modelled):
            raise InputError("encode_tensor needs numbers; this model has categories, which transform reads")
        flat = X.reshape(len(X), -1)
        if flat.shape[1] != self.n_features_in_:
            raise InputError(
                f"X has {flat.shape[1]} features per row, but the model expects {self.n_features_in_}"
            )
        chosen = torch.as_tensor(self.schema_.modelled_index)
        device = next(self.model_.parameters()).device
        values = flat.to(device, torch.float64)[:, chosen.to(device)]
        rows, stage = known_rows(self, None, condition, len(X)), self.model_.condition
        told = None if rows is None or stage is None else rows.tensor(stage).to(device)
        return self.model_.encode(self.model_.features.to_values(values), told)

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


def _join(pieces: list[Any]) -> Any:
    if len(pieces) == 1:
        return pieces[0]
    if isinstance(pieces[0], np.ndarray):
        return np.concatenate(pieces)
    return nw.to_native(nw.concat([nw.from_native(piece, eager_only=True) for piece in pieces]))
