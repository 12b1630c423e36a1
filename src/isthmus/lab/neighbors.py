"""Of two digits the one nearer in pixels may be farther on the manifold: how often, and which is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import cdist
from sklearn.neighbors import kneighbors_graph

from isthmus.estimators import Autoencoder
from isthmus.lab._digits import SIDE, Digits, image_strip, show_image, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.lab.pixels import on_canvas, pixels, shift
from isthmus.manifold.graph import shortest_way
from isthmus.plots.style import GREY, MODEL_COLOR, OTHER_COLOR, STYLE

__all__ = ["Comparison", "Triples", "along_the_graph", "claim", "compare", "draw_triples", "example", "moved"]

Array = NDArray[np.floating[Any]]
Index = NDArray[np.intp]

# The graph ties each row to so many nearest ones.
N_NEIGHBORS = 10
# So many pairs (A1, A2) of every row B, and so many of its nearest rows.
N_PAIRS, N_NEAREST = 200, 50
# Digits are moved by up to a pixel; each of so many is learned from at all nine places.
N_MOVED = 300
MOVES = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
PIXELS, CODES, GRAPH = "pixels", "codes", "graph"
STILL, MOVED = "digits as they are", "digits moved by up to a pixel"


@dataclass(frozen=True, eq=False)
class Triples:
    """Rows of another label (A1) and of the same (A2), for every row B.

    Attributes
    ----------
    other, same : ndarray of int of shape (n_rows, n_pairs)
        Positions among the rows learned from.
    """

    other: Index
    same: Index

    def wrong(self, distances: Array) -> NDArray[np.bool_]:
        """Return where distances of shape (n_rows, n_learned) put A1 nearer than A2."""
        rows = np.arange(len(self.other))[:, None]
        return distances[rows, self.other] < distances[rows, self.same]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Distances from held-out rows to rows learned from, and what they say.

    Attributes
    ----------
    digits : Digits
    distances : dict of str to ndarray of shape (n_test, n_train)
        In pixels, in an autoencoder's codes, and along the graph of neighbours.
    triples : Triples
    """

    digits: Digits
    distances: Mapping[str, Array]
    triples: Triples

    @property
    def same(self) -> NDArray[np.bool_]:
        """Whether rows have the same label, of shape (n_test, n_train)."""
        return np.equal.outer(self.digits.test_labels, self.digits.train_labels)

    def table(self) -> NDArray[np.int_]:
        """Count triples by whether pixels (first axis) and the graph (second) are wrong or right."""
        return _crossed(*(self.triples.wrong(self.distances[name]) for name in (PIXELS, GRAPH)))

    def nearest_table(self) -> NDArray[np.int_]:
        """Count rows by whether the label of the nearest in pixels, and in codes, is wrong or right."""
        rows = np.arange(len(self.same))
        wrong = [~self.same[rows, self.distances[name].argmin(axis=1)] for name in (PIXELS, CODES)]
        return _crossed(*wrong)

    def precision(self, name: str) -> float:
        """Return the share of the nearest rows that have the row's label."""
        nearest = np.argsort(self.distances[name], axis=1, kind="stable")[:, :N_NEAREST]
        return float(np.take_along_axis(self.same, nearest, axis=1).mean())


