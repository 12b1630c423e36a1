"""Samples and walks: what `VariationalAutoencoder` and its relatives share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators import AdversarialAutoencoder, Autoencoder, VariationalAutoencoder
from isthmus.estimators.generative import Generative
from isthmus.estimators.latents import prior_quantiles
from isthmus.estimators.registry import ESTIMATORS

SHORT = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}
GENERATIVE = {name: estimator for name, estimator in ESTIMATORS.items() if issubclass(estimator, Generative)}


@pytest.fixture(scope="module")
def model(rows: np.ndarray) -> VariationalAutoencoder:
    return VariationalAutoencoder(3, **SHORT | {"max_epochs": 40}).fit(rows)


@pytest.fixture(scope="module")
def painter(digits: Any) -> VariationalAutoencoder:
    """Return a model of images of 8 x 8 pixels, whose values are 0 to 16."""
    return VariationalAutoencoder(3, **SHORT | {"max_epochs": 10}).fit(digits.images[:400])


# Samples ----------------------------------------------------------------------------------------------------


def test_these_generate() -> None:
    assert set(GENERATIVE) == {
        "AdversarialAutoencoder",
        "ConditionalVariationalAutoencoder",
        "ImportanceWeightedAutoencoder",
        "VariationalAutoencoder",
        "VectorQuantizedAutoencoder",
        "WassersteinAutoencoder",
    }
    assert not hasattr(Autoencoder, "sample")


@pytest.mark.filterwarnings("ignore:ConditionalVariationalAutoencoder is fitted without")
@pytest.mark.parametrize("name", GENERATIVE)
def test_samples_are_like_the_rows_and_repeat_with_their_seed(rows: np.ndarray, name: str) -> None:
    model = GENERATIVE[name](4, **SHORT).fit(rows)
    drawn = model.sample(300, random_state=1)
    assert (drawn.shape, drawn.dtype) == ((300, 5), rows.dtype)
    assert np.array_equal(drawn, model.sample(300, random_state=1))
    assert not np.array_equal(drawn, model.sample(300, random_state=2))
    assert not np.array_equal(drawn, model.sample(300))
    assert np.array_equal(
        model.sample(5, random_state=np.random.RandomState(1)),
        model.sample(5, random_state=np.random.RandomState(1)),
    )
    assert len(np.unique(drawn, axis=0)) == 300
    spread = np.abs(drawn.mean(axis=0) - rows.mean(axis=0)) / rows.std(axis=0)
    assert spread.max() < 1
    assert model.sample().shape == (1, 5)


def test_a_model_learns_to_draw_the_rows_mean_and_covariance() -> None:
    rng = np.random.default_rng(0)
    X = (
        2 * rng.normal(size=(200, 2)) @ rng.normal(size=(2, 5))
        + rng.normal(size=(200, 5))
        + [0, 5, -3, 10, 1]
    )
    fixed = {"hidden_sizes": (), "likelihood": "gaussian:scale=per_feature", "validation_fraction": 0.0}
    drawn = (
        VariationalAutoencoder(2, **fixed, max_epochs=100, random_state=0)
        .fit(X)
        .sample(20_000, random_state=0)
    )
    sd = X.std(axis=0)
    np.testing.assert_allclose((drawn.mean(axis=0) - X.mean(axis=0)) / sd, 0, atol=0.1)
    np.testing.assert_allclose(drawn.std(axis=0) / sd, 1, atol=0.1)
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.corrcoef(X.T), atol=0.1)


def test_images_are_drawn_in_their_shape_and_range(digits: Any) -> None:
    small = digits.images[:100]
    for images, high, dtype in ((small / 16, 1, np.float64), (np.uint8(small * 15), 255, np.float32)):
        model = VariationalAutoencoder(3, **SHORT).fit(images)
        for drawn in (model.sample(40, random_state=0), model.sample(40, expected=True, random_state=0)):
            assert (drawn.shape, drawn.dtype) == ((40, 8, 8), dtype)
            assert drawn.min() >= 0
            assert drawn.max() <= high
    colour = np.random.default_rng(0).random((30, 6, 5, 3))
    assert VariationalAutoencoder(2, max_epochs=1).fit(colour).sample(2).shape == (2, 6, 5, 3)


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_tables_are_drawn_with_their_columns_and_types(mixed_table: pl.DataFrame, library: str) -> None:
    frame: Any = {"polars": lambda f: f, "pandas": pl.DataFrame.to_pandas, "pyarrow": pl.DataFrame.to_arrow}[
        library
    ](mixed_table)
    schema = infer_schema(as_source(frame), roles={"segment": "label"})
    model = VariationalAutoencoder(2, **SHORT, schema=schema).fit(frame)
    native = model.sample(50, random_state=0)
    assert type(native) is type(frame)
    drawn, given = nw.from_native(native, eager_only=True), nw.from_native(frame, eager_only=True)
    assert drawn.columns == given.columns
    for name in drawn.columns:
        if name != "segment":
            assert drawn.schema[name] == given.schema[name], name
            assert drawn[name].null_count() == 0
    assert drawn["segment"].null_count() == 50
    assert set(drawn["city & canton"].to_list()) <= {"Basel", "Bern", "Chur"}
    assert drawn["member"].unique().len() == 2
    assert all(type(count) is int and count >= 0 for count in drawn["visits"].to_list())
    assert drawn["visits"].n_unique() > 2
    # What is expected has no noise: of a category, the most probable one.
    expected = nw.from_native(model.sample(50, expected=True, random_state=0), eager_only=True)
    assert expected["名前"].std() < drawn["名前"].std()


def test_expected_rows_are_the_decoded_draws(model: VariationalAutoencoder) -> None:
    codes = model.sample_codes(7, random_state=3)
    assert (codes.shape, codes.dtype) == ((7, 3), np.float32)
    assert np.array_equal(model.sample(7, expected=True, random_state=3), model.inverse_transform(codes))
    noise = model.sample(7, random_state=3) - model.inverse_transform(codes)
    sd = model.model_.density.scale().detach().numpy() * model.model_.features.scale.numpy()
    assert (np.abs(noise) < 5 * sd).all()
    assert np.abs(noise / sd).mean() == pytest.approx(0.8, abs=0.25)


def test_temperature_is_how_far_from_the_middle_codes_are_drawn(model: VariationalAutoencoder) -> None:
    hot, cold = (model.sample_codes(2000, temperature=t, random_state=0) for t in (1.0, 0.25))
    np.testing.assert_allclose(cold, 0.25 * hot, rtol=1e-6)
    frozen = model.sample(5, temperature=0, expected=True)
    np.testing.assert_allclose(frozen, np.tile(model.inverse_transform(np.zeros((1, 3))), (5, 1)), rtol=1e-6)
    assert len(np.unique(model.sample(5, temperature=0), axis=0)) == 5  # the likelihood still draws


# Walks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["spherical", "straight", "graph"])
def test_a_walk_goes_from_one_reconstruction_to_the_other(
    model: VariationalAutoencoder, rows: np.ndarray, path: str
) -> None:
    through = {"through": rows} if path == "graph" else {}
    walk = model.interpolate(rows[0], rows[1], 7, path=path, **through)
    assert walk.shape == (7, 5)
    np.testing.assert_allclose(walk[[0, -1]], model.reconstruct(rows[:2]), atol=1e-4)
    steps = np.linalg.norm(np.diff(model.transform(walk), axis=0), axis=1)
    assert (steps > 0).all()


def test_the_middle_of_a_straight_walk_is_the_middle_of_the_codes(
    model: VariationalAutoencoder, rows: np.ndarray
) -> None:
    walk = model.interpolate(rows[:1], rows[1:2], 3, path="straight")
    middle = model.transform(rows[:2]).mean(axis=0, keepdims=True)
    np.testing.assert_allclose(walk[1:2], model.inverse_transform(middle), atol=1e-4)
    arc = model.interpolate(rows[0], rows[1], 3)
    assert not np.allclose(arc[1], walk[1])


def test_a_traverse_changes_one_component_by_the_priors_quantiles(
    model: VariationalAutoencoder, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    decode = model._decode
    monkeypatch.setattr(model, "_decode", lambda codes, *rest: (seen.append(codes), decode(codes, *rest))[1])
    result = model.traverse(rows[3], 1, 5)
    (codes,) = seen
    own = model.transform(rows[3:4])[0]
    np.testing.assert_allclose(codes[:, [0, 2]], np.tile(own[[0, 2]], (5, 1)), atol=1e-6)
    np.testing.assert_allclose(codes[:, 1], ndtri([0.1, 0.3, 0.5, 0.7, 0.9]), atol=1e-6)
    np.testing.assert_allclose(result, model.inverse_transform(codes), atol=1e-6)


def test_the_quantiles_are_the_priors_own(rows: np.ndarray) -> None:
    ring = "gaussian_mixture:layout=ring,n_clusters=4,radius=6"
    model = VariationalAutoencoder(3, prior=ring, **SHORT).fit(rows)
    quantiles = prior_quantiles(model.model_, 9)
    draws = model.sample_codes(50_000, random_state=5)
    wanted = np.quantile(draws, (np.arange(9) + 0.5) / 9, axis=0)
    np.testing.assert_allclose(quantiles, wanted, atol=0.25)
    assert quantiles[-1, 0] > 4
    assert quantiles[-1, 2] < 2


def test_a_grid_goes_down_and_across_line_by_line(painter: VariationalAutoencoder) -> None:
    grid = painter.manifold_grid(3, dims=(2, 0))
    assert grid.shape == (9, 8, 8)
    low, middle, high = ndtri([1 / 6, 0.5, 5 / 6])
    corner = [[low, 0, high]]  # top left: the component that goes down is at its highest there
    np.testing.assert_allclose(grid[:1], painter.inverse_transform(corner), atol=1e-4)
    np.testing.assert_allclose(grid[1:2], painter.inverse_transform([[middle, 0, high]]), atol=1e-4)
    np.testing.assert_allclose(grid[6:7], painter.inverse_transform([[low, 0, low]]), atol=1e-4)


def test_one_row_may_have_many_forms(
    painter: VariationalAutoencoder, digits: Any, mixed_table: pl.DataFrame
) -> None:
    image = digits.images[0]
    wanted = painter.traverse(image[None], 0, 3)
    for form in (image, image.ravel(), image.tolist(), image.reshape(1, 64)):
        assert np.array_equal(painter.traverse(form, 0, 3), wanted)
    table = VariationalAutoencoder(2, **SHORT).fit(mixed_table)
    row = mixed_table[4]
    wanted = table.traverse(row, 0, 3)
    assert wanted.columns == mixed_table.columns
    named = row.row(0, named=True)
    forms = (row.to_pandas(), as_source(row), row.to_pandas().iloc[0], named, row.row(0), list(row.row(0)))
    for form in forms:
        assert table.traverse(form, 0, 3).equals(wanted)
    one = VariationalAutoencoder(1, **SHORT).fit(digits.data[:60, 20:21])
    assert np.array_equal(one.traverse(5.0, 0, 3), one.traverse(np.array([[5.0]]), 0, 3))
    assert type(table.interpolate(row.to_pandas(), row.to_pandas(), 2)) is pl.DataFrame


def test_walks_of_adversarial_models_use_their_priors(rows: np.ndarray) -> None:
    model = AdversarialAutoencoder(2, prior="swiss_roll", **SHORT).fit(rows)
    assert model.traverse(rows[0], 0, 4).shape == (4, 5)
    assert model.manifold_grid(3).shape == (9, 5)


# What is refused --------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[Callable[[Any, np.ndarray], Any], str]] = {
    "no rows": (lambda m, X: m.sample(0), "n=0: give a whole number of at least 1"),
    "half a row": (lambda m, X: m.sample(2.5), "n=2.5"),
    "true rows": (lambda m, X: m.sample_codes(True), "n=True"),
    "below zero": (lambda m, X: m.sample(2, temperature=-1), "temperature=-1: give a number of at least 0"),
    "no number": (lambda m, X: m.sample_codes(2, temperature=float("nan")), "temperature=nan"),
    "infinite": (lambda m, X: m.sample(2, temperature=float("inf")), "temperature=inf"),
    "one end": (lambda m, X: m.interpolate(X[0], X[1], 1), "n=1: give a whole number of at least 2"),
    "a word": (lambda m, X: m.interpolate(X[0], X[1], path="sphrical"), 'Did you mean "spherical"'),
    "no rows to go along": (lambda m, X: m.interpolate(X[0], X[1], path="graph"), "give them as through="),
    "two rows": (lambda m, X: m.interpolate(X[:2], X[1]), "expected one row, got 2"),
    "too far": (lambda m, X: m.traverse(X[0], 3), "dim=3: give the number of a component, from 0 to 2"),
    "from behind": (lambda m, X: m.traverse(X[0], -1), "dim=-1"),
    "between": (lambda m, X: m.traverse(X[0], 0.5), "dim=0.5"),
    "too short a row": (lambda m, X: m.traverse(X[0, :3], 0), "3 features"),
    "the same twice": (lambda m, X: m.manifold_grid(3, dims=(1, 1)), r"dims=\(1, 1\): give two different"),
    "three": (lambda m, X: m.manifold_grid(3, dims=(0, 1, 2)), "give two different components"),
    "beyond": (lambda m, X: m.manifold_grid(3, dims=(0, 5)), "dim=5"),
}


@pytest.mark.parametrize(("call", "problem"), CALLS.values(), ids=CALLS)
def test_what_makes_no_sense_is_refused_in_one_line(
    model: VariationalAutoencoder, rows: np.ndarray, call: Callable[[Any, np.ndarray], Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        call(model, rows)
    assert isinstance(caught.value, InputError) or "features" in str(caught.value)
    assert "\n" not in str(caught.value)
