from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators import Autoencoder, preparing

MakeModel = Callable[..., Autoencoder]


def test_rows_that_do_not_fit_in_memory_are_streamed(
    rows: np.ndarray, quick: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = quick(max_epochs=30).fit(rows)
    monkeypatch.setattr(preparing, "_memory_limit", lambda: 0)
    monkeypatch.setattr(preparing, "BLOCK_ROWS", 7)
    streamed = quick(max_epochs=30).fit(rows)
    assert np.array_equal(
        streamed.model_.features.statistics.mean.round(9), held.model_.features.statistics.mean.round(9)
    )
    assert streamed.score(rows) == pytest.approx(held.score(rows), abs=0.3)
    again = quick(max_epochs=30).fit(rows)
    assert np.array_equal(again.transform(rows), streamed.transform(rows))
    chunks = quick()
    for chunk in np.array_split(rows, 3):
        chunks.partial_fit(chunk)
    assert np.isfinite(chunks.score(rows))


def test_weights_are_streamed_with_their_rows(
    table: pl.DataFrame, quick: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, weight = table.drop("key", "label", "importance"), table["importance"].to_numpy()
    settings = {"batch_size": 4096, "validation_fraction": 0.0}
    held = quick(**settings).fit(plain, sample_weight=weight)
    monkeypatch.setattr(preparing, "_memory_limit", lambda: 0)
    streamed = quick(**settings).fit(plain, sample_weight=weight)
    # One batch an epoch holds the same rows in either order.
    np.testing.assert_allclose(streamed.transform(plain), held.transform(plain), atol=1e-4)


def test_a_row_of_a_later_block_is_named_by_its_place_among_all(
    rows: np.ndarray, quick: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = quick(max_epochs=1).fit(rows)
    monkeypatch.setattr(preparing, "BLOCK_ROWS", 7)
    spoilt = rows.copy()
    spoilt[20, 2] = np.inf
    with pytest.raises(InputError, match='"x2", row 20'):
        list(preparing.encoded_blocks(as_source(spoilt), model.schema_))


def test_the_fingerprint_is_that_of_values_and_weights(rows: np.ndarray, quick: MakeModel) -> None:
    schema = quick(max_epochs=1).fit(rows).schema_

    def fingerprint(X: np.ndarray, weight: np.ndarray | None = None) -> str:
        return preparing.fingerprint(as_source(X), schema, [] if weight is None else [weight])

    assert fingerprint(rows) == fingerprint(rows.copy()) == fingerprint(np.asfortranarray(rows))
    changed = rows.copy()
    changed[7, 2] += 1e-9
    assert len({fingerprint(X) for X in (rows, changed, rows[::-1], rows[:-1])}) == 4
    ones = np.ones(len(rows))
    assert len({fingerprint(rows, weight) for weight in (None, ones, 2 * ones)}) == 3
