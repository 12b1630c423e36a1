"""Maps of the same rows by several methods, side by side: how true each is, what it takes and what it can."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from isthmus.data.schema import Schema
from isthmus.errors import InputError, MissingLibraryError
from isthmus.manifold.quality import (
    Figure,
    mean_figure,
    reconstruction_error_rows,
)
from isthmus.tasks.comparison import Comparison, MethodMap, NotRun
from isthmus.tasks.map_rows import MapRows, split_rows
from isthmus.tasks.mapping import FAILURES, draw_map
from isthmus.tasks.methods import UNSUPERVISED, Method, find_method

__all__ = ["compare_maps"]


def compare_maps(
    X: Any,
    methods: Sequence[str | Method] = UNSUPERVISED,
    *,
    labels: ArrayLike | None = None,
    held_out: Any = None,
    held_out_labels: ArrayLike | None = None,
    schema: Schema | None = None,
    n_components: int = 2,
    test_fraction: float = 0.2,
    n_neighbors: Sequence[int] = (10, 30),
    max_rows: int = 5000,
    random_state: int = 0,
    on_method: Callable[[str, str], None] | None = None,
) -> Comparison:
    """Fit several methods to the same rows, and measure their maps on the same rows that none has seen.

    All methods see the same numbers: an array's as they are, of a frame what an encoder reads. A held-out
    row's neighbours are sought among the training rows, in the data and in the map. A method that cannot map
    new rows is measured on the training rows instead, which flatters it, and its row says so. One whose
    library is not installed, or that fails on these rows, is named with the reason.

    Parameters
    ----------
    X : array, frame or Source
        Rows as an estimator's `fit` takes them.
    methods : sequence of str or Method, default=("pca", "isomap", "lle", "tsne", "umap", "isthmus")
        "isthmus" is `ManifoldAutoencoder`; others of this library by their class names. "lda" is told the
        labels, which flatters it in figures of labels.
    labels : array-like of shape (n_rows,), optional
        None but "lda" learns from them. If they are classes, figures of classes are taken; see `are_classes`.
    held_out, held_out_labels : rows like X and their labels, optional
        By default some of X.
    schema : Schema, optional
        What the columns are; else inferred.
    n_components : int, default=2
    test_fraction : float, default=0.2
        Share of the rows to hold out.
    n_neighbors : sequence of int, default=(10, 30)
        Sizes of neighbourhoods that figures are taken for.
    max_rows : int, default=5000
        Of more rows this many are drawn: Isomap and others take time and memory with their square.
    random_state : int, default=0
        Of the draw, of the split and of every method.
    on_method : callable, optional
        Told title and outcome after each method.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits(n_class=4)
    >>> found = compare_maps(digits.data, ("pca",), labels=digits.target)
    >>> round(found.maps[0].figures["trustworthiness@10"].value, 2)
    0.87
    """
    _check(n_components, max_rows, random_state, methods)
    resolved = [(_name(method), _resolve(method)) for method in methods]
    rows = split_rows(
        X,
        held_out,
        labels=labels,
        held_out_labels=held_out_labels,
        schema=schema,
        test_fraction=test_fraction,
        max_rows=max_rows,
        seed=random_state,
    )
    sizes = _checked_sizes(n_neighbors, len(rows.training))
    maps, not_run = list[MethodMap](), list[NotRun]()
    for name, method in resolved:
        try:
            if isinstance(method, MissingLibraryError):
                raise method
            maps.append(draw_map(method, rows, n_components, sizes, random_state))
            outcome = f"{maps[-1].fit_seconds:.1f} s"
        except (*FAILURES, MissingLibraryError) as error:
            not_run.append(NotRun(name, _why(error)))
            outcome = not_run[-1].why
        if on_method is not None:
            on_method(name, outcome)
    return Comparison(
        tuple(maps), tuple(not_run), rows, n_components, random_state, _pca_error(rows, n_components)
    )


def _check(n_components: Any, max_rows: Any, seed: Any, methods: Sequence[str | Method]) -> None:
    for name, value, least in (
        ("n_components", n_components, 1),
        ("max_rows", max_rows, 2),
        ("random_state", seed, 0),
    ):
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
            raise InputError(f"{name} is {value!r}; give a whole number of at least {least}")
    names = [_name(method) for method in methods]
    twice = next((name for name in names if names.count(name) > 1), None)
    if not names or twice is not None:
        told = "methods is empty" if twice is None else f"methods has {twice} twice"
        raise InputError(f"{told}; give one or more, each once, such as {', '.join(UNSUPERVISED)}")


def _name(method: str | Method) -> str:
    return method.name if isinstance(method, Method) else method


def _resolve(method: str | Method) -> Method | MissingLibraryError:
    try:
        return find_method(method) if isinstance(method, str) else method
    except MissingLibraryError as error:
        return error


def _checked_sizes(n_neighbors: Sequence[int], n_training: int) -> list[int]:
    sizes = [int(k) for k in np.atleast_1d(n_neighbors)]
    if not sizes or min(sizes) < 1 or max(sizes) > n_training - 2:
        raise InputError(
            f"n_neighbors is {tuple(sizes)} and there are {n_training} training rows; "
            f"give numbers from 1 to {n_training - 2}, or more rows"
        )
    return sizes


def _why(error: BaseException) -> str:
    if isinstance(error, MissingLibraryError):
        return f"not installed: {str(error).rpartition(': ')[2]}"
    return f"failed: {' '.join(str(error).split()) or type(error).__name__}"


def _pca_error(rows: MapRows, n_components: int) -> Figure:
    pca = PCA(min(n_components, *rows.training.shape), random_state=0).fit(rows.training)
    again = pca.inverse_transform(pca.transform(rows.held_out))
    return mean_figure(reconstruction_error_rows(rows.held_out, again))
