from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from isthmus.parts import ColumnFacts

MakeFacts = Callable[..., ColumnFacts]
LIKE: dict[str, dict[str, Any]] = {
    "real": {},
    "unit": {"real": False, "low": 0, "high": 1, "mean": 0.3},
    "count": {"real": False, "low": 0, "high": 1e6, "mean": 2.5},
}


def facts_of(
    n_columns: int = 3, like: str = "real", *, shares: Sequence[Sequence[float]] = (), **changes: Any
) -> ColumnFacts:
    """Return facts of like columns of an array, with changes; one number stands for all columns.

    With `shares`, the training frequencies of codes, the columns are categorical.
    """
    if shares:
        n_columns, n_levels = len(shares), tuple(len(each) for each in shares)
        changes |= {"real": False, "low": 0, "high": np.array(n_levels) - 1, "n_categories": n_levels}
        changes |= {"frequencies": tuple(np.array(each) for each in shares)}
    facts: dict[str, Any] = {
        "log_jacobian": 0.0,
        "unit": 1.0,
        "resolution": 0.0,
        "mean": 0.0,
        "low": -3.0,
        "high": 3.0,
        "zero": 0.0,
        "real": True,
        "n_categories": (0,) * n_columns,
        "frequencies": (None,) * n_columns,
        "mark_missing": False,
    }
    facts |= LIKE[like] | changes
    for name in ("log_jacobian", "unit", "resolution", "mean", "low", "high", "zero"):
        facts[name] = np.broadcast_to(np.asarray(facts[name], dtype=np.float64), (n_columns,)).copy()
    facts["real"] = np.broadcast_to(facts["real"], (n_columns,)).copy()
    return ColumnFacts(names=tuple(f"x{j}" for j in range(n_columns)), **facts)


@pytest.fixture
def make_facts() -> MakeFacts:
    return facts_of


@pytest.fixture
def double() -> Iterator[None]:
    """Build modules in float64 meanwhile."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
