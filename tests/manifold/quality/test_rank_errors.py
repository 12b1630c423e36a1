from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness
from zadu.measures import mean_relative_rank_error, trustworthiness_continuity

from isthmus.errors import InputError
from isthmus.manifold.quality import (
    continuity_rows,
    mrre_false_rows,
    mrre_missing_rows,
    neighbor_ranks,
    trustworthiness_rows,
)

MEASURES = (trustworthiness_rows, continuity_rows, mrre_false_rows, mrre_missing_rows)


def pair(seed: int, n: int, columns: int) -> tuple[Any, Any]:
    """Data, and a map that keeps some of it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    return x, x[:, :2] + rng.normal(size=(n, min(columns, 2)))


@given(st.integers(0, 999), st.integers(5, 60), st.sampled_from([1, 3, 40]), st.data())
def test_they_agree_with_scikit_learn_and_zadu(seed: int, n: int, columns: int, data: Any) -> None:
    x, z = pair(seed, n, columns)
    k = data.draw(st.integers(1, (n - 1) // 2))
    found = neighbor_ranks(x, z, n_neighbors=k)
    assert trustworthiness_rows(found, k).mean() == pytest.approx(
        trustworthiness(x, z, n_neighbors=k), abs=1e-6
    )
    assert continuity_rows(found, k).mean() == pytest.approx(trustworthiness(z, x, n_neighbors=k), abs=1e-6)
    local: Any = trustworthiness_continuity.measure(x, z, k=k, return_local=True)[1]
    np.testing.assert_allclose(trustworthiness_rows(found, k), local["local_trustworthiness"], atol=1e-6)
    np.testing.assert_allclose(continuity_rows(found, k), local["local_continuity"], atol=1e-6)
    local = mean_relative_rank_error.measure(x, z, k=k, return_local=True)[1]
    np.testing.assert_allclose(1 - mrre_false_rows(found, k), local["local_mrre_false"], atol=1e-6)
    np.testing.assert_allclose(1 - mrre_missing_rows(found, k), local["local_mrre_missing"], atol=1e-6)


@pytest.mark.parametrize("k", [1, 4, 5, 7, 9])
def test_a_map_that_turns_the_order_around_is_the_worst(k: int) -> None:
    # One held-out row at 0 sees ten rows at 1 to 10, in the map at 10 to 1.
    at = np.arange(1.0, 11)[:, None]
    found = neighbor_ranks([[0.0]], [[0.0]], X_reference=at, Z_reference=11 - at, n_neighbors=k)
    np.testing.assert_allclose(trustworthiness_rows(found, k), 0, atol=1e-12)
    np.testing.assert_allclose(continuity_rows(found, k), 0, atol=1e-12)
    rank = np.arange(1, k + 1)
    expected = (abs(11 - 2 * rank) / rank).sum() / (abs(12 - 2 * rank) / rank).sum()
    np.testing.assert_allclose(mrre_false_rows(found, k), expected)
    np.testing.assert_allclose(mrre_missing_rows(found, k), expected)


def test_one_intruder_counts_by_its_rank() -> None:
    # In the map the nearest is the row of rank 4: it exceeds k = 1 by 3, of at most 5 - 1.
    x, z = np.arange(1.0, 6)[:, None], np.array([[2.0], [3], [4], [1], [5]])
    found = neighbor_ranks([[0.0]], [[0.0]], X_reference=x, Z_reference=z, n_neighbors=1)
    assert trustworthiness_rows(found, 1).item() == pytest.approx(1 - 3 / 4)
    # The nearest in the data has rank 2 in the map.
    assert continuity_rows(found, 1).item() == pytest.approx(1 - 1 / 4)
    assert mrre_false_rows(found, 1).item() == pytest.approx(3 / 5)
    assert mrre_missing_rows(found, 1).item() == pytest.approx(1 / 5)


def test_held_out_rows_count_as_rows_that_are_left_out() -> None:
    x, z = pair(0, 15, 4)
    whole = neighbor_ranks(x, z, n_neighbors=4)
    for i in range(15):
        rest = np.delete(np.arange(15), i)
        one = neighbor_ranks(x[[i]], z[[i]], X_reference=x[rest], Z_reference=z[rest], n_neighbors=4)
        for measure in MEASURES:
            assert measure(one, 4).item() == pytest.approx(measure(whole, 4)[i])


def test_more_neighbours_than_are_known_are_refused() -> None:
    found = neighbor_ranks(*pair(0, 9, 2), n_neighbors=3)
    for measure in MEASURES:
        with pytest.raises(InputError, match="n_neighbors is 4, and 3 neighbours of each row are known"):
            measure(found, 4)