def _crossed(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Count where both, one or none are wrong, of shape (2, 2): wrong comes first."""
    return np.bincount((2 * ~first + ~second).ravel(), minlength=4).reshape(2, 2)


def along_the_graph(rows: Array, n_sources: int, n_neighbors: int = N_NEIGHBORS) -> Array:
    """Return distances along the graph of nearest neighbours from the first rows to the others.

    Where no way leads, they are infinite.
    """
    graph = kneighbors_graph(rows, n_neighbors, mode="distance")
    return dijkstra(graph, directed=False, indices=np.arange(n_sources))[:, n_sources:]


def draw_triples(same: NDArray[np.bool_], n_pairs: int = N_PAIRS, random_state: int = 0) -> Triples:
    """Draw, for each row, pairs of one row with another label and one with the same, with replacement."""
    rng = np.random.default_rng(random_state)
    return Triples(_draw_true(~same, n_pairs, rng), _draw_true(same, n_pairs, rng))


def _draw_true(chosen: NDArray[np.bool_], n: int, rng: np.random.Generator) -> Index:
    """Draw positions of true values in each row, of shape (n_rows, n)."""
    order = np.argsort(~chosen, axis=1, kind="stable")
    ranks = rng.integers(chosen.sum(axis=1)[:, None], size=(len(chosen), n))
    return np.take_along_axis(order, ranks, axis=1)


def moved(digits: Digits, n: int = N_MOVED, random_state: int = 0) -> Digits:
    """Return digits on a larger canvas: n of those learned from at nine places, those held out at one."""
    canvas = on_canvas(digits.train[:n])
    train = np.concatenate([pixels(shift(canvas, *move)) for move in MOVES])
    held_out = on_canvas(digits.test)
    places = np.random.default_rng(random_state).integers(len(MOVES), size=len(held_out))
    test = np.stack([shift(image, *MOVES[place]) for image, place in zip(held_out, places, strict=True)])
    labels = np.tile(digits.train_labels[:n], len(MOVES))
    return replace(digits, train=train, train_labels=labels, test=pixels(test))


def compare(digits: Digits) -> Comparison:
    """Measure the three distances."""
    model = Autoencoder(10, hidden_sizes=(128, 64), max_epochs=100, random_state=0).fit(digits.train)
    distances = {
        PIXELS: cdist(digits.test, digits.train),
        CODES: cdist(model.transform(digits.test), model.transform(digits.train)),
        GRAPH: along_the_graph(np.vstack([digits.test, digits.train]), len(digits.test)),
    }
    same = np.equal.outer(digits.test_labels, digits.train_labels)
    return Comparison(digits, distances, draw_triples(same))


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    found = {STILL: compare(digits), MOVED: compare(moved(digits))}
    return Claim(
        name="neighbors",
        sentence="Of two digits, A1 may be nearer to B in pixels and A2 nearer on the manifold, along the "
        "graph of neighbours. Where the two differ, the manifold is more often right. Not so for the single "
        "nearest row: in pixels it is nearly always right, and an autoencoder's codes spoil more than they "
        "mend.",
        measured_on=f"597 held-out digits B, each with {N_PAIRS} pairs of another digit (A1) and the same "
        f"(A2), of 1,200 rows learned from; moved, of {N_MOVED} rows at all nine places. The graph ties all "
        f"rows, the held-out ones too, without labels, to their {N_NEIGHBORS} nearest",
        numbers={key: n for name, one in found.items() for key, n in _numbers(name, one).items()},
        figure=_draw(found),
    )


def _numbers(name: str, found: Comparison) -> dict[str, Number | Limit]:
    (_, gained), (lost, _) = found.table()
    (_, mended), (spoiled, _) = found.nearest_table()
    return {
        f"{name}: triples set right by the graph / spoiled by it": Limit(
            1.2, float(gained / max(lost, 1)), "at least"
        ),
        f"{name}: same digit among the {N_NEAREST} nearest, graph; limit: pixels": Limit(
            found.precision(PIXELS), found.precision(GRAPH), "at least"
        ),
        f"{name}: nearest row mended by codes; limit: spoiled": Limit(
            float(spoiled), float(mended), "at most", "rows"
        ),
    }


def _draw(found: Mapping[str, Comparison]) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 5))
        places = figure.add_gridspec(6, 5, width_ratios=(1, 1, 1, 0.7, 2))
        _draw_example(figure, places, found[STILL])
        for row, (name, one) in zip((slice(3), slice(3, 6)), found.items(), strict=True):
            _draw_counts(figure.add_subplot(places[row, 4]), name, one)
    return figure


def example(found: Comparison) -> tuple[int, int, int]:
    """Return the triple (B, A1, A2) in which pixels and graph differ most, the graph being right."""
    pixel, graph = found.distances[PIXELS], found.distances[GRAPH]
    rows, triples = np.arange(len(pixel))[:, None], found.triples
    in_pixels = pixel[rows, triples.same] / pixel[rows, triples.other]
    on_graph = graph[rows, triples.other] / graph[rows, triples.same]
    extent = np.where((in_pixels > 1) & (on_graph > 1), in_pixels * on_graph, 0)
    b, pair = (int(i) for i in np.unravel_index(int(extent.argmax()), extent.shape))
    return b, int(triples.other[b, pair]), int(triples.same[b, pair])


def _draw_example(figure: Figure, places: GridSpec, found: Comparison) -> None:
    """Draw B, A1 and A2, and the ways along the graph from B to both."""
    b, *ends = example(found)
    rows = np.vstack([found.digits.test, found.digits.train])
    trio = [b, *(len(found.digits.test) + end for end in ends)]
    ways = [rows[shortest_way(rows, b, end, N_NEIGHBORS)].reshape(-1, SIDE, SIDE) for end in trio[1:]]
    longest = max(map(len, ways))
    names = ["B"]
    for row, name, end, way in zip((4, 5), ("A1", "A2"), ends, ways, strict=True):
        names.append(f"{name}: {found.distances[PIXELS][b, end]:.0f} in pixels")
        padded = np.pad(way, ((0, longest - len(way)), (0, 0), (0, 0)), constant_values=np.nan)
        axes = figure.add_subplot(places[row, :3])
        show_image(axes, image_strip(padded))
        axes.spines[:].set_visible(False)
        axes.set_anchor("W")
        axes.set_title(f"The way from B to {name} along the graph: {found.distances[GRAPH][b, end]:.0f}")
    for column, (name, position) in enumerate(zip(names, trio, strict=True)):
        axes = figure.add_subplot(places[:4, column])
        show_image(axes, rows[position].reshape(SIDE, SIDE))
        axes.set_title(name)


def _draw_counts(axes: Axes, name: str, found: Comparison) -> None:
    (both_wrong, gained), (lost, both_right) = found.table()
    counts = {
        "pixels wrong, graph right": (gained, MODEL_COLOR),
        "pixels right, graph wrong": (lost, OTHER_COLOR),
        "both wrong": (both_wrong, GREY),
        "both right": (both_right, GREY),
    }
    shares = [count / found.table().sum() for count, _ in counts.values()]
    bars = axes.barh(list(counts), shares, color=[color for _, color in counts.values()])
    axes.bar_label(bars, [f"{share:.1%}" for share in shares], padding=3)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.15), xticks=[], xlabel="share of triples (B, A1, A2)")
    axes.set_title(name)
