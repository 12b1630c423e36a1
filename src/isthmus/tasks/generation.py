"""Samples beside data: which row is nearest to each, and how far away?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from isthmus.data.sources import Block, Source
from isthmus.estimators.preparing import BLOCK_ROWS, value_blocks, warn
from isthmus.estimators.reading import open_known
from isthmus.manifold.neighbors import nearest_rows

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["nearest"]


def nearest(model: BaseAutoencoder, samples: Any, data: Any) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the row of data that is nearest to each sample: one at distance 0 is a copy.

    A model holds no rows, so the data to compare with are the caller's; those learned from tell copies.

    Parameters
    ----------
    model : fitted estimator
    samples : rows as in `fit`
        For instance what ``model.sample`` returned.
    data : rows as in `fit`
        Read in blocks: a Source need not fit in memory.

    Returns
    -------
    index : ndarray of int of shape (n_samples,)
        Position of the nearest row, of equally near ones the first.
    distance : ndarray of float64 of shape (n_samples,)
        Euclidean, over the columns that the model learns; a missing entry counts as the training mean. Of
        arrays in units of the data. Of frames between what the networks see: numbers in training standard
        deviations, categories one-hot (two different ones are the square root of 2 apart), and a flag where
        an entry is missing.

    Examples
    --------
    >>> from isthmus import VariationalAutoencoder
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = VariationalAutoencoder(2, max_epochs=2, random_state=0).fit(digits)
    >>> nearest(model, digits[[7, 3]], digits)
    (array([7, 3]), array([0., 0.]))
    """
    check_is_fitted(model)
    asked = np.concatenate(list(_vectors(model, samples)))
    index, distance = np.zeros(len(asked), dtype=np.intp), np.full(len(asked), np.inf)
    position = 0
    for rows in _vectors(model, data):
        found, far = nearest_rows(asked, rows)
        better = far < distance
        index[better], distance[better] = position + found[better], far[better]
        position += len(rows)
    return index, distance


def _vectors(model: BaseAutoencoder, X: Any) -> Iterator[NDArray[np.floating[Any]]]:
    """Yield blocks of rows as points between which distances mean something."""
    source = open_known(model, X)
    return _points(model, source) if model.schema_.container == "frame" else _numbers(model, source)


def _numbers(model: BaseAutoencoder, source: Source) -> Iterator[NDArray[np.floating[Any]]]:
    features = model.model_.features
    means = features.to_data(features.placeholder[None]).cpu().numpy()
    for block in source.blocks(BLOCK_ROWS):
        rows = _flat(block)[:, model.schema_.modelled_index]
        yield np.where(np.isnan(rows), means, rows)


def _flat(block: Block) -> NDArray[np.floating[Any]]:
    rows = block if isinstance(block, np.ndarray) else block.to_numpy()
    return rows.reshape(len(rows), -1).astype(np.float64)


def _points(model: BaseAutoencoder, source: Source) -> Iterator[NDArray[np.floating[Any]]]:
    features, notices = model.model_.features, Counter[str]()
    for block in value_blocks(source, model.schema_, features, notices):
        yield features(block.rows).cpu().numpy()
    warn(notices)
