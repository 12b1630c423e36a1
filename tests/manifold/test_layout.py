from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.datasets import make_swiss_roll
from sklearn.manifold import Isomap

from isthmus.manifold.layout import landmark_isomap
from isthmus.manifold.nearest_neighbors import nearest_neighbors


def layout(X: np.ndarray, k: int, d: int, seed: int = 0) -> np.ndarray:
    return landmark_isomap(*nearest_neighbors(X, k), d, np.random.RandomState(seed))


def test_all_rows_as_landmarks_give_isomap() -> None:
    X = make_swiss_roll(150, random_state=0)[0]
    ours, theirs = layout(X, 12, 2), Isomap(n_neighbors=12, n_components=2).fit_transform(X)
    for mine, other in zip(ours.T, theirs.T, strict=True):
        assert abs(np.corrcoef(mine, other)[0, 1]) > 1 - 1e-9


def test_a_line_is_laid_out_in_its_order_with_neighbours_at_distance_one() -> None:
    X = np.c_[np.arange(50.0), np.zeros(50)] * 7
    found = layout(X, 2, 3)
    # Both ends have a neighbour two steps away.
    steps = np.abs(np.diff(found[:, 0]))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert steps[0] == pytest.approx(100 / 102)
    np.testing.assert_allclose(found[:, 1:], 0, atol=1e-5)


def test_a_roll_is_unrolled_from_landmarks() -> None:
    X, turn = make_swiss_roll(1000, random_state=0)
    found = layout(X, 12, 2)
    assert abs(spearmanr(found[:, 0], turn)[0]) > 0.999
    assert abs(spearmanr(found[:, 1], X[:, 1])[0]) > 0.99


def test_parts_that_no_way_joins_lie_apart() -> None:
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=(40, 3)), rng.normal(size=(40, 3)) + 1000]
    found = layout(X, 5, 2)
    assert np.isfinite(found).all()
    gap = np.linalg.norm(found[:40].mean(axis=0) - found[40:].mean(axis=0))
    assert gap > 2 * found[:40].std(axis=0).max()


def test_copies_have_a_layout() -> None:
    assert np.array_equal(layout(np.ones((10, 3)), 4, 2), np.zeros((10, 2)))
    twice = np.repeat(np.arange(6.0)[:, None], 2, axis=0)
    found = layout(twice, 4, 1)
    np.testing.assert_allclose(found[::2], found[1::2], atol=1e-6)
    assert np.isfinite(found).all()
