from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from isthmus import Autoencoder
from isthmus.report.warnings import (
    collapsed,
    concerns,
    few_rows,
    no_bottleneck,
    nothing_learned,
    over_fitting,
    still_falling,
    unused_latents,
    worse_than_pca,
)

GOOD: dict[str, Any] = {
    "rows": "held-out",
    "n_rows": 200,
    "squared_error": 1.0,
    "pca_squared_error": 1.5,
    "mean_squared_error": 10.0,
    "score": -3.0,
}


def history(loss: Any, validation: Any = None, rate: Any = None, decay: int = 4) -> list[dict[str, float]]:
    """Return epochs at a constant rate, of which the last `decay` fall to zero."""
    n = len(loss)
    rates = [*[1.0] * (n - decay), *np.linspace(0.9, 0, decay)] if rate is None else rate
    rows = [{"epoch": i + 1, "loss": loss[i], "learning_rate": rates[i]} for i in range(n)]
    if validation is not None:
        for row, value in zip(rows, validation, strict=True):
            row["validation_loss"] = value
    return rows


# Over-fitting ----------------------------------------------------------------------------------------


def test_over_fitting_is_a_gap_of_a_tenth_of_a_nat_a_column_at_the_epoch_that_was_kept() -> None:
    rows = history([9.0, 8, 0], [9.0, 8.9, 12])
    assert over_fitting(rows, n_columns=10) is None  # 0.09 a column: the last epoch was not kept
    concern = over_fitting(rows, n_columns=8)
    assert concern is not None
    assert "a held-out row costs 8.9 nats, a training row 8: 0.11 nats more for each of 8" in concern.sentence


def test_without_held_out_rows_over_fitting_cannot_be_seen() -> None:
    assert over_fitting(history([3.0, 2]), n_columns=1) is None
    assert over_fitting([], n_columns=1) is None
    assert over_fitting(history([3.0, 2], [np.nan, np.nan]), n_columns=1) is None


# Stopped too early -----------------------------------------------------------------------------------


def test_a_straight_fall_until_the_decay_was_too_short() -> None:
    concern = still_falling(history(np.linspace(10, 2, 20)))
    assert concern is not None
    assert "training loss still fell by" in concern.sentence
    assert "in the last 4 epochs of 16 before" in concern.sentence


def test_a_fall_in_the_decay_alone_is_none() -> None:
    loss = [*(5 + 5 * np.exp(-np.arange(16.0))), 4.5, 4.2, 4.0, 3.9]
    assert still_falling(history(loss)) is None


def test_the_held_out_loss_decides_where_there_is_one() -> None:
    falling, flat = np.linspace(10, 2, 20), np.r_[10, np.full(19, 5.0)]
    assert still_falling(history(falling, flat)) is None
    concern = still_falling(history(flat, falling))
    assert concern is not None
    assert "held-out loss" in concern.sentence


@pytest.mark.parametrize("loss", [[], [1.0], [1.0, 1.0], [1.0, 2.0], [np.nan, 1.0], [2.0, np.inf]])
def test_a_history_that_says_nothing_is_no_concern(loss: list[float]) -> None:
    assert still_falling(history(loss, decay=0)) is None


# Figures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({}, None),
        ({"squared_error": 1.57}, None),
        ({"squared_error": 1.58}, "PCA does better on the numbers"),
        ({"accuracy": 0.8, "pca_accuracy": 0.805}, None),
        ({"accuracy": 0.8, "pca_accuracy": 0.82}, "PCA does better on the categories"),
        (
            {"squared_error": 9, "accuracy": 0, "pca_accuracy": 1},
            "PCA does better on the numbers and categories",
        ),
        ({"squared_error": 1e-3, "pca_squared_error": 1e-9}, None),  # exact, whatever comes back
    ],
)
def test_worse_than_pca(change: dict[str, float], name: str | None) -> None:
    concern = worse_than_pca(GOOD | change)
    assert (concern.name if concern else None) == name


def test_a_code_as_wide_as_the_data_is_no_bottleneck() -> None:
    assert no_bottleneck(GOOD) is None
    assert no_bottleneck(GOOD | {"pca_squared_error": 1e-6}) is not None


def test_nothing_is_learned_where_the_means_do_as_well() -> None:
    assert nothing_learned(GOOD | {"squared_error": 9.8}) is None
    concern = nothing_learned(GOOD | {"squared_error": 10.1})
    assert concern is not None
    assert (
        "no smaller than that of always guessing the training means, 10 (on held-out rows)"
        in concern.sentence
    )


def test_figures_of_few_rows_or_of_training_rows() -> None:
    assert few_rows(GOOD) is None
    small, training = few_rows(GOOD | {"n_rows": 12}), few_rows(GOOD | {"rows": "training"})
    assert small is not None
    assert "rest on 12 held-out rows" in small.sentence
    assert training is not None
    assert training.name == "No held-out rows"


@pytest.mark.parametrize("check", [worse_than_pca, no_bottleneck, nothing_learned, few_rows])
def test_no_figures_are_no_concern(check: Any) -> None:
    assert check({}) is None
    labels_only = {"rows": "held-out", "n_rows": 99, "accuracy": 0.9, "pca_accuracy": 0.8}
    assert check(labels_only) is None
    assert check({**GOOD, "squared_error": None, "pca_squared_error": None}) is None  # not finite, once saved


# Codes -----------------------------------------------------------------------------------------------


def test_a_latent_that_hardly_varies_is_unused() -> None:
    z = np.random.default_rng(0).normal(size=(100, 4)) + 3
    assert unused_latents(z) is None
    z[:, 2] = 5 + 1e-4 * z[:, 2]
    concern = unused_latents(z)
    assert concern is not None
    assert "1 of 4 latents hardly vary (number 2, counted from 0)" in concern.sentence
    assert concern.advice == "n_components=3 would do."


@pytest.mark.parametrize("scale", [0.0, 1e-5])
def test_codes_at_one_point_are_collapsed_and_not_unused(scale: float) -> None:
    z = np.ones((50, 3)) + scale * np.random.default_rng(0).normal(size=(50, 3))
    assert collapsed(z) is not None
    assert unused_latents(z) is None


def test_codes_around_zero_are_collapsed_where_they_are_tiny() -> None:
    z = np.random.default_rng(0).normal(size=(50, 3))
    assert collapsed(z) is None
    assert collapsed(1e-3 * z) is None
    assert collapsed(1e-5 * z) is not None


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(1, 3))))
def test_any_codes_are_judged_without_an_error(z: np.ndarray[Any, Any]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        assert not (collapsed(z) and unused_latents(z))


def test_a_model_made_to_collapse_is_told_so() -> None:
    X = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)
    model = Autoencoder(2, hidden_sizes=(8,), weight_decay=450, max_epochs=5, random_state=0).fit(X)
    found = concerns(model.history_, model.metrics_, n_columns=6, codes=model.transform(X))
    assert [concern.name for concern in found][:2] == ["Collapsed code", "Nothing learned"]


def test_a_sound_model_gives_no_concern() -> None:
    rows = history([10.0, *np.full(19, 5.0)], [10.0, *np.full(19, 5.1)])
    z = np.random.default_rng(0).normal(size=(100, 2))
    assert concerns(rows, GOOD, n_columns=4, codes=z) == []
