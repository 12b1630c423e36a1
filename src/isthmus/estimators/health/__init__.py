"""Is a code in use, and is it like its prior? Pure functions of arrays, without torch."""

from isthmus.estimators.health.diagnosis import Diagnosis as Diagnosis
from isthmus.estimators.health.diagnosis import diagnose as diagnose

__all__ = ["Diagnosis", "diagnose"]
