"""The attributes that fitting sets."""

from __future__ import annotations

from typing import Any

from isthmus.data.schema import Schema
from isthmus.estimators.building import Architecture
from isthmus.model import Model

__all__ = ["Fitted"]


class Fitted:
    """Declares the fitted attributes for readers and type checkers; sets none.

    Attributes
    ----------
    model_ : Model
        The torch module.
    architecture_ : Architecture
        Sizes and parts, every "auto" resolved.
    schema_ : Schema
    n_components_ : int
    history_ : list of dict
        One row an epoch: every term in nats per row, on training and on held-out rows, and the seconds since the start.
    metrics_ : dict
        Figures on held-out rows (without any, on training rows; ``metrics_["rows"]`` says which) beside PCA's.
    n_iter_, n_training_rows_ : int
        Epochs done, and the rows learned from.
    seed_ : int
        What every random number of the fit derives from.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only after a fit on a frame whose column names are all strings.
    """

    model_: Model
    architecture_: Architecture
    schema_: Schema
    n_components_: int
    history_: list[dict[str, float]]
    metrics_: dict[str, Any]
    n_iter_: int
    n_training_rows_: int
    seed_: int
    n_features_in_: int
