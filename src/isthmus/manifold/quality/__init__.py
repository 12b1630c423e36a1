"""Is a map true to its data? Neighbourhoods, classes and distances kept, and the way back.

:func:`map_quality` gives all figures of a map at once. The functions that end in ``_rows`` give one value per
row; a figure is their mean, with its standard error (:func:`mean_figure`).
"""

from isthmus.manifold.quality.correlation import distance_correlation as distance_correlation
from isthmus.manifold.quality.distances import Shepard as Shepard
from isthmus.manifold.quality.distances import shepard as shepard
from isthmus.manifold.quality.figure import Figure as Figure
from isthmus.manifold.quality.figure import mean_figure as mean_figure
from isthmus.manifold.quality.labels import knn_accuracy_rows as knn_accuracy_rows
from isthmus.manifold.quality.labels import neighborhood_hit_rows as neighborhood_hit_rows
from isthmus.manifold.quality.local_correlation import (
    local_distance_correlation as local_distance_correlation,
)
from isthmus.manifold.quality.neighborhoods import lcmc_rows as lcmc_rows
from isthmus.manifold.quality.neighborhoods import q_nx_curve as q_nx_curve
from isthmus.manifold.quality.neighborhoods import q_nx_rows as q_nx_rows
from isthmus.manifold.quality.neighborhoods import r_nx_area_rows as r_nx_area_rows
from isthmus.manifold.quality.neighborhoods import r_nx_curve as r_nx_curve
from isthmus.manifold.quality.neighborhoods import r_nx_rows as r_nx_rows
from isthmus.manifold.quality.rank_errors import continuity_rows as continuity_rows
from isthmus.manifold.quality.rank_errors import mrre_false_rows as mrre_false_rows
from isthmus.manifold.quality.rank_errors import mrre_missing_rows as mrre_missing_rows
from isthmus.manifold.quality.rank_errors import trustworthiness_rows as trustworthiness_rows
from isthmus.manifold.quality.ranks import NeighborRanks as NeighborRanks
from isthmus.manifold.quality.ranks import neighbor_ranks as neighbor_ranks
from isthmus.manifold.quality.roundtrip import reconstruction_error_rows as reconstruction_error_rows
from isthmus.manifold.quality.roundtrip import round_trip_error_rows as round_trip_error_rows
from isthmus.manifold.quality.summary import MapQuality as MapQuality
from isthmus.manifold.quality.summary import map_quality as map_quality

__all__ = [
    "Figure",
    "MapQuality",
    "NeighborRanks",
    "Shepard",
    "continuity_rows",
    "distance_correlation",
    "knn_accuracy_rows",
    "lcmc_rows",
    "local_distance_correlation",
    "map_quality",
    "mean_figure",
    "mrre_false_rows",
    "mrre_missing_rows",
    "neighbor_ranks",
    "neighborhood_hit_rows",
    "q_nx_curve",
    "q_nx_rows",
    "r_nx_area_rows",
    "r_nx_curve",
    "r_nx_rows",
    "reconstruction_error_rows",
    "round_trip_error_rows",
    "shepard",
    "trustworthiness_rows",
]
