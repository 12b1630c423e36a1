"""Maps side by side: every point at its code, in its colour, held-out rows on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose, assert_array_equal

from isthmus.errors import InputError
from isthmus.plots import Labels, MapsDisplay
from isthmus.plots.compare import Panel
from isthmus.plots.style import CATEGORY_COLORS, GREY, MODEL_COLOR
from isthmus.tasks import compare_maps
from isthmus.tasks.comparison import Comparison


def ordered(points: Any) -> Any:
    return np.asarray(points)[np.lexsort(np.asarray(points).T)]


@pytest.fixture(scope="module")
def comparison(digits: Any) -> Comparison:
    return compare_maps(digits.data[:120], ("pca", "lle"), labels=digits.target[:120] % 3)


def test_every_row_is_a_point_at_its_code_and_held_out_rows_lie_on_top(comparison: Comparison) -> None:
    display = MapsDisplay.from_comparison(comparison, label_name="rest")
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["PCA", "LLE"]
    for map_, ax, faint, strong in zip(
        comparison.maps, display.axes_, display.training_, display.held_out_, strict=True
    ):
        assert_allclose(ordered(faint.get_offsets()), ordered(map_.training))
        assert_allclose(ordered(strong.get_offsets()), ordered(map_.held_out))
        assert list(ax.collections) == [faint, strong]
        assert faint.get_alpha() < strong.get_alpha()


def test_a_row_has_the_colour_of_its_label_in_every_map(comparison: Comparison) -> None:
    display = MapsDisplay.from_comparison(comparison, label_name="rest")
    for map_, strong in zip(comparison.maps, display.held_out_, strict=True):
        places = np.asarray(strong.get_offsets())
        for code, label in zip(map_.held_out, comparison.rows.held_out_labels, strict=True):
            position = np.abs(places - code).sum(axis=1).argmin()
            assert_allclose(strong.get_facecolors()[position][:3], to_rgb(CATEGORY_COLORS[label]))
    (legend,) = display.figure_.legends
    assert legend.get_title().get_text() == "rest"
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "2"]
    assert display.figure_.get_supxlabel() == "faint: 96 training rows; strong: 24 held-out rows"


def test_labels_of_all_rows_may_be_given_and_numbers_get_a_scale(comparison: Comparison) -> None:
    numbers = Labels.read(np.arange(120) / 7, "size")
    display = MapsDisplay.from_comparison(comparison, label=numbers)
    index = np.concatenate([comparison.rows.training_index, comparison.rows.held_out_index])
    assert_array_equal(display.labels.numbers, (np.arange(120) / 7)[index])
    (bar,) = [ax for ax in display.figure_.axes if ax not in display.axes_]
    assert bar.get_xlabel() == "size"
    assert not display.figure_.legends


def test_without_labels_held_out_rows_have_the_colour_of_models() -> None:
    points = np.random.default_rng(0).normal(size=(6, 2))
    display = MapsDisplay(panels=[Panel("a", points, points + 1)]).plot()
    assert_allclose(display.training_[0].get_facecolors()[0][:3], to_rgb(GREY))
    assert_allclose(display.held_out_[0].get_facecolors()[0][:3], to_rgb(MODEL_COLOR))


def test_a_map_that_takes_no_new_rows_says_so_and_dollars_are_dollars() -> None:
    points = np.random.default_rng(0).normal(size=(6, 2))
    panels = [Panel("$x$", points, None), Panel("b", points, points), Panel("c", points, points)]
    display = MapsDisplay(panels=panels, n_columns=2).plot()
    title = display.axes_[0].title if display.axes_[0].get_title() else display.axes_[0]._left_title
    assert title.get_text() == "$x$\ntraining rows only"
    assert not title.get_parse_math()
    assert len(display.held_out_) == 2
    assert len(display.figure_.axes) == 3
    only = MapsDisplay(panels=panels[:1]).plot()
    assert only.figure_.get_supxlabel() == "6 training rows"


def test_wider_codes_are_drawn_by_their_principal_components(digits: Any) -> None:
    found = compare_maps(digits.data[:120], ("pca",), n_components=3)
    display = MapsDisplay.from_comparison(found)
    drawn = np.concatenate([display.training_[0].get_offsets(), display.held_out_[0].get_offsets()])
    codes = np.concatenate([found.maps[0].training, found.maps[0].held_out])
    spread = np.linalg.svd(codes - codes.mean(axis=0), compute_uv=False)[:2]
    assert_allclose(np.linalg.norm(drawn - drawn.mean(axis=0), axis=0), spread, rtol=1e-6)


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(InputError, match="0 maps in 3 columns"):
        MapsDisplay(panels=[])
