"""Can a classifier tell two samples apart? If none can do better than guess, they are alike."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.utils import check_random_state

from isthmus.errors import InputError

__all__ = ["LEAST_ROWS", "TwoSample", "classifier_two_sample"]

N_FOLDS = 5
# With fewer rows of each sample the standard error alone is above a tenth.
LEAST_ROWS = 20
# A hundred small trees took half a second, and told apart what forests and perceptrons did in two.
N_TREES, N_LEAVES, LEAF_ROWS = 100, 15, 20
# Folds share most of the rows they learn from, so that their answers err together: over 160 pairs of equal
# samples the accuracy varied 1.25 times as much as that many independent answers would.
FOLDS_ERR_TOGETHER = 1.25


class TwoSample(NamedTuple):
    """How well two samples can be told apart.

    Attributes
    ----------
    accuracy : float
        Share of rows whose sample a classifier names rightly, without having learned from them: 0.5 where
        the samples are indistinguishable, 1 where they have nothing in common.
    standard_error : float
        Of the accuracy: how much another draw of as many rows would change it.
    """

    accuracy: float
    standard_error: float


def classifier_two_sample(
    a: ArrayLike, b: ArrayLike, random_state: int | np.random.RandomState | None = 0, *, max_rows: int = 2000
) -> TwoSample:
    """Measure how well a classifier tells rows of `a` from rows of `b`, cross-validated.

    The classifier is an ensemble of boosted trees, which also sees how far each row lies from the middle of
    both samples. Column by column the units do not matter.

    Parameters
    ----------
    a, b : array-like of shape (n_a, ...) and (n_b, ...)
        Two independent samples of rows, of finite numbers. As many rows of each are compared: of the larger
        sample a random part. The axes of an image count as columns.
    random_state : int, RandomState or None, default=0
        Draws the rows and the folds.
    max_rows : int, default=2000
        Rows of each sample that are compared at most.

    Returns
    -------
    TwoSample
        ``accuracy`` and ``standard_error``.

    References
    ----------
    D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> accuracy, _ = classifier_two_sample(rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) + 9)
    >>> accuracy
    1.0
    """
    samples = [_matrix(a, "a"), _matrix(b, "b")]
    if samples[0].shape[1] != samples[1].shape[1]:
        raise InputError(
            f"a has {samples[0].shape[1]} columns, b has {samples[1].shape[1]}; give samples of equal columns"
        )
    random = check_random_state(random_state)
    n = min(max_rows, *map(len, samples))
    if n < LEAST_ROWS:
        raise InputError(f"only {n} rows of each sample can be compared; give {LEAST_ROWS} or more")
    rows = np.concatenate([rows[random.permutation(len(rows))[:n]] for rows in samples])
    right = _answers(_with_radius(rows), np.repeat([0, 1], n), random)
    return TwoSample(float(right.mean()), _standard_error(right))


def _matrix(sample: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.asarray(sample)
    if array.ndim < 2 or not math.prod(array.shape[1:]):
        raise InputError(f"{name} has shape {array.shape}; give rows of at least one column")
    rows = array.reshape(len(array), math.prod(array.shape[1:])).astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError(f"{name} has NaN or infinity; fill in missing values or leave those rows out")
    return rows


def _standard_error(right: NDArray[np.bool_]) -> float:
    """Return the accuracy's standard error, which is not 0 either where all answers are right."""
    n = len(right)
    share = (int(right.sum()) + 1) / (n + 2)
    return FOLDS_ERR_TOGETHER * math.sqrt(share * (1 - share) / n)


def _with_radius(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add each row's distance from the middle, in standard deviations: trees could only piece it together."""
    centred = rows - rows.mean(axis=0)
    sd = centred.std(axis=0)
    radius = np.linalg.norm(centred / np.where(sd > 0, sd, 1.0), axis=1)
    return np.column_stack([rows, radius])


def _answers(rows: NDArray[np.float64], labels: NDArray[Any], random: Any) -> NDArray[np.bool_]:
    """Return which rows' labels were named rightly by a classifier that had not seen them."""
    classifier = HistGradientBoostingClassifier(
        max_iter=N_TREES,
        max_leaf_nodes=N_LEAVES,
        min_samples_leaf=min(LEAF_ROWS, len(rows) // 10),
        early_stopping=False,
        random_state=0,
    )
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=random)
    return cross_val_predict(classifier, rows, labels, cv=folds) == labels
