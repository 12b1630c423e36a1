"""Is a map true to its data? Pure functions of arrays."""

from isthmus.manifold.curse import curse_report as curse_report
from isthmus.manifold.dimension import intrinsic_dimension as intrinsic_dimension
from isthmus.manifold.dimension import levina_bickel as levina_bickel
from isthmus.manifold.dimension import pca_dimension as pca_dimension
from isthmus.manifold.dimension import two_nn as two_nn
from isthmus.manifold.geodesics import geodesic as geodesic
from isthmus.manifold.mutual_information_gap import mutual_information_gap as mutual_information_gap
from isthmus.manifold.quality import MapQuality as MapQuality
from isthmus.manifold.quality import map_quality as map_quality

__all__ = [
    "MapQuality",
    "curse_report",
    "geodesic",
    "intrinsic_dimension",
    "levina_bickel",
    "map_quality",
    "mutual_information_gap",
    "pca_dimension",
    "two_nn",
]
