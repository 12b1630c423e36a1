"""Other libraries' maps under the names of scikit-learn: `fit`, ``embedding_``, `transform`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from numpy.typing import NDArray
from sklearn.manifold import TSNE

from isthmus.errors import require

__all__ = ["N_NEIGHBORS", "PERPLEXITY", "OpenTSNE", "Umap", "quiet", "scikit_tsne"]

# Of each row, in the graph of Isomap, locally linear embedding and UMAP (its default).
N_NEIGHBORS = 15
PERPLEXITY = 30.0  # t-SNE's default


def scikit_tsne(n_components: int, n_rows: int, seed: int) -> Any:
    """Return scikit-learn's t-SNE, which cannot map new rows."""
    perplexity = _perplexity(n_rows)
    return TSNE(n_components, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)


def _perplexity(n_rows: int) -> float:
    return min(PERPLEXITY, (n_rows - 1) / 3)


class OpenTSNE:
    """openTSNE under the names of scikit-learn."""

    def __init__(self, n_components: int, n_rows: int, seed: int) -> None:
        self.tsne = require("openTSNE", "compare").TSNE(
            n_components, perplexity=_perplexity(n_rows), random_state=seed, n_jobs=1
        )

    def fit(self, X: NDArray[Any]) -> Self:
        self.embedding_ = self.tsne.fit(X)
        return self

    def transform(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.embedding_.transform(X)


class Umap:
    """UMAP, without its remarks on its own dependencies."""

    def __init__(self, n_components: int, n_rows: int, seed: int) -> None:
        with quiet():
            self.umap = require("umap", "compare").UMAP(
                min(N_NEIGHBORS, n_rows - 1), n_components=n_components, random_state=seed, n_jobs=1
            )

    def fit(self, X: NDArray[Any]) -> Self:
        with quiet():
            self.embedding_ = self.umap.fit_transform(X)
        return self

    def transform(self, X: NDArray[Any]) -> NDArray[Any]:
        with quiet():
            return self.umap.transform(X)

    def inverse_transform(self, Z: NDArray[Any]) -> NDArray[Any]:
        with quiet():
            return self.umap.inverse_transform(Z)


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out warnings for the library's own developers."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning, PendingDeprecationWarning, ImportWarning):
            warnings.simplefilter("ignore", category)
        yield
