"""What models are used for, beyond codes and their rows: pure functions of a model and data."""

from isthmus.tasks.generation import nearest as nearest

__all__ = ["nearest"]
