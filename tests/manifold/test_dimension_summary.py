from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_swiss_roll

from isthmus.manifold.dimension import intrinsic_dimension, levina_bickel, pca_dimensions, two_nn

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(5000, 11))


def test_a_swiss_roll_has_2_dimensions() -> None:
    found = intrinsic_dimension(make_swiss_roll(5000, random_state=0)[0])
    assert found.two_nn == pytest.approx(2, rel=0.1)
    assert found.levina_bickel == pytest.approx(2, rel=0.1)
    assert found.explained_variance == 3  # it is curved: no plane holds it


def test_a_flat_set_of_5_dimensions_in_50_has_5() -> None:
    found = intrinsic_dimension(NORMAL[:, :5] @ RNG.normal(size=(5, 50)))
    assert found.two_nn == pytest.approx(5, rel=0.1)
    assert found.levina_bickel == pytest.approx(5, rel=0.1)
    assert found.explained_variance == found.minka == 5


def test_the_sphere_in_11_columns_has_10() -> None:
    found = intrinsic_dimension(NORMAL / np.linalg.norm(NORMAL, axis=1, keepdims=True))
    assert found.two_nn == pytest.approx(10, rel=0.1)
    assert found.levina_bickel == pytest.approx(10, rel=0.1)
    assert found.participation_ratio == pytest.approx(11, rel=0.01)


def test_the_summary_is_what_each_says_of_the_same_rows() -> None:
    X: np.ndarray[Any, Any] = np.vstack([NORMAL[:300], NORMAL[:20]])
    found = intrinsic_dimension(X)
    assert found.two_nn == pytest.approx(two_nn(X))
    assert found.levina_bickel == pytest.approx(levina_bickel(X))
    for rule, value in pca_dimensions(X).items():
        assert getattr(found, rule) == pytest.approx(value)
    assert (found.n_rows, found.n_distinct, found.n_columns, found.at_most) == (320, 300, 11, 11)
    assert json.loads(json.dumps(found.as_dict()))["two_nn"] == found.two_nn


def test_of_many_rows_some_are_drawn_by_seed() -> None:
    found = [intrinsic_dimension(NORMAL, max_rows=200, random_state=seed) for seed in (3, 3, 4)]
    assert found[0] == found[1] != found[2]
    assert found[0].n_rows == 200
