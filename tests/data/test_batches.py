from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data import batches as module
from isthmus.data.batches import Batch, MemoryBatches, StreamBatches, concatenate
from isthmus.data.features import Values
from isthmus.errors import InputError

CPU = torch.device("cpu")


def rows(n: int, *, gaps: bool = False, weighted: bool = False) -> Batch:
    """Return rows that carry their own number everywhere, so that nothing can be mixed up unseen."""
    index = torch.arange(n)
    values = torch.stack([index, -index], dim=1).float()
    observed = torch.stack([index % 2 == 0, index % 3 == 0], dim=1) if gaps else None
    return Batch(Values(values, observed, values[:, :1] / 2), index.float() + 1 if weighted else None, index)


def stream(data: Batch, cuts: list[int] | None = None, *, shuffle: bool = True) -> StreamBatches:
    edges = [0, *sorted(cuts or []), len(data)]
    spans = [slice(a, b) for a, b in itertools.pairwise(edges) if b > a]

    def blocks() -> Iterator[Batch]:
        for span in spans:
            piece = data.take(span)
            observed = piece.rows.observed
            # As a source yields them: a block without gaps has no mask.
            kept = None if observed is None or observed.all() else observed
            yield Batch(piece.rows._replace(observed=kept), piece.weight, piece.index)

    return StreamBatches(blocks, len(data), 1.0, CPU, shuffle=shuffle)


def order(epoch: Iterator[Batch]) -> list[list[int]]:
    return [batch.index.tolist() for batch in epoch]


def flat(batches: list[list[int]]) -> list[int]:
    return list(itertools.chain.from_iterable(batches))


def check_consistent(batch: Batch) -> None:
    n = batch.index
    np.testing.assert_array_equal(batch.rows.values, torch.stack([n, -n], dim=1))
    np.testing.assert_array_equal(batch.rows.extra, n[:, None] / 2)
    if batch.rows.observed is not None:
        np.testing.assert_array_equal(batch.rows.observed, torch.stack([n % 2 == 0, n % 3 == 0], dim=1))
    if batch.weight is not None:
        np.testing.assert_array_equal(batch.weight, n + 1)


# In memory --------------------------------------------------------------------------------------------------


@given(st.integers(1, 200), st.integers(1, 250), st.integers(0, 2**32 - 1))
def test_an_epoch_is_a_permutation_in_batches_of_nearly_equal_size(n: int, size: int, seed: int) -> None:
    data = MemoryBatches(rows(n, gaps=True, weighted=True))
    found = list(data.epoch(size, seed, 0))
    assert len(found) == data.n_batches(size) == -(-n // size)
    lengths = [len(batch) for batch in found]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1
    assert sorted(flat(order(iter(found)))) == list(range(n))
    for batch in found:
        check_consistent(batch)


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    data = MemoryBatches(rows(50))
    assert order(data.epoch(8, 1, 2)) == order(MemoryBatches(rows(50)).epoch(8, 1, 2))
    others = [(1, 3), (2, 2), (2, 1), (0, 2)]
    assert all(order(data.epoch(8, 1, 2)) != order(data.epoch(8, *other)) for other in others)


def test_the_order_does_not_touch_the_global_generator() -> None:
    before = torch.get_rng_state()
    order(MemoryBatches(rows(50)).epoch(8, 1, 2))
    order(stream(rows(50)).epoch(8, 1, 2))
    torch.testing.assert_close(torch.get_rng_state(), before)


@pytest.mark.parametrize("start", [0, 1, 3, 6, 7])
def test_an_epoch_goes_on_exactly_where_it_stopped(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHUFFLE_ROWS", 20)
    for data in (MemoryBatches(rows(50)), stream(rows(50), [7, 30])):
        assert order(data.epoch(8, 5, 1, start)) == order(data.epoch(8, 5, 1))[start:]


def test_the_mean_weight_is_that_of_the_rows() -> None:
    assert MemoryBatches(rows(9)).mean_weight == 1.0
    assert MemoryBatches(rows(9, weighted=True)).mean_weight == 5.0


# Streamed ---------------------------------------------------------------------------------------------------


@given(
    n=st.integers(1, 120),
    size=st.integers(1, 40),
    buffer=st.integers(1, 60),
    cuts=st.lists(st.integers(0, 120), max_size=6),
    gaps=st.booleans(),
)
def test_blocks_of_any_size_give_the_same_epoch_with_every_row_once(
    n: int, size: int, buffer: int, cuts: list[int], gaps: bool
) -> None:
    data = rows(n, gaps=gaps, weighted=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHUFFLE_ROWS", buffer)
        whole, cut = stream(data), stream(data, [min(c, n) for c in cuts])
        found = list(cut.epoch(size, 3, 1))
        assert order(iter(found)) == order(whole.epoch(size, 3, 1)) == order(cut.epoch(size, 3, 1))
        assert len(found) == cut.n_batches(size)
        assert sorted(flat(order(iter(found)))) == list(range(n))
    for batch in found:
        check_consistent(batch)


def test_epochs_and_seeds_differ_and_buffers_are_shuffled_each_their_own_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SHUFFLE_ROWS", 25)
    data = stream(rows(50))
    assert order(data.epoch(50, 1, 0)) != order(data.epoch(50, 1, 1))
    assert order(data.epoch(50, 1, 0)) != order(data.epoch(50, 2, 0))
    first, second = order(data.epoch(50, 1, 0))
    assert sorted(first) == list(range(25))
    assert [i - 25 for i in second] != first


def test_a_loader_keeps_its_own_order() -> None:
    assert flat(order(stream(rows(20), [3, 9], shuffle=False).epoch(7, 1, 0))) == list(range(20))


def test_rows_that_stay_away_are_told() -> None:
    data = rows(10)
    short = StreamBatches(lambda: iter([data.take(slice(0, 6))]), 10, 1.0, CPU)
    with pytest.raises(InputError, match="ended before all of its 10 training rows"):
        list(short.epoch(4, 0, 0))


def test_pieces_with_and_without_gaps_are_joined() -> None:
    data = rows(6, gaps=True)
    pieces = [rows(6).take(slice(0, 1)), data.take(slice(1, 6))]
    joined = concatenate(pieces)
    assert joined.rows.observed is not None
    assert joined.rows.observed[0].all()
    np.testing.assert_array_equal(joined.rows.observed[1:], data.take(slice(1, 6)).rows.observed)
    np.testing.assert_array_equal(joined.index, torch.arange(6))
    assert concatenate(pieces[:1]) is pieces[0]
    assert concatenate([rows(2), rows(3)]).rows.observed is None
