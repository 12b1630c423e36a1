"""The plain autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.docs import document
from isthmus.estimators.registry import register

__all__ = ["Autoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class Autoencoder(BaseAutoencoder):
    """A row becomes a point, the code, and the code a row again; ``hidden_sizes=()`` equals PCA.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = Autoencoder(10, max_epochs=3, random_state=0).fit(digits)
    >>> model.transform(digits).shape
    (1797, 10)
    """

    paper: ClassVar[str] = 'Baldi & Hornik, "Neural networks and principal component analysis", 1989'
