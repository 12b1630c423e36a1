from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.special import gammaln
from scipy.stats import skew

from isthmus.errors import InputError
from isthmus.manifold.curse import curse_report, distance_concentration, hubness
from isthmus.manifold.occupancy import density_decay, expected_occupied_bins, occupied_bins

Rows = np.ndarray[Any, Any]


def normal(n: int, columns: int, seed: int = 0) -> Rows:
    return np.random.default_rng(seed).normal(size=(n, columns))


def uniform(n: int, columns: int, seed: int = 0) -> Rows:
    return np.random.default_rng(seed).uniform(size=(n, columns))


# Distances ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 3, 30, 300])
def test_distances_of_normal_rows_vary_as_a_chi_variable(columns: int) -> None:
    mean = np.sqrt(2) * np.exp(gammaln((columns + 1) / 2) - gammaln(columns / 2))
    expected = np.sqrt(columns - mean**2) / mean
    found = distance_concentration(normal(1000, columns))
    assert found.coefficient_of_variation == pytest.approx(expected, rel=0.05)


def test_contrast_and_variation_are_those_of_all_pairs() -> None:
    X = normal(300, 4)  # more than one block of rows
    distances = squareform(pdist(X))
    np.fill_diagonal(distances, np.nan)
    nearest = np.nanmin(distances, axis=1)
    found = distance_concentration(X)
    assert found.relative_contrast == pytest.approx(
        np.median((np.nanmax(distances, axis=1) - nearest) / nearest)
    )
    assert found.coefficient_of_variation == pytest.approx(pdist(X).std() / pdist(X).mean())
    assert found.n_rows == 300


def test_contrast_falls_with_the_dimension_and_not_with_the_columns() -> None:
    contrasts = [distance_concentration(normal(500, columns)).relative_contrast for columns in (2, 20, 200)]
    assert contrasts[0] > 4 * contrasts[1] > 8 * contrasts[2]
    plane = normal(500, 2) @ normal(2, 200, 1)
    assert distance_concentration(plane).relative_contrast > 0.5 * contrasts[0]


def test_corners_of_a_simplex_are_equally_far() -> None:
    found = distance_concentration(np.eye(300))
    assert found.relative_contrast == pytest.approx(0, abs=1e-12)
    assert found.coefficient_of_variation == pytest.approx(0, abs=1e-6)


# Density --------------------------------------------------------------------------------------------------


def test_bins_by_hand() -> None:
    X = [[0.0, 5.0, 0.0], [0.4, 5.0, 0.4], [0.6, 5.0, 0.0], [1.0, 5.0, 1.0], [1.0, 5.0, 0.9]]
    assert occupied_bins(X, 2) == (3, 4.0, 1.25, 5, 2)  # the middle column does not vary


@pytest.mark.parametrize(("columns", "n_bins"), [(1, 50), (2, 10), (3, 7), (6, 5)])
def test_uniform_rows_occupy_as_many_bins_as_chance_says(columns: int, n_bins: int) -> None:
    n = 400
    counts = [occupied_bins(uniform(n, columns, seed), n_bins).occupied for seed in range(20)]
    expected = expected_occupied_bins(n, columns, n_bins)
    empty = n_bins**columns * (1 - 1 / n_bins**columns) ** n
    assert expected == pytest.approx(n_bins**columns - empty)
    # The least and largest value of each column lie in their bins for certain, which moves the mean a little.
    assert np.mean(counts) == pytest.approx(expected, rel=0.02)


def test_so_many_bins_that_no_number_holds_them() -> None:
    assert expected_occupied_bins(1000, 400) == 1000
    found = occupied_bins(uniform(50, 400))
    assert (found.occupied, found.n_bins, found.rows_per_bin) == (50, np.inf, 0)
    assert expected_occupied_bins(0, 3) == expected_occupied_bins(0, 0) == 0
    assert expected_occupied_bins(5, 0) == expected_occupied_bins(5, 3, 1) == 1


def test_density_falls_exponentially_as_it_must_for_uniform_columns() -> None:
    X = np.vstack([uniform(998, 12), np.zeros((1, 12)), np.ones((1, 12))])  # the range is [0, 1] for certain
    found = density_decay(X, share=0.5, max_columns=6)
    assert list(found.n_columns) == [1, 2, 3, 4, 5, 6]
    # Within 1/4 of a uniform number lie 1/2 of all, less 1/16 near both ends.
    assert found.uniform == pytest.approx(999 * 0.4375 ** np.arange(1, 7))
    assert found.rows_within == pytest.approx(found.uniform, rel=0.1)
    assert found.factor == pytest.approx(0.4375, rel=0.03)


