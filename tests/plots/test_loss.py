from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from isthmus import Autoencoder
from isthmus.errors import InputError
from isthmus.plots import LossDisplay, new_axes


def test_the_lines_are_the_history(digits_model: Any) -> None:
    display = LossDisplay.from_estimator(digits_model, ax=new_axes())
    history = digits_model.history_
    np.testing.assert_array_equal(display.line_.get_xdata(), range(1, 13))
    np.testing.assert_array_equal(display.line_.get_ydata(), [row["loss"] for row in history])
    assert display.validation_line_ is not None
    np.testing.assert_array_equal(
        display.validation_line_.get_ydata(), [row["validation_loss"] for row in history]
    )
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "loss (nats per row)"


def test_the_best_epoch_is_marked() -> None:
    display = LossDisplay(epoch=[1, 2, 3], loss=[9.0, 5, 4], validation_loss=[9.0, 6, 7]).plot(new_axes())
    assert display.best_epoch == 2
    marks = [tuple(line.get_xydata()[0]) for line in display.ax_.lines if line.get_marker() == "o"]
    assert marks == [(2, 6)]
    legend = display.ax_.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["training", "held-out", "kept: epoch 2"]


def test_without_held_out_rows_there_is_one_line_and_no_best_epoch() -> None:
    display = LossDisplay(epoch=[1, 2], loss=[3.0, 2]).plot(new_axes())
    assert (display.best_epoch, display.validation_line_, len(display.ax_.lines)) == (None, None, 1)


@pytest.mark.parametrize(
    ("loss", "scale"), [([100, 30, 2], "log"), ([100, 90, 80], "linear"), ([100, 1, -3], "linear")]
)
def test_a_loss_that_falls_far_and_stays_positive_is_drawn_logarithmically(
    loss: list[float], scale: str
) -> None:
    assert LossDisplay(epoch=[1, 2, 3], loss=loss).plot(new_axes()).ax_.get_yscale() == scale


def test_a_steep_beginning_that_cannot_be_logarithmic_is_left_above_the_frame_and_told() -> None:
    loss = [1e6, *np.linspace(3, -2, 40)]
    display = LossDisplay(epoch=range(1, 42), loss=loss).plot(new_axes())
    assert display.ax_.get_ylim()[1] < 10
    assert "1e+06" in display.ax_.get_title(loc="left")


def test_nothing_fitted_has_no_curve() -> None:
    with pytest.raises(ValueError, match="not fitted"):
        LossDisplay.from_estimator(Autoencoder())
    model = Autoencoder()
    model.history_ = []
    with pytest.raises(InputError, match="empty history_"):
        LossDisplay.from_estimator(model)


def test_pyplot_learns_of_a_figure_only_without_axes(digits_model: Any) -> None:
    before = plt.get_fignums()
    LossDisplay.from_estimator(digits_model, ax=new_axes())
    assert plt.get_fignums() == before
    display = LossDisplay.from_estimator(digits_model)
    assert plt.gcf() is display.figure_
    plt.close(display.figure_)


def test_the_style_of_other_pictures_stays_as_it_was(digits_model: Any) -> None:
    before = dict(plt.rcParams)
    LossDisplay.from_estimator(digits_model, ax=new_axes())
    assert dict(plt.rcParams) == before


def test_a_short_run_is_shown_whole() -> None:
    low, high = (
        LossDisplay(epoch=[1, 2], loss=[3765, 3727], validation_loss=[3730, 3720])
        .plot(new_axes())
        .ax_.get_ylim()
    )
    assert low < 3720 < 3765 < high
