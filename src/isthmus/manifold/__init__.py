"""Is a map true to its data? Pure functions of arrays."""

from isthmus.manifold.dimension import two_nn as two_nn

__all__ = ["two_nn"]
