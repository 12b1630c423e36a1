from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from isthmus.data.schema import Schema
from isthmus.errors import InputError
from isthmus.estimators import Autoencoder
from isthmus.estimators.architecture import describe, read_architecture
from isthmus.estimators.networks import auto_hidden_sizes
from isthmus.parts import Gaussian, PerColumn, Poisson

MakeModel = Callable[..., Autoencoder]


@pytest.mark.parametrize(
    ("n_inputs", "sizes"), [(1, (32, 16)), (8, (32, 16)), (9, (64, 32)), (64, (256, 128)), (9999, (512, 256))]
)
def test_hidden_layers_left_at_auto(n_inputs: int, sizes: tuple[int, int]) -> None:
    assert auto_hidden_sizes(n_inputs) == sizes


@pytest.mark.parametrize(
    "likelihood",
    [
        "gaussian",
        "laplace:scale=per_feature",
        "student_t:df=3.0",
        {"kind": "gaussian", "scale": 2.0},
        Gaussian(1.0),
    ],
)
def test_a_likelihood_is_a_part_its_string_or_its_dict(
    rows: np.ndarray, quick: MakeModel, likelihood: Any
) -> None:
    model = quick(likelihood=likelihood).fit(rows)
    assert np.isfinite(model.score_samples(rows)).all()
    described = describe(model.architecture_)
    assert read_architecture(described) == model.architecture_


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous_bernoulli", "poisson", "negative_binomial"])
def test_numbers_in_range_may_have_other_likelihoods(quick: MakeModel, likelihood: str) -> None:
    X = np.random.default_rng(0).random((40, 3))
    if likelihood in ("poisson", "negative_binomial"):
        X = np.random.default_rng(0).poisson(3, (40, 3)).astype(float)
    model = quick(likelihood=likelihood).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    assert (model.reconstruct(X) >= 0).all()


@pytest.mark.parametrize(
    ("likelihood", "problem"),
    [
        ("bernoulli", r"Bernoulli needs values in \[0, 1\], but column 'x0' is continuous \(from"),
        ("poisson", "Poisson needs counts >= 0, but column 'x0'"),
        ("categorical", "Categorical needs categories, but column 'x0'"),
        ("bernouli", 'Did you mean "bernoulli"'),
        ("gaussian:scale=-1", "above 0"),
        ({"kind": "gaussian", "sclae": 1.0}, 'Did you mean "scale"'),
        ("masking", "no likelihood is called"),
        ({"kind": "per_column", "columns": {"x9": "gaussian"}}, "no column 'x9'"),
    ],
)
def test_a_likelihood_that_does_not_suit_is_refused_by_name(
    rows: np.ndarray, quick: MakeModel, likelihood: Any, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        quick(likelihood=likelihood).fit(rows)


def test_columns_that_are_not_named_get_the_likelihood_of_their_kind(
    table: pl.DataFrame, table_schema: Schema, quick: MakeModel
) -> None:
    model = quick(schema=table_schema, likelihood=PerColumn({"count": Poisson()})).fit(table)
    chosen = dict(zip(["x", "gap", "whole", "count", "flag", "city", "day", "when"], range(8), strict=True))
    likelihood = model.architecture_.likelihood
    each = likelihood.for_columns(tuple(chosen))
    kinds = [type(part).__name__ for part in each]
    assert kinds == ["Gaussian", "Gaussian", "Gaussian", "Poisson", "Bernoulli", "Categorical"] + 2 * [
        "Gaussian"
    ]
    with pytest.raises(InputError, match="Gaussian needs numbers, but column 'city' is categorical;"):
        quick(schema=table_schema, likelihood="gaussian").fit(table)


def test_outputs_begin_at_the_training_means(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick(max_epochs=1, learning_rate=1e-30).fit(rows)
    with torch.no_grad():
        start = model.model_.features.to_data(model.model_.decoder[-1].bias[None])
    np.testing.assert_allclose(start[0], model.model_.features.statistics.mean, atol=1e-6)


def mlp(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, n_out))


def test_own_networks_are_made_by_factories(rows: np.ndarray, quick: MakeModel) -> None:
    asked: list[tuple[int, int]] = []

    def factory(n_in: int, n_out: int) -> nn.Module:
        asked.append((n_in, n_out))
        return mlp(n_in, n_out)

    model = quick(3, encoder=factory, decoder=factory, max_epochs=30).fit(rows)
    assert asked == [(5, 3), (3, 5)]
    assert model.metrics_["squared_error"] < model.metrics_["mean_squared_error"]
    one = quick(encoder=mlp).fit(rows)
    assert np.array_equal(one.transform(rows), quick(encoder=mlp).fit(rows).transform(rows))


@pytest.mark.parametrize(
    ("factory", "problem"),
    [
        (lambda n_in, n_out: nn.Linear(n_in, n_out + 1), r"for 2 rows it returns the shape \(2, 3\)"),
        (lambda n_in, n_out: nn.Linear(n_in + 1, n_out), "called with zeros, it fails"),
        (lambda n_in, n_out: np.tanh, "got a ufunc"),
    ],
)
def test_factories_of_networks_that_do_not_fit_are_refused(
    rows: np.ndarray, quick: MakeModel, factory: Any, problem: str
) -> None:
    with pytest.raises(InputError, match=f"encoder: the factory must return.*{problem}"):
        quick(encoder=factory).fit(rows)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"n_components": 0}, "not those of a network"),
        ({"n_components": True}, "not those of a network"),
        ({"hidden_sizes": [1.5]}, "not those of a network"),
        ({"activation": "swish"}, "is no network"),
        ({"network": "transformer"}, "is no network"),
        ({"n_labels": -1}, "no number of labels"),
        ({"n_labels": 2.0}, "no number of labels"),
    ],
)
def test_an_edited_architecture_is_refused(
    rows: np.ndarray, quick: MakeModel, changes: dict[str, Any], problem: str
) -> None:
    described = describe(quick(max_epochs=1).fit(rows).architecture_)
    with pytest.raises(InputError, match=problem):
        read_architecture(described | changes)
