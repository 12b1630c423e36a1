"""A torch DataLoader as a Source: gone through anew in every epoch, in the loader's own order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from isthmus.data.sources import Source
from isthmus.data.sources.base import Array
from isthmus.errors import InputError

__all__ = ["LoaderSource", "as_array"]


class LoaderSource(Source):
    """Rows that a re-iterable of tensors (or of tuples whose first entry is one) yields.

    Parameters
    ----------
    loader : iterable of Tensor of shape (B, ...)
        Gone through several times; each pass must yield the same number of rows.
    told : bool, default=False
        Whether the second entry of a tuple says what a conditional model is told of the batch's rows.

    Attributes
    ----------
    told : bool
        The same, False where the loader yields no second entry.
    """

    kind = "array"

    def __init__(self, loader: Iterable[Any], *, told: bool = False) -> None:
        if iter(loader) is loader:
            raise InputError(
                "the loader can be gone through only once; give a DataLoader or a list of tensors"
            )
        first = next(iter(loader), None)
        if first is None:
            raise InputError("the loader yields no batch; give a loader with at least 2 rows")
        row = _array(first)
        self.loader, self.told = loader, told and _beside(first) is not None
        length = sum(len(_array(batch, row.shape[1:])) for batch in loader)
        super().__init__("loader", length, row.shape[1:], library="numpy", dtype=row.dtype)

    def _blocks(self, rows: int) -> Iterator[Array]:
        # The loader decides how many rows come at a time; nobody downstream counts on `rows`.
        for batch in self.loader:
            yield _array(batch, self.shape)

    def pairs(self) -> Iterator[tuple[Array, Any]]:
        """Yield the rows of each batch and what is told of them: the order may be new in every pass."""
        for batch in self.loader:
            beside = _beside(batch)
            if beside is None:
                raise InputError(
                    "some batches of the loader hold rows and what is told of them, others rows alone; "
                    "yield (rows, condition) in all of them"
                )
            yield _array(batch, self.shape), beside


def _beside(batch: Any) -> Any:
    """Return the second entry of a tuple, or None."""
    return batch[1] if isinstance(batch, (tuple, list)) and len(batch) > 1 else None


def _array(batch: Any, shape: tuple[int, ...] | None = None) -> Array:
    """Return a batch as an array, or refuse what is none, or has rows of another shape."""
    tensor: object = next(iter(batch), None) if isinstance(batch, (tuple, list)) else batch
    if not isinstance(tensor, Tensor) or tensor.ndim < 2:
        what = (
            f"of shape {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else f"a {type(tensor).__name__}"
        )
        raise InputError(
            "a loader must yield tensors of shape (batch, features...), or tuples that begin with one; "
            f"got {what}"
        )
    if shape is not None and tensor.shape[1:] != shape:
        raise InputError(
            f"a loader must yield rows of one shape; got {tuple(tensor.shape[1:])} after {shape}"
        )
    return as_array(tensor)


def as_array(tensor: Tensor) -> Array:
    """Return a tensor as an array; of bfloat16, which NumPy lacks, as float32."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().cpu().numpy()
