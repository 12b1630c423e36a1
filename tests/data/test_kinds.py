from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from isthmus.data.inference import infer_schema
from isthmus.data.schema import Column, Schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError


def infer(X: Any, **options: Any) -> Schema:
    return infer_schema(as_source(X), **options)


def column(values: Any, **options: Any) -> Column:
    (found,) = infer(pl.DataFrame({"x": values}), **options).columns
    return found


def test_chosen_kinds_and_roles() -> None:
    frame = pl.DataFrame(
        {
            "zip": [f"{i:05}" for i in range(100)],
            "grade": [1.0, 2.0, 3.0, 4.0] * 25,
            "hits": [0.0, 2.0, 4.0, None] * 25,
            "age": list(range(100)),
            "y": [True, False] * 50,
            "w": [0.5, 1.0] * 50,
        }
    )
    kinds = {
        "zip": "categorical",
        "grade": "categorical",
        "hits": "count",
        "age": "continuous",
        "y": "categorical",
    }
    schema = infer(frame, kinds=kinds, roles={"y": "label", "w": "weight"})
    assert [c.kind for c in schema.columns] == [*kinds.values(), "continuous"]
    assert schema["grade"].levels == (1.0, 2.0, 3.0, 4.0)
    assert len(schema["zip"].levels) == 100
    assert schema["zip"].reason == "chosen by the user"
    assert [c.name for c in schema.modelled] == ["zip", "grade", "hits", "age"]
    X = np.tile([[0.0, 1.0], [2.0, 5.0], [4.0, 9.0], [4.0, np.nan]], (5, 1))
    chosen = infer(X, kinds={"x0": "count", "x1": "categorical"}).columns
    assert [c.kind for c in chosen] == ["count", "categorical"]
    assert chosen[1].levels == (1.0, 5.0, 9.0)


@pytest.mark.parametrize(
    ("kinds", "roles", "words"),
    [
        ({"b": "count"}, {}, 'no column "b"'),
        ({"aa": "count"}, {}, 'Did you mean "a"'),
        ({}, {"aa": "label"}, 'Did you mean "a"'),
        ({"a": "contnuous"}, {}, 'Did you mean "continuous"'),
        ({"a": "count"}, {}, "negative values, down to -0.5"),
        ({"a": "binary"}, {}, "3 distinct values, not 2"),
        ({"a": "datetime"}, {}, "does not hold dates"),
        ({"a": "constant"}, {}, "more than one value"),
        ({"h": "count"}, {}, "whole numbers"),
        ({"none": "continuous"}, {}, "no values to learn from"),
        ({"text": "count"}, {}, "does not hold numbers"),
        ({}, {"a": "weight"}, "weights are numbers"),
        ({}, {"a": "target"}, "not a role"),
    ],
)
def test_choices_that_the_values_contradict(kinds: Any, roles: Any, words: str) -> None:
    frame = pl.DataFrame(
        {"a": [-0.5, 1.0, 2.0], "h": [0.0, 0.5, 1.0], "none": [None] * 3, "text": ["a", "b", "c"]}
    )
    with pytest.raises(InputError) as caught:
        infer(frame, kinds=kinds, roles=roles)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_many_levels_cannot_be_chosen() -> None:
    with pytest.raises(InputError, match="too many"):
        column([f"{i}" for i in range(10_001)], kinds={"x": "categorical"})
