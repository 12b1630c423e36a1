from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from isthmus.errors import InputError
from isthmus.plots import Labels
from isthmus.plots.labels import MISSING_COLOR
from isthmus.plots.style import CATEGORY_COLORS


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["b", "a", "b"], ("a", "b")),
        ([True, False], ("False", "True")),
        ([10, 2, 2], ("2", "10")),
        ([1.0, np.nan, 0.0], ("0", "1")),
        (np.array([1, None, 0], dtype=object), ("0", "1")),
        (np.array([True, None], dtype=object), ("True",)),
        (["x\ny"], ("x\\ny",)),
    ],
)
def test_categories_are_named_in_order(values: Any, names: tuple[str, ...]) -> None:
    labels = Labels.read(values)
    assert labels.categorical
    assert labels.names == names


@pytest.mark.parametrize("values", [[0.5, 1.5], range(11), np.array([0.5, None], dtype=object)])
def test_fractions_and_many_whole_numbers_are_numbers(values: Any) -> None:
    labels = Labels.read(values)
    assert not labels.categorical
    np.testing.assert_array_equal(labels.numbers, np.asarray(values, dtype=float))


def test_dates_are_numbers_and_missing_ones_missing() -> None:
    labels = Labels.read(np.array(["2024-01-01", "2024-01-11", "NaT"], dtype="datetime64[D]"))
    assert labels.dates
    assert labels.numbers[1] - labels.numbers[0] == 10
    assert labels.missing.tolist() == [False, False, True]
    assert Labels.read([date(2024, 1, 1)]).categorical  # Python's own dates are words to NumPy


def test_codes_and_colours_belong_to_their_categories() -> None:
    labels = Labels.read(np.array(["b", None, "a", "b"], dtype=object))
    assert labels.codes.tolist() == [1, -1, 0, 1]
    assert [to_hex(color) for color in labels.colors()] == [
        CATEGORY_COLORS[1],
        MISSING_COLOR,
        CATEGORY_COLORS[0],
        CATEGORY_COLORS[1],
    ]


def test_of_many_categories_the_most_frequent_nine_are_told_apart() -> None:
    values = [f"c{i:02}" for i in range(12) for _ in range(1 if i < 3 else 2)]
    labels = Labels.read(values)
    assert labels.names == (*(f"c{i:02}" for i in range(3, 12)), "other (3)")
    assert labels.codes[:3].tolist() == [9, 9, 9]
    assert labels.codes[3] == 0


def test_extreme_numbers_do_not_take_all_the_colours() -> None:
    labels = Labels.read([*np.linspace(0.5, 1.5, 1000), 1e9])
    assert labels.norm.vmax == pytest.approx(1.5, abs=0.05)


def test_numbers_rise_along_the_scale_and_missing_ones_are_grey() -> None:
    colors = Labels.read([0.1, 0.2, np.nan]).colors()
    assert colors[0, 1] < colors[1, 1]  # viridis grows green
    assert to_hex(colors[2]) == MISSING_COLOR


def test_taken_labels_keep_their_categories() -> None:
    taken = Labels.read(["a", "b", "c"]).take(np.array([2]))
    assert (taken.names, taken.codes.tolist()) == (("a", "b", "c"), [2])


def test_a_table_of_labels_is_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(2, 2\); give one value a row"):
        Labels.read([[1, 2], [3, 4]])


@given(
    st.lists(st.none() | st.text(max_size=30), max_size=40)
    | st.lists(st.none() | st.floats(width=32) | st.integers(-(2**60), 2**60), max_size=40)
    | st.lists(st.none() | st.booleans(), max_size=40)
)
def test_every_row_gets_one_colour_whatever_its_label(values: list[Any]) -> None:
    labels = Labels.read(np.array(values, dtype=object))
    colors = labels.colors()
    assert colors.shape == (len(values), 4)
    assert ((colors >= 0) & (colors <= 1)).all()
    assert all(missing for missing, value in zip(labels.missing, values, strict=True) if value is None)
    assert len(labels.names) <= len(CATEGORY_COLORS)
