from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from isthmus.errors import InputError, MissingLibraryError
from isthmus.manifold.quality import (
    continuity_rows,
    map_quality,
    mrre_false_rows,
    neighbor_ranks,
    q_nx_rows,
    search,
    trustworthiness_rows,
)

pytest.importorskip("usearch")


def pair(seed: int, n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    return x, x[:, :2] + 0.3 * rng.normal(size=(n, 2))


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_it_comes_near_to_exact_ranks(held_out: bool, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SAMPLE_ROWS", 1000)
    (x, z), (xr, zr) = pair(0, 300 if held_out else 3000), pair(1, 3000)
    reference = {"X_reference": xr, "Z_reference": zr} if held_out else {}
    exact, found = (
        neighbor_ranks(
            x, z, n_neighbors=30, max_rows=300, metric=metric, approximate_above=above, **reference
        )
        for above in (3000, 2999)
    )
    assert (exact.approximate, found.approximate) == (False, True)
    np.testing.assert_array_equal(exact.row_index, found.row_index)
    hits = [np.isin(a, b).mean() for a, b in zip(found.neighbors_x, exact.neighbors_x, strict=True)]
    assert np.mean(hits) > 0.98
    assert q_nx_rows(found, 30).mean() == pytest.approx(q_nx_rows(exact, 30).mean(), abs=0.01)
    for measure in (trustworthiness_rows, continuity_rows, mrre_false_rows):
        assert measure(found, 30).mean() == pytest.approx(measure(exact, 30).mean(), abs=0.01)
    # Ranks beyond those found are estimated: without bias, and well.
    beyond = exact.ranks_x > 100
    both = beyond & (found.neighbors_z == exact.neighbors_z)
    share = found.ranks_x[both] / exact.ranks_x[both]
    assert abs(share.mean() - 1) < 0.05  # of one sample of 1,000 for all
    assert share.std() < 0.2


def test_a_row_is_not_its_own_neighbour_among_duplicates() -> None:
    x = np.repeat(np.arange(20.0), 10)[:, None] * np.ones(3)
    found = neighbor_ranks(x, x, n_neighbors=5, approximate_above=100)
    assert not (found.neighbors_x == np.arange(200)[:, None]).any()
    assert found.neighbors_x.shape == (200, 5)


def test_the_result_says_so() -> None:
    x, z = pair(0, 400)
    quality = map_quality(x, z, approximate_above=300, max_rows=50)
    assert quality.approximate
    assert quality.sampled
    assert quality.k_max == 398
    assert not map_quality(x, z, max_rows=50).approximate


def test_another_metric_is_refused_and_a_missing_library_named(monkeypatch: pytest.MonkeyPatch) -> None:
    x, z = pair(0, 50)
    with pytest.raises(InputError, match='"cityblock" does not allow; choose one of euclidean, cosine'):
        neighbor_ranks(x, z, n_neighbors=3, metric="cityblock", approximate_above=20)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(MissingLibraryError, match=r'pip install "isthmus\[search\]"'):
        neighbor_ranks(x, z, n_neighbors=3, approximate_above=20)
