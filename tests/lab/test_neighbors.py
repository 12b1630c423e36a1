from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.manifold import Isomap

from isthmus.lab import neighbors
from isthmus.lab._digits import Digits, split_digits
from isthmus.lab.neighbors import CODES, GRAPH, PIXELS, Comparison, Triples


def made(pixels: list[list[float]], graph: list[list[float]], codes: list[list[float]]) -> Comparison:
    """Return two rows of labels 0 and 1, and distances to three rows of labels 0, 1, 1."""
    digits = Digits(np.zeros((3, 64)), np.zeros((2, 64)), np.array([0, 1, 1]), np.array([0, 1]))
    distances = {PIXELS: np.array(pixels), CODES: np.array(codes), GRAPH: np.array(graph)}
    return Comparison(digits, distances, Triples(np.array([[1, 2], [0, 0]]), np.array([[0, 0], [1, 2]])))


def test_triples_and_nearest_rows_are_counted_by_who_is_right() -> None:
    right, wrong = [[1.0, 2, 3], [9, 2, 3]], [[5.0, 2, 9], [1, 2, 3]]
    found = made(wrong, right, right)
    # Pixels put A1 nearer in three triples of four, the graph in none.
    assert found.table().tolist() == [[0, 3], [0, 1]]
    assert found.nearest_table().tolist() == [[0, 2], [0, 0]]
    assert made(right, wrong, wrong).table().tolist() == [[0, 0], [3, 1]]
    assert found.precision(PIXELS) == pytest.approx(0.5)


def test_the_example_is_a_triple_in_which_pixels_are_wrong_and_the_graph_is_right() -> None:
    found = made([[5.0, 2, 9], [1, 2, 3]], [[1.0, 2, 3], [9, 2, 3]], [[0.0, 0, 0], [0, 0, 0]])
    # In the last triple pixels are three times too near, and the graph three times farther.
    assert neighbors.example(found) in {(0, 1, 0), (1, 0, 1), (1, 0, 2)}
    assert neighbors.example(found) == (1, 0, 1)


def test_triples_are_of_the_labels_they_should_be() -> None:
    labels = np.array([0, 0, 1, 2, 1, 0])
    same = np.equal.outer(np.array([0, 1]), labels)
    drawn = neighbors.draw_triples(same, 300)
    assert set(drawn.same[0]) == {0, 1, 5}
    assert set(drawn.other[0]) == {2, 3, 4}
    assert set(drawn.same[1]) == {2, 4}


def test_distances_along_the_graph_are_isomaps() -> None:
    rows = np.random.default_rng(0).normal(size=(80, 3))
    expected = Isomap(n_neighbors=6).fit(rows).dist_matrix_[:10, 10:]
    assert neighbors.along_the_graph(rows, 10, 6) == pytest.approx(expected)
    apart = np.array([[0.0], [1.0], [100.0], [101.0]])
    assert neighbors.along_the_graph(apart, 2, 1).tolist() == [[math.inf] * 2] * 2


def test_digits_are_moved_by_at_most_a_pixel_and_lose_no_ink() -> None:
    digits = split_digits()
    found = neighbors.moved(digits, 20)
    assert found.train.shape == (180, 144)
    assert found.test.shape == (597, 144)
    assert found.test.sum(axis=1) == pytest.approx(digits.test.sum(axis=1))
    assert len(np.unique(found.train[::20], axis=0)) == 9
    assert np.array_equal(found.train_labels[20:40], digits.train_labels[:20])
    frame = found.train.reshape(-1, 12, 12)[:, [0, -1]]
    assert not frame.any()


def test_every_number_fails_where_distances_change_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "N_NEAREST", 1)
    right, wrong = [[1.0, 2, 3], [9, 2, 3]], [[5.0, 2, 9], [1, 2, 3]]

    def agreeing(found: Comparison) -> list[bool]:
        return [number.agrees for number in neighbors._numbers("digits", found).values()]

    assert agreeing(made(wrong, right, wrong)) == [True, True, True]
    assert agreeing(made(right, wrong, wrong)) == [False, False, True]
    assert agreeing(made(wrong, right, right)) == [True, True, False]


@pytest.mark.slow
def test_the_claim_is_confirmed() -> None:
    claim = neighbors.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 6
