from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from isthmus.errors import InputError
from isthmus.manifold import nearest_neighbors as module
from isthmus.manifold.nearest_neighbors import nearest_neighbors

ROWS = np.random.default_rng(0).normal(size=(300, 5))
QUERIES = np.random.default_rng(1).normal(size=(40, 5))


@pytest.mark.parametrize("searched", [False, True])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
@pytest.mark.parametrize("queries", [None, QUERIES], ids=["own", "others"])
def test_are_the_nearest_of_all(
    monkeypatch: pytest.MonkeyPatch, searched: bool, metric: str, queries: np.ndarray | None
) -> None:
    if searched:  # on so few rows the search along a graph misses none
        monkeypatch.setattr(module, "EXACT_ROWS", 10)
    positions, distances = nearest_neighbors(ROWS, 7, metric=metric, queries=queries)
    truth = cdist(ROWS if queries is None else queries, ROWS, metric)
    if queries is None:
        np.fill_diagonal(truth, np.inf)
    assert np.array_equal(positions, truth.argsort(axis=1)[:, :7])
    np.testing.assert_allclose(distances, np.sort(truth, axis=1)[:, :7], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("queries", [None, np.ones((2, 5))], ids=["own", "others"])
def test_rows_without_a_distance_are_refused(queries: np.ndarray | None) -> None:
    rows = ROWS.copy()
    if queries is None:
        rows[10] = 0.0
    with pytest.raises(InputError, match='"correlation" gives no distance for some rows'):
        nearest_neighbors(rows, 7, metric="correlation", queries=queries)


@pytest.mark.parametrize("searched", [False, True])
def test_a_row_is_not_its_own_neighbour_even_among_copies(
    monkeypatch: pytest.MonkeyPatch, searched: bool
) -> None:
    if searched:
        monkeypatch.setattr(module, "EXACT_ROWS", 10)
    positions, distances = nearest_neighbors(np.repeat(ROWS[:10], 4, axis=0), 3)
    assert (positions != np.arange(40)[:, None]).all()
    assert np.array_equal(np.sort(positions // 4, axis=1), np.repeat(np.arange(40)[:, None] // 4, 3, axis=1))
    np.testing.assert_allclose(distances, 0, atol=1e-6)
