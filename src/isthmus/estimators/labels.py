"""Labels that an opponent is told: which there are, and the position of each row's among them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.data.lists import as_entries, is_gap, plain_entries
from isthmus.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from isthmus.parts.priors.base import LatentPrior

__all__ = ["label_codes", "label_positions", "warn_of_idle_parts"]


def label_codes(labels: ArrayLike, n_rows: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct labels in order, and each row's position among them; -1 where it has none.

    A row has none where its label is None, NaN, or the number -1.
    """
    values = as_entries(labels)
    if values.shape != (n_rows,):
        raise InputError(f"labels has the shape {values.shape}; give one label for each of the {n_rows} rows")
    entries = plain_entries(values)
    unknown = np.array([_is_unknown(value) for value in entries], dtype=bool)
    known = [value for value, gap in zip(entries, unknown, strict=True) if not gap]
    numbers = all(isinstance(value, bool | int | float) for value in known)
    distinct, found = np.unique(known if numbers else [str(value) for value in known], return_inverse=True)
    codes = np.full(n_rows, -1, dtype=np.int64)
    codes[~unknown] = found
    return distinct, codes


def _is_unknown(value: Any) -> bool:
    return is_gap(value) or (isinstance(value, int | float) and value == -1)


def label_positions(labels: Any, known: NDArray[Any] | None, n: int) -> NDArray[np.int64]:
    """Return the position of each of n labels among the `known` ones.

    Parameters
    ----------
    labels : one label for all, or array-like of shape (n,)
    known : ndarray or None
        None: the model was fitted without labels.
    """
    if known is None:
        raise InputError(
            f"labels={labels!r}: this model was fitted without labels; give them to fit, and it sorts codes"
        )
    given = as_entries(labels)
    if given.shape not in ((), (n,)):
        raise InputError(f"labels has the shape {given.shape}; give one label, or one for each of {n} rows")
    names = {value: position for position, value in enumerate(known.tolist())}
    # As label_codes does: where texts are among them, all are texts.
    texts = any(isinstance(name, str) for name in names)
    asked = [str(value) if texts else value for value in plain_entries(given.reshape(-1))]
    for value in asked:
        if value not in names:
            words = [str(name) for name in names]
            near = did_you_mean(str(value), words)
            raise InputError(f"labels: {value!r} is none of those fitted: {', '.join(words)}.{near}")
    return np.broadcast_to([names[value] for value in asked], (n,)).astype(np.int64)


def warn_of_idle_parts(
    prior: LatentPrior | None, labels: Sequence[Any] | NDArray[Any], codes: NDArray[np.int64] | None
) -> None:
    """Say that no row will lie in some parts of the prior: all rows are labelled, and labels are fewer."""
    n_parts, n_labels = None if prior is None else prior.n_kinds, len(labels)
    if codes is None or n_parts is None or not 0 < n_labels < n_parts or (codes < 0).any():
        return
    warnings.warn(
        f"the prior has {n_parts} parts and there are {n_labels} labels: no row will lie in "
        f"{n_parts - n_labels} of these parts, but samples without a label come from there too; "
        f'give a prior with as many, such as "gaussian_mixture:layout=ring,n_clusters={n_labels}"',
        UserWarning,
        stacklevel=5,
    )
