"""Pictures of models that are told a condition: they show what the model's methods give under it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from isthmus import ConditionalVariationalAutoencoder
from isthmus.errors import InputError
from isthmus.plots import ColumnErrorDisplay, LossDisplay, MapDisplay, ReconstructionDisplay, new_axes
from isthmus.plots.rows import open_rows

FEW: dict[str, Any] = {"hidden_sizes": (16,), "max_epochs": 3, "random_state": 0}


@pytest.fixture(scope="module")
def model(digits: Any) -> Any:
    model = ConditionalVariationalAutoencoder(2, **FEW)
    return model.fit(digits.images, condition=digits.target)


def test_each_row_is_drawn_at_its_code_under_its_own_condition(model: Any, digits: Any) -> None:
    display = MapDisplay.from_estimator(
        model, digits.images, condition=digits.target, max_rows=50, ax=new_axes()
    )
    index = np.random.default_rng(0).permutation(len(digits.images))[:50]
    codes = model.transform(digits.images, condition=digits.target)
    np.testing.assert_array_equal(display.points, codes[index])
    same = MapDisplay.from_estimator(model, digits.images, condition=3, max_rows=50, ax=new_axes())
    np.testing.assert_array_equal(same.points, model.transform(digits.images, condition=3)[index])
    assert not np.array_equal(same.points, display.points)


def test_images_come_back_under_their_own_condition(model: Any, digits: Any) -> None:
    display = ReconstructionDisplay.from_estimator(
        model, digits.images, condition=digits.target, n_images=3, ax=new_axes()
    )
    again = model.reconstruct(digits.images[:3], condition=digits.target[:3])
    np.testing.assert_array_equal(display.rows["reconstructed"], again)


def test_a_table_is_measured_under_conditions_in_its_columns_or_apart(mixed_table: pl.DataFrame) -> None:
    rows = mixed_table.select("visits", "名前")
    apart = ConditionalVariationalAutoencoder(1, **FEW).fit(rows, condition=mixed_table.select("member"))
    inside = ConditionalVariationalAutoencoder(1, condition="member", **FEW)
    inside.fit(mixed_table.select("member", "visits", "名前"))
    displays = [
        ColumnErrorDisplay.from_estimator(apart, rows, condition=mixed_table["member"], ax=new_axes()),
        ColumnErrorDisplay.from_estimator(apart, mixed_table, ax=new_axes()),
        ColumnErrorDisplay.from_estimator(inside, mixed_table, ax=new_axes()),
    ]
    again = apart.reconstruct(rows, condition=mixed_table["member"])["名前"]
    sd = rows["名前"].std(ddof=0)
    for display in displays:
        np.testing.assert_array_equal(display.error, displays[0].error)
        error = display.error[display.names.index("名前")]
        assert error == pytest.approx(((again - rows["名前"]) ** 2).mean() ** 0.5 / sd, rel=0.1)
    # Told otherwise than the columns say, they come back otherwise.
    other = ColumnErrorDisplay.from_estimator(inside, mixed_table, condition=True, ax=new_axes())
    assert not np.array_equal(other.error, displays[0].error)


def test_a_condition_is_asked_for_and_refused_where_there_is_none(
    model: Any, digits_model: Any, digits: Any
) -> None:
    for display in (MapDisplay, ReconstructionDisplay, ColumnErrorDisplay):
        with pytest.raises(InputError, match="give condition="):
            display.from_estimator(model, digits.images, ax=new_axes())
        with pytest.raises(InputError, match="fitted without one"):
            display.from_estimator(digits_model, digits.images, condition=digits.target, ax=new_axes())
    with pytest.raises(InputError, match="condition has 2 rows and the data 1797"):
        MapDisplay.from_estimator(model, digits.images, condition=[1, 2], ax=new_axes())


def test_the_loss_needs_none(model: Any, digits: Any) -> None:
    LossDisplay.from_estimator(model, digits.images, condition=digits.target, ax=new_axes())


def test_rows_are_taken_with_what_is_told_of_them(model: Any, digits: Any) -> None:
    rows = open_rows(model, digits.images, digits.target)
    index = np.array([5, 3, 3])
    np.testing.assert_array_equal(rows.take(index), digits.images[index])
    assert rows.condition_of(index)["condition"].to_list() == digits.target[index].tolist()
    assert rows.batch(index).condition.argmax(dim=1).tolist() == digits.target[index].tolist()  # type: ignore[union-attr]
