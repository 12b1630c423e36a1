from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from isthmus.errors import InputError
from isthmus.plots import ImageGridDisplay, NearestDisplay, new_axes
from isthmus.plots.style import OTHER_COLOR

Array = np.ndarray[Any, Any]


def drawn(display: ImageGridDisplay) -> Array:
    return np.asarray(display.image_.get_array())


def grid(images: Any, **options: Any) -> ImageGridDisplay:
    return ImageGridDisplay.from_images(images, ax=new_axes(), **options)


def texts(display: ImageGridDisplay) -> list[str]:
    return [text.get_text() for text in display.ax_.texts]


def row_titles(display: ImageGridDisplay) -> dict[float, str]:
    """Return titles by their height in the picture, counted in pixels from the centre of the top ones."""
    return {tick.get_position()[1]: tick.get_text() for tick in display.ax_.get_yticklabels()}


def column_titles(display: ImageGridDisplay) -> dict[float, str]:
    return {tick.get_position()[0]: tick.get_text() for tick in display.ax_.get_xticklabels()}


# The picture -----------------------------------------------------------------------------------------


def test_images_stand_line_by_line_with_gaps_and_the_rest_is_clear() -> None:
    images = np.arange(12.0).reshape(3, 2, 2)
    picture = drawn(grid(images, n_columns=2))
    assert picture.shape == (5, 5, 4)
    np.testing.assert_allclose(picture[:2, :2, 0], images[0] / 11)
    np.testing.assert_allclose(picture[:2, 3:, 1], images[1] / 11)
    np.testing.assert_allclose(picture[3:, :2, 2], images[2] / 11)
    opaque = np.zeros((5, 5))
    opaque[:2, :2] = opaque[:2, 3:] = opaque[3:, :2] = 1
    np.testing.assert_array_equal(picture[..., 3], opaque)


def test_a_manifold_grid_has_no_gaps() -> None:
    images = np.random.default_rng(0).random((400, 3, 2))
    picture = drawn(grid(images, gap=0, low=0, high=1))
    assert picture.shape == (60, 40, 4)  # 20 x 20 images of 3 x 2
    np.testing.assert_allclose(picture[57:, 38:, 0], images[399])
    np.testing.assert_allclose(picture[3:6, 2:4, 0], images[21])


def test_a_gap_is_a_share_of_the_width() -> None:
    assert drawn(grid(np.zeros((2, 5, 50)), n_columns=2)).shape == (5, 104, 4)
    assert drawn(grid(np.zeros((2, 5, 50)), n_columns=1, gap=0.2)).shape == (20, 50, 4)


def test_colours_are_kept() -> None:
    images = np.random.default_rng(0).random((2, 3, 4, 3))
    picture = drawn(grid(images, n_columns=2, low=0, high=1))
    np.testing.assert_allclose(picture[:, :4, :3], images[0])
    np.testing.assert_allclose(picture[:, 5:, :3], images[1])


def test_a_grid_of_images_keeps_its_rows_and_columns() -> None:
    images = np.random.default_rng(0).random((2, 3, 5, 6))
    display = grid(images, gap=0, low=0, high=1)
    assert (display.n_rows, display.n_columns) == (2, 3)
    np.testing.assert_allclose(drawn(display)[5:, 12:, 0], images[1, 2])
    in_colour = np.random.default_rng(0).random((2, 3, 5, 6, 3))
    display = grid(in_colour, gap=0, low=0, high=1)
    assert (display.n_rows, display.n_columns) == (2, 3)
    np.testing.assert_allclose(drawn(display)[:5, 6:12, :3], in_colour[0, 1])
    assert (grid(images, n_columns=2).n_rows, grid(images, n_columns=2).n_columns) == (3, 2)


@pytest.mark.parametrize(("n", "rows", "columns"), [(1, 1, 1), (4, 2, 2), (5, 2, 3), (7, 3, 3)])
def test_images_without_an_arrangement_are_put_into_a_square(n: int, rows: int, columns: int) -> None:
    display = grid(np.zeros((n, 2, 2)))
    assert (display.n_rows, display.n_columns) == (rows, columns)


