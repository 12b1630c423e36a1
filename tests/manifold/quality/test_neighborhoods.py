from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyDRMetrics.coranking_matrix import coranking_matrix, coranking_matrix_metrics, ranking_matrix
from scipy.spatial.distance import cdist
from zadu.measures import local_continuity_meta_criteria

from isthmus.manifold.quality import (
    lcmc_rows,
    neighbor_ranks,
    neighborhoods,
    q_nx_curve,
    q_nx_rows,
    r_nx_area_rows,
    r_nx_curve,
    r_nx_rows,
)


def pair(seed: int, n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    return x, x[:, :2] + rng.normal(size=(n, 2))


@given(st.integers(0, 99), st.integers(4, 25))
def test_the_curve_agrees_with_pydrmetrics(seed: int, n: int) -> None:
    x, z = pair(seed, n)
    q = coranking_matrix(ranking_matrix(cdist(x, x)), ranking_matrix(cdist(z, z)))
    with np.errstate(invalid="ignore"):  # of another of its figures
        expected = coranking_matrix_metrics(q)[2]
    found = neighbor_ranks(x, z, n_neighbors=n - 2)
    # pyDRMetrics averages over n - 1 in place of n rows.
    np.testing.assert_allclose(q_nx_curve(found), expected[: n - 2] * (n - 1) / n, atol=1e-6)


@given(st.integers(0, 99), st.integers(4, 40), st.data())
def test_lcmc_agrees_with_zadu(seed: int, n: int, data: Any) -> None:
    x, z = pair(seed, n)
    k = data.draw(st.integers(1, n - 2))
    local: Any = local_continuity_meta_criteria.measure(x, z, k=k, return_local=True)[1]
    found = neighbor_ranks(x, z, n_neighbors=k)
    np.testing.assert_allclose(lcmc_rows(found, k), local["local_lcmc"], atol=1e-6)


def test_curves_and_areas_are_what_the_rows_say(monkeypatch: pytest.MonkeyPatch) -> None:
    found, k = neighbor_ranks(*pair(0, 30), n_neighbors=28), np.arange(1, 29)
    monkeypatch.setattr(neighborhoods, "BLOCK_NUMBERS", 28 * 7)
    q, r = q_nx_curve(found), r_nx_curve(found)
    np.testing.assert_allclose(q, [q_nx_rows(found, int(some)).mean() for some in k])
    np.testing.assert_allclose(r, (29 * q - k) / (29 - k))
    np.testing.assert_allclose(r, [r_nx_rows(found, int(some)).mean() for some in k])
    assert r_nx_area_rows(found).mean() == pytest.approx((r / k).sum() / (1 / k).sum())
    rows = np.array([r_nx_rows(found, int(some)) for some in k])
    np.testing.assert_allclose(r_nx_area_rows(found), (rows / k[:, None]).sum(axis=0) / (1 / k).sum())


def test_what_is_kept_is_one_and_what_is_not_is_chance() -> None:
    rng = np.random.default_rng(0)
    x, z, xr, zr = (rng.normal(size=(n, d)) for n, d in [(400, 3), (400, 2), (300, 3), (300, 2)])
    for reference in ({}, {"X_reference": xr, "Z_reference": zr}):
        found = neighbor_ranks(x, z, n_neighbors=100, **reference)
        for rows in (lcmc_rows(found, 20), r_nx_rows(found, 20), r_nx_area_rows(found)):
            assert abs(rows.mean()) < 4 * rows.std() / 20
    kept = neighbor_ranks(x, 2 * x, X_reference=xr, Z_reference=2 * xr, n_neighbors=100)
    np.testing.assert_allclose(r_nx_area_rows(kept), 1)
    assert (q_nx_curve(kept) == 1).all()


def test_two_of_three_neighbours() -> None:
    # In the data 1, 2, 3 are nearest of five; in the map 2, 5, 1.
    x, z = np.arange(1.0, 6)[:, None], np.array([[3.0], [1], [4], [5], [2]])
    found = neighbor_ranks([[0.0]], [[0.0]], X_reference=x, Z_reference=z, n_neighbors=4)
    assert q_nx_curve(found).tolist() == pytest.approx([0, 1 / 2, 2 / 3, 3 / 4])
    assert r_nx_rows(found, 3).item() == pytest.approx((5 * 2 / 3 - 3) / 2)
    assert lcmc_rows(found, 3).item() == pytest.approx(2 / 3 - 3 / 5)
