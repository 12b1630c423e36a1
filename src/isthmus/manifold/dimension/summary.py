"""What all estimators say of the same rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import ArrayLike

from isthmus.manifold.dimension.levina_bickel import levina_bickel
from isthmus.manifold.dimension.pca import pca_dimensions
from isthmus.manifold.dimension.rows import distinct, draw, most_dimensions
from isthmus.manifold.dimension.two_nn import two_nn

__all__ = ["IntrinsicDimension", "intrinsic_dimension"]


@dataclass(frozen=True)
class IntrinsicDimension:
    """Estimates of how many numbers say where a row lies.

    Attributes
    ----------
    two_nn, levina_bickel : float
        Of the surface on which the rows lie, wherever it bends.
    explained_variance, kaiser, broken_stick, participation_ratio, minka : float
        Of the flat space around it, by the variances along principal components.
    n_rows, n_distinct, n_columns : int
        What was measured: rows, how many of them are different, and columns.
    at_most : float
        What the rows can span: the number of columns, or of distinct rows less one.
    """

    two_nn: float
    levina_bickel: float
    explained_variance: float
    kaiser: float
    broken_stick: float
    participation_ratio: float
    minka: float
    n_rows: int
    n_distinct: int
    n_columns: int
    at_most: float

    def as_dict(self) -> dict[str, Any]:
        """Return all of it by name."""
        return asdict(self)


def intrinsic_dimension(
    X: ArrayLike, *, max_rows: int = 5000, random_state: int | None = 0
) -> IntrinsicDimension:
    """Estimate the dimension of data in every way there is here, each with its defaults, on the same rows.

    Of surfaces that bend, `two_nn` and `levina_bickel` are the ones to read. Both fall short of high
    dimensions, where no affordable number of rows is dense: by 5 % and 8 % of a 10-dimensional sphere, of
    5,000 rows. Noise that is larger than the distance between neighbours makes them larger.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers; distances and variances are taken in the units given.
    max_rows : int, default=5000
        Of more rows, this many are drawn without replacement.
    random_state : int or None, default=0
        Draws those rows.

    Examples
    --------
    >>> import numpy as np
    >>> angle = np.random.default_rng(0).uniform(0, 6, (500, 1))
    >>> found = intrinsic_dimension(np.hstack([np.cos(angle), np.sin(angle), 0 * angle]))
    >>> round(found.levina_bickel), found.explained_variance
    (1, 2.0)
    """
    rows = draw(X, max_rows, random_state, "intrinsic_dimension")
    different, _ = distinct(rows)
    return IntrinsicDimension(
        two_nn=two_nn(rows, max_rows=len(rows)),
        levina_bickel=levina_bickel(rows, max_rows=len(rows)),
        **pca_dimensions(rows, max_rows=len(rows)),
        n_rows=len(rows),
        n_distinct=len(different),
        n_columns=rows.shape[1],
        at_most=most_dimensions(different),
    )
