from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex
from sklearn.decomposition import PCA

from isthmus import Autoencoder
from isthmus.plots import Labels, MapDisplay, new_axes
from isthmus.plots.map import densest, flatten
from isthmus.plots.style import CATEGORY_COLORS


def offsets(display: MapDisplay) -> np.ndarray[Any, Any]:
    return np.asarray(display.scatter_.get_offsets())


def legend_texts(display: MapDisplay) -> list[str]:
    legend = display.ax_.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_codes_of_two_numbers_are_drawn_where_they_are(table_model: Any, mixed_table: pl.DataFrame) -> None:
    display = MapDisplay.from_estimator(table_model, mixed_table, ax=new_axes())
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_allclose(offsets(display), table_model.transform(mixed_table)[order])
    assert display.ax_.get_xlabel() == "first component of the code"
    assert display.ax_.get_ylabel() == "second component of the code"


def test_wider_codes_are_drawn_at_their_leading_principal_components(digits_model: Any, digits: Any) -> None:
    display = MapDisplay.from_estimator(digits_model, digits.images, ax=new_axes())
    codes = digits_model.transform(digits.images).astype(float)
    pca = PCA(2).fit(codes)
    order = np.random.default_rng(0).permutation(len(codes))
    np.testing.assert_allclose(np.abs(offsets(display)), np.abs(pca.transform(codes)[order]), atol=1e-6)
    share = f"({pca.explained_variance_ratio_[0]:.0%})"
    assert display.ax_.get_xlabel() == f"first principal component of the codes {share}"
    assert "second principal component" in display.ax_.get_ylabel()
    assert display.ax_.get_aspect() == 1


def test_codes_of_one_number_are_spread_out_across_it() -> None:
    points, names = flatten(np.array([[1.0], [2.0], [3.0]], dtype=np.float32))
    assert points[:, 0].tolist() == [1, 2, 3]
    assert names == ("code", "spread at random, to tell points apart")


@pytest.mark.parametrize("codes", [np.zeros((5, 3)), np.ones((1, 7)), np.zeros((1, 1))])
def test_collapsed_and_single_codes_can_be_drawn(codes: np.ndarray[Any, Any]) -> None:
    points, names = flatten(codes)
    assert points.shape == (len(codes), 2)
    assert np.isfinite(points).all()
    MapDisplay(points=points, axis_names=names).plot(new_axes()).figure_.canvas.draw()


def test_each_point_has_the_colour_of_its_own_label(digits_model: Any, digits: Any) -> None:
    display = MapDisplay.from_estimator(digits_model, digits.images, label=digits.target, ax=new_axes())
    order = np.random.default_rng(0).permutation(len(digits.target))
    drawn = [to_hex(color) for color in display.scatter_.get_facecolors()[:20]]  # type: ignore[attr-defined]
    assert drawn == [CATEGORY_COLORS[label] for label in digits.target[order[:20]]]
    assert legend_texts(display) == [str(i) for i in (0, 5, 1, 6, 2, 7, 3, 8, 4, 9)]  # two lines of five
    assert {text.get_text() for text in display.ax_.texts} == set("0123456789")


def test_a_sample_is_stated_and_the_same_each_time(digits_model: Any, digits: Any) -> None:
    first, second = (
        MapDisplay.from_estimator(
            digits_model, digits.images, label=digits.target, label_name="digit", max_rows=100, ax=new_axes()
        )
        for _ in range(2)
    )
    legend = first.ax_.get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "digit (100 of 1,797 rows, chosen at random)"
    assert offsets(first).shape == (100, 2)
    np.testing.assert_array_equal(offsets(first), offsets(second))
    bare = MapDisplay.from_estimator(digits_model, digits.images, max_rows=100, ax=new_axes())
    assert bare.ax_.get_title(loc="left") == "100 of 1,797 rows, chosen at random"


def test_numbers_get_a_scale_named_after_them_and_missing_ones_a_legend(table_model: Any) -> None:
    points = np.random.default_rng(0).normal(size=(30, 2))
    labels = Labels.read([*np.linspace(0.5, 9.5, 29), np.nan], "price in $ or US$")
    display = MapDisplay(points=points, axis_names=("a", "b"), labels=labels).plot(new_axes())
    bar = display.figure_.axes[1]
    assert bar.get_xlabel() == "price in $ or US$"
    assert legend_texts(display) == ["price in $ or US$ missing"]
    display.figure_.canvas.draw()  # dollar signs are no mathematics


def test_columns_that_are_not_the_models_are_left_aside(table_model: Any, mixed_table: pl.DataFrame) -> None:
    more = mixed_table.with_columns(comment=pl.lit("hello"))
    display = MapDisplay.from_estimator(table_model, more, ax=new_axes())
    np.testing.assert_array_equal(
        offsets(display), offsets(MapDisplay.from_estimator(table_model, mixed_table, ax=new_axes()))
    )


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_columns_of_an_array_are_found_by_their_names_among_others(digits_model: Any, digits: Any) -> None:
    rows = digits.images.reshape(len(digits.images), -1)
    named = {f"x{i}": column for i, column in reversed(list(enumerate(rows.T)))}
    displays = [
        MapDisplay.from_estimator(digits_model, X, ax=new_axes())
        for X in (digits.images, pl.DataFrame({"comment": ["hello"] * len(rows), **named}))
    ]
    np.testing.assert_array_equal(*map(offsets, displays))


def test_labels_of_another_length_are_refused(digits_model: Any, digits: Any) -> None:
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        MapDisplay.from_estimator(digits_model, digits.images, label=digits.target[:-1], ax=new_axes())


def test_a_name_is_written_in_a_cluster_and_not_between_two() -> None:
    rng = np.random.default_rng(0)
    clusters = np.concatenate([rng.normal(-5, 0.5, (60, 2)), rng.normal(5, 0.5, (40, 2))])
    np.testing.assert_allclose(densest(clusters), [-5, -5], atol=1)
    np.testing.assert_array_equal(densest(np.ones((3, 2))), [1, 1])


def test_axes_have_one_scale_unless_one_of_them_is_made_up(digits: Any) -> None:
    model = Autoencoder(1, hidden_sizes=(), max_epochs=2, random_state=0).fit(digits.images)
    assert MapDisplay.from_estimator(model, digits.images, ax=new_axes()).ax_.get_aspect() == "auto"
