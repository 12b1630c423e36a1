"""How many numbers it takes, locally, to say where a row lies: the intrinsic dimension of data."""

from isthmus.manifold.dimension.levina_bickel import levina_bickel as levina_bickel
from isthmus.manifold.dimension.levina_bickel import local_dimensions as local_dimensions
from isthmus.manifold.dimension.pca import pca_dimension as pca_dimension
from isthmus.manifold.dimension.pca import pca_dimensions as pca_dimensions
from isthmus.manifold.dimension.summary import IntrinsicDimension as IntrinsicDimension
from isthmus.manifold.dimension.summary import intrinsic_dimension as intrinsic_dimension
from isthmus.manifold.dimension.two_nn import two_nn as two_nn

__all__ = [
    "IntrinsicDimension",
    "intrinsic_dimension",
    "levina_bickel",
    "local_dimensions",
    "pca_dimension",
    "pca_dimensions",
    "two_nn",
]