def test_columns_that_repeat_each_other_thin_nothing_out() -> None:
    found = density_decay(np.repeat(uniform(300, 1), 8, axis=1))
    assert found.factor == pytest.approx(1)
    assert (found.rows_within == found.rows_within[0]).all()


def test_the_count_of_neighbours_is_that_of_all_pairs() -> None:
    X = uniform(200, 1)
    width = np.ptp(X)
    expected = 2 * (pdist(X) <= 0.1 * width).sum() / 200
    assert density_decay(X).rows_within == pytest.approx([expected])
    assert density_decay(X).factor == 1


# Hubs -----------------------------------------------------------------------------------------------------


def test_occurrences_are_those_of_all_pairs() -> None:
    X = normal(200, 6)
    distances = squareform(pdist(X))
    np.fill_diagonal(distances, np.inf)
    counts = np.bincount(np.argsort(distances, axis=1)[:, :7].ravel(), minlength=200)
    found = hubness(X, 7)
    assert found.skewness == pytest.approx(skew(counts))
    assert found.antihub_share == (counts == 0).mean()
    assert (found.largest, found.n_neighbors, found.n_rows) == (counts.max(), 7, 200)


def test_a_star_has_one_hub() -> None:
    angles = 2 * np.pi * np.arange(5) / 5
    spikes = np.column_stack([np.cos(angles), np.sin(angles)]) * (1 + 0.01 * np.arange(5))[:, None]
    found = hubness(np.vstack([[0, 0], spikes]), 1)
    # The middle is nearest to all five, and the shortest spike to the middle: 5, 1, 0, 0, 0, 0.
    assert found.largest == 5
    assert found.antihub_share == pytest.approx(4 / 6)
    assert found.skewness == pytest.approx((4**3 + 0 + 4 * (-1) ** 3) / 6 / (20 / 6) ** 1.5)


def test_hubs_come_with_the_intrinsic_dimension() -> None:
    low, high = hubness(normal(2000, 3)), hubness(normal(2000, 100))
    assert low.skewness < 0.7 < 3 < high.skewness
    assert low.antihub_share < 0.01 < 0.1 < high.antihub_share
    assert hubness(normal(2000, 3) @ normal(3, 100, 1)).skewness < 0.7


# All of it ------------------------------------------------------------------------------------------------


def test_the_report_names_numbers_with_units_and_rows() -> None:
    X = normal(1500, 5)
    report = curse_report(X, n_neighbors=5)
    numbers = {number.name: number for number in report.numbers}
    assert numbers["relative contrast of distances"].value == report.concentration.relative_contrast
    assert numbers["relative contrast of distances"].n_rows == 1000
    hubs = numbers["skewness of 5-occurrences (hubs)"]
    assert (hubs.value, hubs.n_rows) == (pytest.approx(hubness(X, 5).skewness), 1500)
    assert numbers["antihubs, nobody's neighbours"].unit == "%"
    assert all(np.isfinite(number.value) for number in report.numbers)
    assert curse_report(X, n_neighbors=5).numbers == report.numbers


def test_the_order_of_rows_does_not_matter() -> None:
    X = normal(300, 4)
    expected, found = curse_report(X), curse_report(np.random.default_rng(1).permutation(X))
    for a, b in zip(expected.numbers, found.numbers, strict=True):
        assert a.value == pytest.approx(b.value, rel=1e-6)


def test_repeated_rows_and_constant_columns() -> None:
    X = np.hstack([np.repeat(normal(100, 3), 4, axis=0), np.ones((400, 2))])
    report = curse_report(X)
    assert all(np.isfinite(number.value) for number in report.numbers)
    assert report.hubness.n_rows == report.concentration.n_rows == 100
    grid = np.stack(np.meshgrid(range(9), range(9)), -1).reshape(-1, 2)
    assert all(np.isfinite(number.value) for number in curse_report(grid).numbers)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distance_concentration(np.ones((5, 2))), "1 different rows"),
        (lambda: distance_concentration([[1.0, 0.0], [1.0, 1e-200]]), "too alike"),
        (lambda: distance_concentration([[np.nan, 0.0]]), "NaN or infinity"),
        (lambda: hubness(np.ones((5, 2))), "1 different rows"),
        (lambda: hubness(np.eye(3), 0), "n_neighbors is 0"),
        (lambda: density_decay(np.ones((5, 2))), "do not vary"),
        (lambda: density_decay([[1.0]]), "got 1 rows"),
        (lambda: density_decay(np.eye(3), share=0), "share is 0"),
        (lambda: occupied_bins(np.eye(3), 0), "n_bins is 0"),
        (lambda: occupied_bins(np.zeros((0, 3))), "got 0 rows"),
        (lambda: expected_occupied_bins(-1, 2), "n_rows is -1"),
    ],
)
def test_what_they_cannot_use_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
