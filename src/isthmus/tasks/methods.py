"""The ways to draw a map that are compared: each an estimator with `fit`, and what it can do besides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import Isomap, LocallyLinearEmbedding

from isthmus.errors import InputError, MissingLibraryError, did_you_mean, require
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.conditional import ConditionalVariationalAutoencoder
from isthmus.estimators.registry import ESTIMATORS, estimator_class
from isthmus.tasks.adapters import N_NEIGHBORS, PERPLEXITY, OpenTSNE, Umap, quiet, scikit_tsne

__all__ = ["METHODS", "UNSUPERVISED", "Method", "check_method", "estimator_method", "find_method"]


@dataclass(frozen=True)
class Method:
    """A way to draw a map.

    Attributes
    ----------
    name : str
        As it is asked for.
    title : str
        As it is shown; says which library where there are several.
    make : callable
        Given `n_components`, the number of training rows and a seed it returns an estimator. `fit` leaves the
        training rows' codes in ``embedding_``, or `transform` gives them.
    settings : str
        What it was told, in words.
    can_transform, can_invert, has_density : bool
        Whether it maps new rows, turns codes into data, and gives log p(x) of rows.
    takes_images : bool
        Whether images are given in their shape, and not as rows of numbers.
    takes_labels : bool
        Whether `fit` is given the training rows' classes.
    """

    name: str
    title: str
    make: Callable[[int, int, int], Any]
    settings: str = ""
    can_transform: bool = True
    can_invert: bool = False
    has_density: bool = False
    takes_images: bool = False
    takes_labels: bool = False


def find_method(name: str) -> Method:
    """Return the method called `name`: one of `METHODS`, or an estimator of this library.

    Raises
    ------
    InputError
        If there is none, or one that needs to be told a condition.
    MissingLibraryError
        If its library is not installed.
    """
    if name.lower() in METHODS:
        return METHODS[name.lower()]()
    try:
        return estimator_method(estimator_class(name)())
    except InputError as error:
        if str(error).startswith("no estimator"):
            known = [*METHODS, *ESTIMATORS]
            raise InputError(
                f'no method is called "{name}".{did_you_mean(name, known)} Choose from: {", ".join(known)}'
            ) from error
        raise


def check_method(name: str) -> None:
    """Refuse a name that no method has, without importing a method's library."""
    if name.lower() not in METHODS:
        find_method(name)


def estimator_method(estimator: BaseAutoencoder, name: str = "") -> Method:
    """Return an estimator of this library as a method; `n_components` and the seed are those of all methods.

    Parameters
    ----------
    estimator : estimator
        Its other parameters are kept.
    name : str, optional
        By default its class's.
    """
    title = type(estimator).__name__
    if isinstance(estimator, ConditionalVariationalAutoencoder):
        raise InputError(f"{title} is told a condition, which other methods are not; choose another")

    def make(n_components: int, n_rows: int, seed: int) -> Any:
        del n_rows
        return clone(estimator).set_params(n_components=n_components, random_state=seed)

    name = name or title
    return Method(name, name, make, f"{title} of this library", can_invert=True, takes_images=True)


def _pca() -> Method:
    def make(n_components: int, n_rows: int, seed: int) -> Any:
        del n_rows
        return PCA(n_components, random_state=seed)

    return Method("pca", "PCA", make, "scikit-learn", can_invert=True, has_density=True)


def _lda() -> Method:
    def make(n_components: int, n_rows: int, seed: int) -> Any:
        del n_rows, seed
        return LinearDiscriminantAnalysis(n_components=n_components)

    return Method(
        "lda", "LDA (told the labels)", make, "scikit-learn; learned from the labels", takes_labels=True
    )


def _isomap() -> Method:
    def make(n_components: int, n_rows: int, seed: int) -> Any:
        del seed  # its start is drawn from NumPy's global generator, which is seeded around every fit
        return Isomap(n_components=n_components, n_neighbors=min(N_NEIGHBORS, n_rows - 1))

    return Method("isomap", "Isomap", make, f"scikit-learn, {N_NEIGHBORS} neighbours")


def _lle() -> Method:
    def make(n_components: int, n_rows: int, seed: int) -> Any:
        n_neighbors = min(N_NEIGHBORS, n_rows - 1)
        return LocallyLinearEmbedding(n_components=n_components, n_neighbors=n_neighbors, random_state=seed)

    return Method("lle", "LLE", make, f"scikit-learn, {N_NEIGHBORS} neighbours")


def _tsne() -> Method:
    """Return openTSNE's, which can map new rows, or without it scikit-learn's, which cannot."""
    try:
        require("openTSNE", "compare")
    except MissingLibraryError:
        words = f"scikit-learn, perplexity {PERPLEXITY:g}; with openTSNE it could map new rows"
        return Method("tsne", "t-SNE (scikit-learn)", scikit_tsne, words, can_transform=False)
    return Method("tsne", "t-SNE (openTSNE)", OpenTSNE, f"openTSNE, perplexity {PERPLEXITY:g}")


def _umap() -> Method:
    with quiet():
        require("umap", "compare")
    words = f"umap-learn, {N_NEIGHBORS} neighbours; compiled when first used, in its seconds and memory"
    return Method("umap", "UMAP", Umap, words, can_invert=True)


def _isthmus() -> Method:
    from isthmus.estimators import ManifoldAutoencoder

    return estimator_method(ManifoldAutoencoder(), "isthmus")


METHODS: dict[str, Callable[[], Method]] = {
    "pca": _pca,
    "lda": _lda,
    "isomap": _isomap,
    "lle": _lle,
    "tsne": _tsne,
    "umap": _umap,
    "isthmus": _isthmus,
}

# All but those that see what the others' maps are measured by.
UNSUPERVISED = tuple(name for name in METHODS if name != "lda")
