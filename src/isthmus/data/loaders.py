"""A torch DataLoader as a Source: gone through anew in every epoch, in the loader's own order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from isthmus.data.sources import Source
from isthmus.errors import InputError

__all__ = ["LoaderSource"]


class LoaderSource(Source):
    """Rows that a re-iterable of tensors (or of tuples whose first entry is one) yields.

    Parameters
    ----------
    loader : iterable of Tensor of shape (B, ...)
        Gone through several times; each pass must yield the same number of rows.
    """

    kind = "array"

    def __init__(self, loader: Iterable[Any]) -> None:
        first = next(iter(loader), None)
        if first is None:
            raise InputError("the loader yields no batch; give a loader with at least 2 rows")
        if iter(loader) is loader:
            raise InputError(
                "the loader can be gone through only once; give a DataLoader or a list of tensors"
            )
        row = self._array(first)
        self.loader = loader
        length = sum(len(self._array(batch)) for batch in loader)
        super().__init__("loader", length, row.shape[1:], library="numpy", dtype=row.dtype)

    @staticmethod
    def _array(batch: Any) -> np.ndarray:
        tensor = batch[0] if isinstance(batch, tuple | list) else batch
        if not isinstance(tensor, torch.Tensor) or tensor.ndim < 2:
            raise InputError(
                "a loader must yield tensors of shape (batch, features...), or tuples that begin with one; "
                f"got {type(tensor).__name__}"
            )
        return tensor.detach().cpu().numpy()

    def _blocks(self, rows: int) -> Iterator[np.ndarray]:
        # The loader decides how many rows come at a time; nobody downstream counts on `rows`.
        for batch in self.loader:
            yield self._array(batch)
