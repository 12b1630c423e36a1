from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from isthmus import Autoencoder
from isthmus.errors import InputError
from isthmus.plots import ColumnErrorDisplay, new_axes


@pytest.fixture(scope="module")
def display(table_model: Any, mixed_table: pl.DataFrame) -> ColumnErrorDisplay:
    return ColumnErrorDisplay.from_estimator(table_model, mixed_table, ax=new_axes())


def by_name(display: ColumnErrorDisplay) -> dict[str, tuple[float, float, str]]:
    return dict(
        zip(display.names, zip(display.error, display.baseline, display.units, strict=True), strict=True)
    )


def test_errors_of_numbers_are_in_training_standard_deviations(
    display: ColumnErrorDisplay, table_model: Any, mixed_table: pl.DataFrame
) -> None:
    error, baseline, unit = by_name(display)["名前"]
    again = table_model.reconstruct(mixed_table)["名前"]
    features = table_model.model_.features
    j = features.names.index("名前")
    mean, sd = features.statistics.mean[j], features.statistics.sd[j]
    assert error == pytest.approx((((again - mixed_table["名前"]) / sd) ** 2).mean() ** 0.5, rel=1e-4)
    assert baseline == pytest.approx((((mixed_table["名前"] - mean) / sd) ** 2).mean() ** 0.5, rel=1e-4)
    assert unit == "training standard deviations"


def test_errors_of_categories_are_shares_over_the_observed_entries(
    display: ColumnErrorDisplay, table_model: Any, mixed_table: pl.DataFrame
) -> None:
    city = mixed_table["city & canton"]
    known = city.is_not_null()
    again = table_model.reconstruct(mixed_table)["city & canton"]
    error, baseline, unit = by_name(display)["city & canton"]
    assert error == pytest.approx((again != city).filter(known).mean())
    assert baseline == pytest.approx((city != city.drop_nulls().mode()[0]).filter(known).mean())
    assert unit == "share wrong"
    member = mixed_table["member"]
    assert by_name(display)["member"][1] == pytest.approx(min(member.mean(), 1 - member.mean()))


def test_the_picture_shows_them_with_the_column_that_gains_least_first(display: ColumnErrorDisplay) -> None:
    assert (np.diff(display.share) <= 0).all()
    y = np.arange(len(display.names))
    np.testing.assert_array_equal(display.model_.get_offsets(), np.column_stack([display.error, y]))
    np.testing.assert_array_equal(display.baseline_.get_offsets(), np.column_stack([display.baseline, y]))
    assert display.ax_.yaxis_inverted()
    assert display.ax_.get_xlabel() == (
        "root-mean-square error (training standard deviations),\nof categories the share wrong"
    )
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert "price in $ or US$" in names
    assert set(display.names) == {
        "<script>alert(1)</script>",
        "price in $ or US$",
        "city & canton",
        "member",
        "visits",
        "day",
        "名前",
    }


def test_the_label_is_not_among_them(display: ColumnErrorDisplay) -> None:
    assert "segment" not in display.names


def test_arrays_are_measured_in_data_units() -> None:
    X = np.random.default_rng(0).normal(size=(100, 3)) * [100, 1, 1]
    model = Autoencoder(1, hidden_sizes=(), max_epochs=60, random_state=0).fit(X)
    display = ColumnErrorDisplay.from_estimator(model, X, ax=new_axes())
    errors = np.sqrt(((model.reconstruct(X) - X) ** 2).mean(axis=0))
    for j in range(3):
        assert by_name(display)[f"x{j}"][0] == pytest.approx(errors[j], rel=1e-3)
    assert display.ax_.get_xlabel() == "root-mean-square error (data units)"


def test_of_many_columns_the_worst_are_drawn_and_that_is_said() -> None:
    error = np.linspace(0, 0.9, 40)
    display = ColumnErrorDisplay(
        names=[f"c{i}" for i in range(40)], error=error, baseline=np.ones(40), is_label=np.zeros(40), n_rows=9
    ).plot(new_axes(), max_columns=5)
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["c39", "c38", "c37", "c36", "c35"]
    assert display.ax_.get_title(loc="right") == "the worst 5 of 40 columns"
    with pytest.raises(InputError, match="max_columns=0"):
        display.plot(new_axes(), max_columns=0)


def test_a_guess_that_is_always_right_makes_every_error_the_worst() -> None:
    display = ColumnErrorDisplay(
        names=["fine", "perfect", "worse"],
        error=[0.5, 0, 0.1],
        baseline=[1, 0, 0],
        is_label=[0, 1, 1],
        n_rows=3,
    )
    assert display.names == ("worse", "fine", "perfect")
    assert display.share.tolist() == [np.inf, 0.5, 0]
