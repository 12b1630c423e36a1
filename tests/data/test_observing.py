from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data.observing import WholeNumbers, smallest_gaps

RNG = np.random.default_rng(0)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30), st.integers(1, 5))
def test_whole_numbers_are_exact(values: list[int], pieces: int) -> None:
    seen = WholeNumbers()
    for piece in np.array_split(np.array(values, dtype=np.int64), pieces):
        seen.update(piece)
    ordered = sorted(set(values))
    gaps = [b - a for a, b in pairwise(ordered)]
    assert (seen.low, seen.high, seen.count) == (min(values), max(values), len(values))
    assert seen.step == math.gcd(*gaps)
    assert seen.gap == pytest.approx(min(gaps, default=0), rel=1e-15)
    assert seen.levels.counts == {value: values.count(value) for value in values}


@given(
    st.permutations(range(37)),
    st.sampled_from([-7, -(2**63), 2**63 - 37]),
    st.integers(1, 6),
    st.integers(0, 36),
)
def test_sequences_are_told_from_what_only_looks_alike(
    places: list[int], low: int, pieces: int, at: int
) -> None:
    whole, spoilt, values = WholeNumbers(), WholeNumbers(), [low + place for place in places]
    for piece in np.array_split(np.array(values), pieces):
        whole.update(piece)
    assert whole.is_sequence
    doubled = [values[at - 1] if i == at else value for i, value in enumerate(values)]
    spoilt.update(np.array(doubled))
    assert not spoilt.is_sequence


def test_smallest_gaps_of_wide_samples() -> None:
    sample = RNG.integers(0, 1000, (50, 600)).astype(np.uint8)
    expected = [np.diff(np.unique(sample[:, j].astype(int))).min() for j in range(600)]
    np.testing.assert_array_equal(smallest_gaps(sample), expected)
    assert smallest_gaps(np.array([[np.nan, 1.0], [np.nan, 1.0]])).tolist() == [0, 0]
