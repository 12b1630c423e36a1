from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isthmus.manifold.quality.order import content_order


def order(rows: Any, seed: int = 0, labels: Any = None) -> np.ndarray[Any, Any]:
    rows = np.asarray(rows, dtype=float)
    codes = np.zeros((len(rows), 1))
    return content_order(
        rows, codes, np.zeros(len(rows), int) if labels is None else np.asarray(labels), seed
    )


@given(st.integers(0, 99), st.integers(1, 30), st.integers(1, 4))
def test_it_is_a_permutation_that_follows_the_rows(seed: int, n: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    rows, labels, moved = rng.integers(0, values, (n, 2)), rng.integers(0, 2, n), rng.permutation(n)
    first, second = order(rows, seed, labels), order(rows[moved], seed, labels[moved])
    assert sorted(first) == list(range(n))
    np.testing.assert_array_equal(rows[first], rows[moved][second])
    np.testing.assert_array_equal(labels[first], labels[moved][second])


def test_the_seed_decides() -> None:
    rows = np.arange(20.0)[:, None]
    assert (order(rows) == order(rows)).all()
    assert (order(rows) != order(rows, seed=1)).any()


def test_equal_rows_stand_anywhere() -> None:
    # 200 of each of two rows: in random order neighbours differ about half of the time.
    rows = np.repeat([[0.0], [1.0]], 200, axis=0)
    changes = np.diff(rows[order(rows), 0]) != 0
    assert 160 < changes.sum() < 240


def test_every_place_is_as_likely() -> None:
    places = np.array([order(np.arange(10.0)[:, None], seed)[0] for seed in range(2000)])
    counts = np.bincount(places, minlength=10)
    assert ((counts - 200) ** 2 / 200).sum() < 27.9  # chi-squared, 9 degrees of freedom: 1 in 1,000


def test_one_changed_digit_is_another_row_and_negative_zero_is_not() -> None:
    rows = np.zeros((50, 3))
    rows[:, 1] = np.arange(50)
    np.testing.assert_array_equal(order(rows), order(rows * np.array([-1.0, 1.0, -1.0])))
    assert (order(rows) != order(np.nextafter(rows, 100))).any()


def test_labels_move_no_row_that_differs_otherwise() -> None:
    rows, labels = np.arange(40.0)[:, None], np.random.default_rng(0).integers(0, 3, 40)
    np.testing.assert_array_equal(order(rows), order(rows, labels=labels))


def test_codes_tell_apart_only_rows_of_equal_data() -> None:
    rng = np.random.default_rng(0)
    labels, p = np.zeros(40, dtype=int), rng.permutation(40)
    rows, codes = np.arange(40.0)[:, None], rng.normal(size=(40, 2))
    np.testing.assert_array_equal(content_order(rows, codes, labels, 0), order(rows))
    first, moved = content_order(0 * rows, codes, labels, 0), content_order(0 * rows, codes[p], labels, 0)
    np.testing.assert_array_equal(codes[first], codes[p][moved])
