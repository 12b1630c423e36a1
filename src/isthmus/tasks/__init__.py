"""What models are used for, beyond codes and their rows: pure functions of a model and data."""

from isthmus.tasks.compare import compare_maps as compare_maps
from isthmus.tasks.dimension import dimension_by_evidence as dimension_by_evidence
from isthmus.tasks.generation import nearest as nearest

__all__ = ["compare_maps", "dimension_by_evidence", "nearest"]
