from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from zadu.measures import neighborhood_hit

from isthmus.errors import InputError
from isthmus.manifold.quality import knn_accuracy_rows, neighbor_ranks, neighborhood_hit_rows


def clusters(seed: int, n: int, n_labels: int = 2) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_labels, n)
    return labels[:, None] + rng.normal(size=(n, 2)), labels


@given(st.integers(0, 99), st.integers(4, 40), st.data())
def test_the_hit_agrees_with_zadu(seed: int, n: int, data: Any) -> None:
    z, labels = clusters(seed, n, 3)
    k = data.draw(st.integers(1, n - 2))
    local: Any = neighborhood_hit.measure(z, labels, k=k, return_local=True)[1]
    found = neighbor_ranks(z, z, labels=labels, n_neighbors=k)
    np.testing.assert_allclose(neighborhood_hit_rows(found, k), local["local_neighborhood_hit"], atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.sampled_from([1, 3, 5]))
def test_the_accuracy_agrees_with_scikit_learn(seed: int, k: int) -> None:
    # Two labels and an odd number of votes: no election is tied.
    (z, labels), (zr, labels_r) = clusters(seed, 25), clusters(seed + 500, 30)
    names = np.array(["one", "other"])
    held_out = neighbor_ranks(
        z,
        z,
        X_reference=zr,
        Z_reference=zr,
        labels=names[labels],
        labels_reference=names[labels_r],
        n_neighbors=5,
    )
    classifier = KNeighborsClassifier(k).fit(zr, labels_r)
    np.testing.assert_array_equal(knn_accuracy_rows(held_out, k), classifier.predict(z) == labels)
    own = neighbor_ranks(z, z, labels=labels, n_neighbors=5)
    scores = cross_val_score(KNeighborsClassifier(k), z, labels, cv=LeaveOneOut())
    np.testing.assert_array_equal(knn_accuracy_rows(own, k), scores)


def test_a_tied_election_counts_in_part() -> None:
    z = np.array([[1.0], [2], [3], [4], [9]])
    found = neighbor_ranks(
        [[0.0], [0.0], [0.0]],
        [[0.0], [0.0], [0.0]],
        X_reference=z,
        Z_reference=z,
        labels=["a", "b", "c"],
        labels_reference=["a", "a", "b", "b", "c"],
        n_neighbors=4,
    )
    assert knn_accuracy_rows(found, 4).tolist() == [0.5, 0.5, 0]
    assert knn_accuracy_rows(found, 3).tolist() == [1, 0, 0]
    assert neighborhood_hit_rows(found, 3).tolist() == pytest.approx([2 / 3, 1 / 3, 0])


@given(st.integers(0, 99))
def test_the_order_of_rows_changes_nothing_where_rows_differ_only_in_their_label(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, labels, p = rng.integers(0, 2, (20, 1)).astype(float), rng.integers(0, 3, 20), rng.permutation(20)
    for measure in (neighborhood_hit_rows, knn_accuracy_rows):
        a, b = (
            measure(neighbor_ranks(some, some, labels=names, n_neighbors=4), 3)
            for some, names in [(z, labels), (z[p], labels[p])]
        )
        assert b.mean() == pytest.approx(a.mean(), rel=1e-12)


def test_a_sample_keeps_its_labels() -> None:
    z, labels = clusters(0, 60, 3)
    every = neighbor_ranks(z, z, labels=labels, n_neighbors=5)
    some = neighbor_ranks(z, z, labels=labels, n_neighbors=5, max_rows=20)
    np.testing.assert_array_equal(
        neighborhood_hit_rows(some, 5), neighborhood_hit_rows(every, 5)[some.row_index]
    )


def test_labels_are_needed_and_not_more_neighbours_than_known() -> None:
    z, labels = clusters(0, 20)
    with pytest.raises(InputError, match="the ranks have no labels"):
        neighborhood_hit_rows(neighbor_ranks(z, z, n_neighbors=3), 3)
    with pytest.raises(InputError, match="n_neighbors is 4, and 3"):
        knn_accuracy_rows(neighbor_ranks(z, z, labels=labels, n_neighbors=3), 4)
