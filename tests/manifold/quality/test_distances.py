from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist
from scipy.stats import rankdata, spearmanr
from zadu.measures import pearson_r, scale_normalized_stress, spearman_rho

from isthmus.errors import InputError
from isthmus.manifold.quality import pairs, shepard
from isthmus.manifold.quality.pairs import average_ranks


def pair(seed: int, n: int, columns: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    return x, x[:, :2] + rng.normal(size=(n, min(columns, 2)))


@given(st.integers(0, 99), st.integers(4, 40), st.sampled_from([1, 3, 40]))
def test_it_agrees_with_zadu(seed: int, n: int, columns: int) -> None:
    x, z = pair(seed, n, columns)
    spearman, pearson, stress = shepard(x, z)
    assert spearman.value == pytest.approx(spearman_rho.measure(x, z)["spearman_rho"], abs=1e-6)
    assert pearson.value == pytest.approx(pearson_r.measure(x, z)["pearson_r"], abs=1e-6)
    expected = scale_normalized_stress.measure(x, z)["scale_normalized_stress"]
    assert stress.value == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 99), st.sampled_from([1, 30]), st.sampled_from([1, 3]))
def test_ties_share_their_rank_also_where_sums_are_rounded(seed: int, columns: int, divisor: int) -> None:
    rng = np.random.default_rng(seed)
    x, z = rng.integers(0, 2, (12, columns)), rng.normal(size=(12, 2))
    x[0], x[1] = 0, 1
    # SciPy is given whole numbers, of which no sum is rounded.
    expected = spearmanr(pdist(x, "sqeuclidean"), pdist(z)).statistic
    assert shepard(x / divisor, z).spearman.value == pytest.approx(expected, abs=1e-9)


def test_ranks_are_exact_where_a_far_row_makes_rounding_coarse() -> None:
    x, z = pair(0, 40, 30)
    x[0] = 1e8
    expected = spearmanr(pdist(x), pdist(z)).statistic
    assert shepard(x, z).spearman.value == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.integers(0, 5), min_size=1))
def test_average_ranks_are_scipys(values: list[int]) -> None:
    order = np.argsort(values)
    ranks = average_ranks(np.array(values, float)[order], order)
    np.testing.assert_array_equal(ranks, rankdata(values))


@given(st.integers(0, 99), st.sampled_from([3, 30]))
def test_held_out_rows_are_paired_with_reference_rows(seed: int, columns: int) -> None:
    (x, z), (xr, zr) = pair(seed, 8, columns), pair(seed + 500, 11, columns)
    spearman, pearson, stress = shepard(x, z, X_reference=xr, Z_reference=zr)
    a, b = cdist(x, xr).ravel(), cdist(z, zr).ravel()
    assert spearman.value == pytest.approx(spearmanr(a, b).statistic)
    assert pearson.value == pytest.approx(np.corrcoef(a, b)[0, 1])
    left = a - b * np.linalg.lstsq(b[:, None], a)[0]
    assert stress.value == pytest.approx(np.linalg.norm(left) / np.linalg.norm(a))


def test_scale_and_order_do_not_matter_and_blocks_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    x, z = pair(0, 60, 30)
    first, p = shepard(x, z), np.random.default_rng(0).permutation(60)
    np.testing.assert_allclose(shepard(3 * x[p], z[p] / 7), first, rtol=1e-9)
    monkeypatch.setattr(pairs, "BLOCK_NUMBERS", 500)
    np.testing.assert_allclose(shepard(x, z), first, rtol=1e-9)


def test_a_true_map_and_a_map_of_one_point() -> None:
    x, z = pair(0, 20, 3)
    true = shepard(x, 5 * x)
    assert [figure.value for figure in true] == pytest.approx([1, 1, 0], abs=1e-12)
    assert [figure.standard_error for figure in true] == pytest.approx([0, 0, 0], abs=1e-9)
    spearman, pearson, stress = shepard(x, 0 * z)
    assert spearman == pearson == (0, 0)
    assert stress == pytest.approx((1, 0))
    assert shepard(0 * x, z) == ((0, 0), (0, 0), (0, 0))


@pytest.mark.parametrize("held_out", [False, True])
def test_the_standard_error_is_how_much_draws_differ(held_out: bool) -> None:
    # 150 rows of 3,000, drawn 60 times: pairs of one row go together, so that pairs cannot be counted alone.
    x, z = pair(0, 3000, 5)
    reference = {"X_reference": x[:200], "Z_reference": z[:200]} if held_out else {}
    draws = np.array([shepard(x, z, max_rows=150, random_state=seed, **reference) for seed in range(60)])
    ratio = draws[:, :, 1].mean(axis=0) / draws[:, :, 0].std(axis=0)
    assert ((ratio > 0.7) & (ratio < 1.4)).all(), ratio


def test_of_many_pairs_some_are_taken() -> None:
    x, z = pair(0, 200, 5)
    every, some = shepard(x, z), shepard(x, z, max_pairs=3000)
    assert every.pearson.value != some.pearson.value
    assert abs(every.pearson.value - some.pearson.value) < 4 * some.pearson.standard_error
    held_out = shepard(x[:20], z[:20], X_reference=x, Z_reference=z, max_pairs=1000)
    assert abs(held_out.pearson.value - every.pearson.value) < 0.3


def test_pairs_know_their_rows() -> None:
    x, z = pair(0, 7, 3)
    made = pairs._pairs((x, z), (x, z), True, "euclidean")
    i, j = made.positions(np.arange(21))
    np.testing.assert_array_equal([i, j], np.triu_indices(7, 1))
    for some, of_i, of_j in made.blocks():
        np.testing.assert_array_equal([of_i, of_j], [i[some], j[some]])
    np.testing.assert_allclose(made.x, pdist(x))
    np.testing.assert_allclose(made.row_means(lambda some, i, j: made.x[some]), cdist(x, x).sum(axis=1) / 6)


def test_another_metric() -> None:
    x, z = pair(0, 20, 3)
    expected = np.corrcoef(pdist(x, "cityblock"), pdist(z, "cityblock"))[0, 1]
    assert shepard(x, z, metric="cityblock").pearson.value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_pairs": 0}, "max_pairs is 0"),
        ({"X": [[1.0]], "Z": [[1.0]]}, "one row makes no pair"),
        ({"metric": "nearness"}, 'metric is "nearness"'),
    ],
)
def test_what_it_cannot_use_is_refused(arguments: dict[str, Any], message: str) -> None:
    x, z = pair(0, 5, 2)
    with pytest.raises(InputError, match=message):
        shepard(**{"X": x, "Z": z, **arguments})