# Values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "options", "expected"),
    [
        ([[[2.0, 5.0]]], {}, (2, 5)),
        ([[[2.0, 5.0]]], {"low": 0}, (0, 5)),
        ([[[2.0, 5.0]]], {"high": 16}, (2, 16)),
        ([[[2.0, np.nan, np.inf]]], {}, (2, 2)),
        ([[[np.nan]]], {}, (0, 1)),
        (np.array([[[2, 5]]], dtype=np.uint8), {}, (0, 255)),
        (np.array([[[2, 5]]], dtype=np.int16), {}, (2, 5)),
        ([[[True, True]]], {}, (0, 1)),
    ],
)
def test_black_and_white_are_the_ends_of_what_can_be(
    images: Any, options: dict[str, float], expected: tuple[float, float]
) -> None:
    assert grid(images, **options).value_range == expected


def test_values_beyond_the_range_are_clipped_and_nan_is_orange() -> None:
    picture = drawn(grid([[[-3.0, 0.5, 7.0, np.nan]]], low=0, high=1))
    np.testing.assert_allclose(picture[0, :3, 0], [0, 0.5, 1])
    np.testing.assert_allclose(picture[0, 3], to_rgba(OTHER_COLOR))


# Words -----------------------------------------------------------------------------------------------


def test_titles_stand_at_the_middle_of_their_row_and_column() -> None:
    display = grid(
        np.zeros((2, 3, 11, 11)),
        row_titles=["$a$", "b"],
        column_titles=[0, 0.5, 1],
        title="Steps",
        note="from left to right",
    )
    assert row_titles(display) == {5: "$a$", 17: "b"}  # a gap of one pixel after 11
    assert column_titles(display) == {5: "0", 17: "0.5", 29: "1"}
    assert not display.ax_.get_yticklabels()[0].get_parse_math()
    assert display.ax_.get_title(loc="left") == "Steps"
    assert display.ax_.get_xlabel() == "from left to right"
    assert display.ax_.xaxis.get_tick_params()["labeltop"]
    assert texts(display) == []


def test_without_titles_there_are_no_ticks() -> None:
    display = grid(np.zeros((4, 2, 2)))
    assert row_titles(display) == column_titles(display) == {}


def test_long_column_titles_stand_upright() -> None:
    images, names = np.zeros((1, 4, 2, 2)), ["a", "b", "c", "d"]
    for last, angle in (("twelve signs", 0), ("thirteen of 'm", 90)):  # 48 / 4 letters lie side by side
        display = grid(images, column_titles=[*names[:3], last])
        assert [tick.get_rotation() for tick in display.ax_.get_xticklabels()] == [angle] * 4


def test_captions_stand_below_and_only_rows_that_have_some_take_room() -> None:
    images = np.random.default_rng(0).random((6, 10, 10))
    display = grid(images, n_columns=2, gap=0, captions=["", "", "c", "", "", ""], low=0, high=1)
    picture = drawn(display)
    assert picture.shape == (32, 20, 4)  # 2 = 6% of 20 for a line
    np.testing.assert_allclose(picture[22:, :10, 0], images[4])
    assert (picture[20:22, :, 3] == 0).all()
    (caption,) = [text for text in display.ax_.texts if text.get_text()]
    assert caption.get_text() == "c"
    assert caption.xy == (4.5, 19.5)  # type: ignore[attr-defined]


def test_new_axes_are_as_high_as_the_images_need() -> None:
    from matplotlib import pyplot as plt

    wide = ImageGridDisplay.from_images(np.zeros((1, 8, 5, 5)))
    tall = ImageGridDisplay.from_images(np.zeros((90, 1, 5, 5)))
    try:
        assert wide.figure_.get_size_inches() == pytest.approx([4.4, 4.4 / 8 + 0.2], abs=0.1)
        assert tall.figure_.get_size_inches() == pytest.approx([4.4, 8])
    finally:
        plt.close("all")


