from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data.splitting import MAX_HELD_OUT, derive_seed, held_out_rows


@given(st.integers(0, 3000), st.floats(0, 0.99), st.integers(0, 2**32 - 1))
def test_the_count_is_exact_and_one_row_is_always_left(n: int, fraction: float, seed: int) -> None:
    mask = held_out_rows(n, fraction, seed)
    wanted = min(round(fraction * n), n - 1)
    assert mask.shape == (n,)
    assert mask.sum() == (wanted if wanted >= 5 else 0)
    np.testing.assert_array_equal(mask, held_out_rows(n, fraction, seed))


@pytest.mark.parametrize(
    ("n", "fraction", "count"), [(49, 0.09, 0), (50, 0.1, 5), (20, 0.99, 19), (5, 0.9, 0)]
)
def test_edges(n: int, fraction: float, count: int) -> None:
    assert held_out_rows(n, fraction, 0).sum() == count


def test_never_more_than_ten_thousand() -> None:
    assert held_out_rows(1_000_000, 0.5, 3).sum() == MAX_HELD_OUT == 10_000


def test_rows_depend_on_the_seed_and_lie_anywhere() -> None:
    one, other = held_out_rows(10_000, 0.2, 1), held_out_rows(10_000, 0.2, 2)
    # Two independent fifths share a 25th, and each tenth of the rows a tenth of them, within 4 deviations.
    assert (one & other).sum() == pytest.approx(400, abs=80)
    np.testing.assert_allclose(one.reshape(10, -1).sum(axis=1), 200, atol=51)


def split_mix(state: int) -> int:
    """Return SplitMix64's output for a state, in Python's integers."""
    word = (1 << 64) - 1
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & word
    state = (state ^ state >> 27) * 0x94D049BB133111EB & word
    return state ^ state >> 31


def test_the_rows_with_the_smallest_hash_are_held_out() -> None:
    assert split_mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF  # the generator's first number from seed 0
    start, step = derive_seed(7, 1), 0x9E3779B97F4A7C15
    hashes = [split_mix((start + step * (row + 1)) & ((1 << 64) - 1)) for row in range(50)]
    chosen = np.flatnonzero(held_out_rows(50, 0.12, 7)).tolist()
    assert chosen == sorted(np.argsort(np.array(hashes, dtype=np.uint64))[:6].tolist())
    assert chosen == [13, 21, 24, 26, 46, 47]  # figures of saved models rely on it


def test_a_larger_fraction_holds_out_the_same_rows_and_more() -> None:
    few, many = held_out_rows(500, 0.1, 4), held_out_rows(500, 0.3, 4)
    assert not (few & ~many).any()


def test_seeds_of_different_streams_differ() -> None:
    paths = [(), (1,), (2, 1), (2, 2), (3, 0, 1), (3, 1, 1), (4,), (5,)]
    seeds = [derive_seed(seed, *path) for seed in (0, 1, 2**32 - 1) for path in paths]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
