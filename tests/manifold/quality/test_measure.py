from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import InputError
from isthmus.manifold.quality import measure
from isthmus.manifold.quality.measure import Distances, all_distances, sort_exactly, squared_differences


def sort(rows: Any, reference: Any) -> np.ndarray[Any, Any]:
    values, error = Distances(reference, "euclidean").values(rows)
    return sort_exactly(values, error, lambda i, j: squared_differences(rows, reference, i, j))


def directly(rows: Any, reference: Any) -> np.ndarray[Any, Any]:
    """Differences, and a stable sort: what the fast way must give bit by bit."""
    squared = np.square(rows[:, None] - reference).sum(axis=2)
    return np.argsort(squared, axis=1, kind="stable")


@given(
    st.integers(0, 99), st.sampled_from([1, 17, 60]), st.sampled_from(["normal", "whole", "thirds", "far"])
)
def test_it_sorts_as_differences_do(seed: int, columns: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    make = {
        "normal": lambda n: rng.normal(size=(n, columns)),
        "whole": lambda n: rng.integers(0, 2, (n, columns)).astype(float),
        "thirds": lambda n: rng.integers(0, 2, (n, columns)) / 3,  # nearly all distances are tied
        "far": lambda n: 1e7 + rng.integers(0, 9, (n, columns)) / 10,
    }[kind]
    rows, reference = make(8), make(40)
    reference[7] = reference[31] = rows[2]
    np.testing.assert_array_equal(sort(rows, reference), directly(rows, reference))


def test_an_outlier_spoils_nothing() -> None:
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(50, 30))
    reference[0] = 1e9
    np.testing.assert_array_equal(sort(reference[1:9], reference), directly(reference[1:9], reference))


def test_rounding_alone_would_get_it_wrong() -> None:
    # Guards the test above: without measuring again, the same rows are sorted otherwise.
    rng = np.random.default_rng(0)
    rows, reference = rng.integers(0, 2, (8, 60)) / 3, rng.integers(0, 2, (400, 60)) / 3
    values, _ = Distances(reference, "euclidean").values(rows)
    assert (np.argsort(values, axis=1, kind="stable") != directly(rows, reference)).any()


def test_the_error_bounds_the_rounding() -> None:
    rng = np.random.default_rng(0)
    rows, reference = rng.normal(size=(20, 300)) + 5, rng.normal(size=(90, 300)) + 5
    reference[0] += 1e4
    values, error = Distances(reference, "euclidean").values(rows)
    exact = np.square(rows[:, None].astype(np.longdouble) - reference).sum(axis=2)
    assert (np.abs(values - exact) <= error).all()
    assert np.max(error) < 1e-10 * np.square(reference).sum(axis=1).max()


def test_whole_numbers_are_exact() -> None:
    rng = np.random.default_rng(0)
    rows, reference = (
        rng.integers(0, 256, (5, 784)).astype(float),
        rng.integers(0, 256, (9, 784)).astype(float),
    )
    values, error = Distances(reference, "euclidean").values(rows)
    assert error == 0
    np.testing.assert_array_equal(values, np.square(rows[:, None] - reference).sum(axis=2))


def test_blocks_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows, others = rng.normal(size=(9, 50)), rng.normal(size=(9, 50))
    i, j = rng.integers(0, 9, (2, 200))
    whole = squared_differences(rows, others, i, j)
    monkeypatch.setattr(measure, "BLOCK_NUMBERS", 150)
    np.testing.assert_array_equal(squared_differences(rows, others, i, j), whole)


def test_metrics_are_scipys() -> None:
    rows = np.array([[1.0, 2.0]])
    assert Distances(np.array([[4.0, 6.0]]), "cityblock").values(rows)[0].item() == 7
    assert Distances(np.array([[4.0, 6.0]]), "euclidean").values(rows)[0].item() == 25
    with pytest.raises(InputError, match=r'metric is "euclidian".* give a name'):
        all_distances(rows, rows, "euclidian")
    with pytest.raises(InputError, match='"cosine" gives no distance for some rows'):
        all_distances(rows, 0 * rows, "cosine")
