"""Every picture of a fitted model, as scikit-learn's Displays: computed once, drawn on any axes.

>>> MapDisplay.from_estimator(model, X, label=y)  # doctest: +SKIP
"""

from isthmus.plots.column_errors import ColumnErrorDisplay as ColumnErrorDisplay
from isthmus.plots.compare import MapsDisplay as MapsDisplay
from isthmus.plots.evidence import EvidenceDisplay as EvidenceDisplay
from isthmus.plots.grid import ImageGridDisplay as ImageGridDisplay
from isthmus.plots.labels import Labels as Labels
from isthmus.plots.loss import LossDisplay as LossDisplay
from isthmus.plots.map import MapDisplay as MapDisplay
from isthmus.plots.nearest import NearestDisplay as NearestDisplay
from isthmus.plots.reconstruction import ReconstructionDisplay as ReconstructionDisplay
from isthmus.plots.style import STYLE as STYLE
from isthmus.plots.style import new_axes as new_axes

__all__ = [
    "STYLE",
    "ColumnErrorDisplay",
    "EvidenceDisplay",
    "ImageGridDisplay",
    "Labels",
    "LossDisplay",
    "MapDisplay",
    "MapsDisplay",
    "NearestDisplay",
    "ReconstructionDisplay",
    "new_axes",
]
