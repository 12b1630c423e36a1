"""The attributes that fitting sets."""

from __future__ import annotations

from typing import Any

from isthmus.data.schema import Schema
from isthmus.estimators.architecture import Architecture
from isthmus.model import Model

__all__ = ["Fitted"]


class Fitted:
    """Declares the fitted attributes for readers and type checkers; `docs` says what each is."""

    model_: Model
    architecture_: Architecture
    schema_: Schema
    condition_schema_: Schema | None
    n_components_: int
    history_: list[dict[str, float]]
    metrics_: dict[str, Any]
    n_iter_: int
    n_training_rows_: int
    seed_: int
    n_features_in_: int
