from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from isthmus.errors import InputError
from isthmus.manifold import map_quality
from isthmus.manifold.quality import (
    continuity_rows,
    distance_correlation,
    knn_accuracy_rows,
    lcmc_rows,
    local_distance_correlation,
    mean_figure,
    mrre_false_rows,
    mrre_missing_rows,
    neighbor_ranks,
    neighborhood_hit_rows,
    q_nx_curve,
    q_nx_rows,
    r_nx_area_rows,
    r_nx_curve,
    r_nx_rows,
    shepard,
    trustworthiness_rows,
)

MEASURES = {
    "trustworthiness": trustworthiness_rows,
    "continuity": continuity_rows,
    "mrre_false": mrre_false_rows,
    "mrre_missing": mrre_missing_rows,
    "lcmc": lcmc_rows,
    "q_nx": q_nx_rows,
    "r_nx": r_nx_rows,
    "neighborhood_hit": neighborhood_hit_rows,
    "knn_accuracy": knn_accuracy_rows,
}


def pair(seed: int, n: int, columns: int = 5) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    return x, x[:, :2] + 0.3 * rng.normal(size=(n, 2)), (x[:, 0] > 0).astype(int)


@pytest.mark.parametrize("held_out", [False, True])
def test_each_figure_is_what_its_own_function_gives(held_out: bool) -> None:
    x, z, labels = pair(0, 40)
    xr, zr, names = pair(1, 60)
    reference: Any = {"X_reference": xr, "Z_reference": zr} if held_out else {}
    labelled = {"labels": labels, **({"labels_reference": names} if held_out else {})}
    quality = map_quality(x, z, n_neighbors=[5, 9], k_max=20, **reference, **labelled)
    ranks = neighbor_ranks(x, z, n_neighbors=20, **reference, **labelled)
    for name, measure in MEASURES.items():
        for k in (5, 9):
            np.testing.assert_array_equal(quality.rows[f"{name}@{k}"], measure(ranks, k))
            assert quality[f"{name}@{k}"] == mean_figure(measure(ranks, k))
    np.testing.assert_array_equal(quality.rows["r_nx_area"], r_nx_area_rows(ranks))
    np.testing.assert_array_equal(quality.q_nx_curve, q_nx_curve(ranks))
    np.testing.assert_array_equal(quality.r_nx_curve, r_nx_curve(ranks))
    names_ = ("shepard_spearman", "shepard_pearson", "stress")
    assert tuple(quality[name] for name in names_) == shepard(x, z, **reference)
    assert quality["distance_correlation"] == distance_correlation(x, z)
    assert quality["local_distance_correlation"] == local_distance_correlation(x, z, **reference)
    assert quality.n_candidates == (60 if held_out else 39)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(6, 30), st.booleans())
@example(540, 12, False)  # one row lies apart on the map, from others that are all equal
def test_with_ties_all_is_finite_and_the_order_of_rows_does_not_matter(
    seed: int, n: int, held_out: bool
) -> None:
    rng = np.random.default_rng(seed)
    x, z, labels = rng.integers(0, 2, (n, 20)) / 3, rng.integers(0, 2, (n, 1)), rng.integers(0, 3, n)
    p, q = rng.permutation(n), rng.permutation(n)
    a: dict[str, Any] = {"labels": labels}
    b: dict[str, Any] = {"labels": labels[p]}
    if held_out:
        a |= {"X_reference": x, "Z_reference": z, "labels_reference": labels}
        b |= {"X_reference": x[q], "Z_reference": z[q], "labels_reference": labels[q]}
    first = map_quality(x, z, n_neighbors=3, **a)
    moved = map_quality(x[p], z[p], n_neighbors=3, **b)
    for name, figure in first.figures.items():
        assert np.isfinite(figure).all(), name
        # Roots of what is 0 but for rounding keep half of the digits.
        np.testing.assert_allclose(moved[name], figure, rtol=1e-9, atol=1e-7, err_msg=name)
    np.testing.assert_allclose(moved.r_nx_curve, first.r_nx_curve, atol=1e-12)


def test_the_standard_error_is_how_much_draws_differ() -> None:
    x, z, labels = pair(0, 3000)
    every = map_quality(x, z, labels=labels, n_neighbors=10, k_max=100, distances=False)
    assert not every.sampled
    draws = [
        map_quality(
            x, z, labels=labels, n_neighbors=10, k_max=100, distances=False, max_rows=100, random_state=seed
        )
        for seed in range(40)
    ]
    assert draws[0].sampled
    for name in every.figures:
        values = np.array([draw[name] for draw in draws])
        ratio = values[:, 1].mean() / values[:, 0].std()
        assert 0.65 < ratio < 1.5, (name, ratio)
        off = (values[:, 0].mean() - every[name].value) / (values[:, 0].std() / np.sqrt(40))
        assert abs(off) < 4, (name, off)


def test_a_better_map_has_better_figures() -> None:
    x, _, labels = pair(0, 200)
    rng = np.random.default_rng(0)
    good, bad = x[:, :4], x[:, :4] + 3 * rng.normal(size=(200, 4))
    a, b = (map_quality(x, z, labels=labels) for z in (good, bad))
    for name in a.figures:
        worse = name.startswith(("mrre", "stress"))
        assert (a[name].value < b[name].value) == worse, name


def test_it_can_be_written_as_json_and_says_what_was_measured() -> None:
    x, z, _ = pair(0, 60)
    written = json.loads(json.dumps(map_quality(x, z, n_neighbors=np.int64(5), max_rows=50).to_dict()))
    assert {"trustworthiness@5", "trustworthiness@5_se", "r_nx_area", "stress"} < set(written)
    assert "knn_accuracy@5" not in written
    said = {"n_rows": 60, "n_measured": 50, "n_candidates": 59, "k_max": 58, "metric": "euclidean"}
    assert {name: written[name] for name in said} == said
    assert written["sampled"] is True
    assert written["approximate"] is False


def test_few_rows_have_fewer_figures() -> None:
    x, z, _ = pair(0, 20)
    one = map_quality(x[:1], z[:1], X_reference=x, Z_reference=z, n_neighbors=5, distances=False)
    assert 0 <= one["trustworthiness@5"].value <= 1
    assert np.isnan(one["trustworthiness@5"].standard_error)
    three = map_quality(x[:3], z[:3], X_reference=x, Z_reference=z, n_neighbors=5)
    assert "distance_correlation" not in three.figures
    assert "local_distance_correlation" in three.figures
    four = map_quality(x[:4], z[:4], n_neighbors=1)
    assert "distance_correlation" in four.figures
    assert "local_distance_correlation" not in four.figures


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_neighbors": ()}, "give one or more numbers of at least 1"),
        ({"n_neighbors": 0}, "n_neighbors is 0; give one or more"),
        ({"n_neighbors": (5, 19)}, "n_neighbors is 19 and each row has 19 candidates"),
        ({"k_max": 19}, "k_max is 19 and each row has 19 candidates; give a number from 1 to 18"),
        ({"k_max": 0}, "k_max is 0"),
        ({"max_pairs": 0}, "max_pairs is 0"),
    ],
)
def test_what_it_cannot_use_is_refused(arguments: dict[str, Any], message: str) -> None:
    x, z, _ = pair(0, 20)
    with pytest.raises(InputError, match=message):
        map_quality(x, z, **{"n_neighbors": 5, **arguments})