def test_titles_and_images_fit_the_figure() -> None:
    from matplotlib import pyplot as plt

    display = ImageGridDisplay.from_images(
        np.zeros((2, 5, 8, 8)),
        row_titles=["an image", "as long a title as there is"],
        column_titles=["glasses", "a smile as well", "c", "d", "e"],
        captions=range(10),
        title="All",
        note="below",
    )
    try:
        display.figure_.canvas.draw()
        box = display.figure_.get_tightbbox()
        width, height = display.figure_.get_size_inches()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
        extent = display.ax_.get_window_extent()
        assert extent.width > 0.4 * display.figure_.bbox.width
    finally:
        plt.close("all")


def test_the_house_style_leaves_the_users_alone() -> None:
    before = dict(matplotlib.rcParams)
    grid(np.zeros((4, 2, 2)), title="x")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((3, 4)), {}, r"\(3, 4\) are no images"),
        (np.zeros((3, 4, 4, 2, 2, 2)), {}, "are no images"),
        (np.zeros((0, 4, 4)), {}, r"n >= 1"),
        (5.0, {}, "are no images"),
        (np.zeros((4, 2, 2)), {"n_columns": 0}, "n_columns is 0"),
        (np.zeros((4, 2, 2)), {"gap": -1}, "gap -1"),
        (np.zeros((4, 2, 2)), {"row_titles": ["a"]}, "there are 1 row_titles; give 2"),
        (np.zeros((4, 2, 2)), {"column_titles": "abc"}, "there are 3 column_titles; give 2"),
        (np.zeros((4, 2, 2)), {"captions": ["a"] * 3}, "there are 3 captions; give 4"),
    ],
)
def test_what_cannot_be_drawn_is_refused(images: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        grid(images, **options)


# Nearest rows ----------------------------------------------------------------------------------------


def test_samples_stand_above_the_rows_nearest_to_them(digits: Any) -> None:
    X = digits.images
    samples = X[[30, 10]].copy()
    samples[0, 0, :2] += [3, -4]
    display = NearestDisplay.from_samples(samples, X, ax=new_axes())
    assert display.index.tolist() == [30, 10]
    assert display.distance.tolist() == [5, 0]
    assert display.value_range == (0, 16)
    picture = drawn(display)
    np.testing.assert_allclose(picture[:8, :8, 0], np.clip(samples[0] / 16, 0, 1))
    np.testing.assert_allclose(picture[9:17, :8, 0], X[30] / 16)
    np.testing.assert_allclose(picture[9:17, 9:, 0], X[10] / 16)
    assert [text for text in texts(display) if text] == ["5", "0"]
    assert list(row_titles(display).values()) == ["sample", "nearest row"]
    assert display.ax_.get_xlabel() == "Euclidean distance, in units of the data"


def test_the_first_samples_are_drawn_and_flat_rows_where_their_shape_is_given(digits: Any) -> None:
    display = NearestDisplay.from_samples(
        digits.data[:20], digits.images, n_images=3, image_shape=(8, 8), ax=new_axes()
    )
    assert display.index.tolist() == [0, 1, 2]
    assert drawn(display).shape[1] == 3 * 8 + 2
    with pytest.raises(InputError, match=r"not images of shape \(64,\); give image_shape"):
        NearestDisplay.from_samples(digits.data[:2], digits.data, ax=new_axes())
    with pytest.raises(InputError, match=r"rows of shape \(64,\) are not images of shape \(8, 9\)"):
        NearestDisplay.from_samples(digits.data[:2], digits.data, image_shape=(8, 9), ax=new_axes())
    with pytest.raises(InputError, match="NaN"):
        NearestDisplay.from_samples(np.full((1, 8, 8), np.nan), digits.images, ax=new_axes())
