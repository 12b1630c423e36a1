"""The manifold autoencoder."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.docs import document
from isthmus.estimators.registry import register
from isthmus.parts.posteriors import Places, Posterior
from isthmus.parts.terms import NeighborEmbedding, Term

__all__ = ["ManifoldAutoencoder"]

METRICS = {"euclidean", "manhattan", "chebyshev", "cosine", "correlation"}


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class ManifoldAutoencoder(BaseAutoencoder):
    """A map that keeps neighbourhoods and decodes: new rows are mapped at once, and points become rows again.

    Beside the likelihood of a row given its code, it learns that nearest neighbours in the data shall be
    neighbours on the map and other rows shall not. Where rows have more dimensions than the map, as TwoNN
    estimates them, no smooth map can do so. Training rows then have positions that move freely for both; from
    these the encoder learns to tell which of many places on the map a row belongs to, and the likeliest
    region is where new rows are put. The positions are forgotten with the rows.

    Neighbours count by the weights of UMAP's graph. Where positions are free they first settle among their
    neighbours alone, which takes a few steps without networks for each of the model's.

    The graph of neighbours is built once, from the training rows, which therefore have to fit in memory;
    `partial_fit` builds one within each chunk, where the first chunk says where places are, and `fit_loader`
    cannot.

    Parameters
    ----------
    {parameters}
    n_neighbors : int, default=15
        Of each row: fewer show finer structure, more the coarser one, as in UMAP.
    metric : {"euclidean", "manhattan", "chebyshev", "cosine", "correlation"}, default="euclidean"
        By which rows are neighbours: by the data's own units in arrays, by training standard deviations in
        frames.
    min_dist : float, default=0.1
        Codes nearer than this are not drawn nearer still; larger values spread clusters out. The map's unit
        is the distance at which the pull of neighbours is halved.
    neighbor_weight : float, default=1.0
        Of neighbourhoods beside the likelihood: with less, the map decodes better; 0 leaves it to the
        likelihood alone.

    Attributes
    ----------
    {attributes}

    Notes
    -----
    `y` is not used: the map knows no labels.

    References
    ----------
    S. Damrich, J. N. Boehm, F. A. Hamprecht and D. Kobak, "From t-SNE to UMAP with contrastive learning",
    ICLR 2023; L. McInnes, J. Healy and J. Melville, "UMAP: uniform manifold approximation and projection",
    arXiv:1802.03426 (2018); T. Sainburg, L. McInnes and T. Q. Gentner, "Parametric UMAP embeddings for
    representation and semi-supervised learning", Neural Computation 33 (2021).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = ManifoldAutoencoder(max_epochs=3, random_state=0).fit(digits)
    >>> model.transform(digits).shape
    (1797, 2)
    >>> model.inverse_transform([[0.0, 0.0]]).shape
    (1, 64)
    """

    n_components: int | str = field(default=2, kw_only=False)
    n_neighbors: int = 15
    metric: str = "euclidean"
    min_dist: float = 0.1
    neighbor_weight: float = 1.0

    paper: ClassVar[str] = (
        'Sainburg et al., "Parametric UMAP embeddings", Neural Computation 2021; Damrich et al., ICLR 2023'
    )
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseAutoencoder._parameter_constraints | {
        "n_neighbors": [Interval(numbers.Integral, 1, None, closed="left")],
        "metric": [StrOptions(METRICS)],
        "min_dist": [Interval(numbers.Real, 0, None, closed="left")],
        "neighbor_weight": [Interval(numbers.Real, 0, None, closed="left")],
    }

    def _posterior(self) -> Posterior:
        return Places()

    def _terms(self) -> tuple[Term, ...]:
        return (
            NeighborEmbedding(
                float(self.neighbor_weight), int(self.n_neighbors), self.metric, float(self.min_dist)
            ),
        )
