from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import isthmus
from isthmus.errors import InputError
from isthmus.estimators import ConditionalVariationalAutoencoder

Conditional = ConditionalVariationalAutoencoder
NAMES = ["site", "dose", "group"]
SHORT = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}


def refused(match: str) -> Any:
    return pytest.raises(InputError, match=match)


# Learning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", [True, False])
def test_it_learns_what_the_condition_explains(inside: bool) -> None:
    """x = m(group) + slope * dose + W z + noise, where m, slope and the noise are known."""
    rng, n = np.random.default_rng(0), 600
    group, dose = rng.integers(0, 3, n), rng.uniform(-1, 1, n)
    means = np.array([[0, 0, 5], [4, -4, 0], [-3, 2, 1]])
    slope = np.array([2.0, 0.0, -1.0])
    X = means[group] + dose[:, None] * slope + rng.normal(size=(n, 1)) + 0.3 * rng.normal(size=(n, 3))
    beside = pl.DataFrame({"group": group, "dose": dose})
    rows = pl.DataFrame(X, schema=["a", "b", "c"])
    model = Conditional(
        1,
        hidden_sizes=(),
        condition=["group", "dose"] if inside else (),
        max_epochs=60,
        validation_fraction=0.0,
        random_state=0,
    )
    if inside:
        model.fit(pl.concat([rows, beside], how="horizontal"))
    else:
        model.fit(rows, condition=beside)
    for g, d in ((0, -1.0), (1, 0.0), (2, 0.8)):
        drawn = model.sample(3000, condition={"group": g, "dose": d}, random_state=0).select("a", "b", "c")
        np.testing.assert_allclose(drawn.to_numpy().mean(axis=0), means[g] + d * slope, atol=0.25)
        np.testing.assert_allclose(drawn.to_numpy().std(axis=0), np.sqrt(1 + 0.3**2), rtol=0.15)
    # The code is the common cause, of which the condition knows nothing.
    codes = model.transform(
        pl.concat([rows, beside], how="horizontal") if inside else rows,
        **({} if inside else {"condition": beside}),
    )
    assert abs(np.corrcoef(codes[:, 0], dose)[0, 1]) < 0.1
    assert np.abs([codes[group == g].mean() for g in range(3)]).max() < 0.2


def test_partial_fit_learns_from_chunks_with_their_conditions(sites: pl.DataFrame) -> None:
    X, group = sites.select("x", "z").to_numpy(), sites["group"].to_numpy()
    chunks = [slice(0, 80), slice(80, 160)]
    apart, inside = Conditional(2, **SHORT), Conditional(2, condition="group", **SHORT)
    for chunk in (*chunks, *chunks):
        apart.partial_fit(sites.select("x", "z")[chunk], condition=group[chunk])
        inside.partial_fit(sites.select("x", "z", "group")[chunk])
    assert apart.n_training_rows_ == 320
    assert np.array_equal(
        apart.transform(sites.select("x", "z"), condition=group),
        inside.transform(sites.select("x", "z", "group")),
    )
    for _ in range(10):  # while the divergence's weight grows, the likelihood shows what is learned
        apart.partial_fit(sites.select("x", "z"), condition=group)
    losses = [row["negative_log_likelihood"] for row in apart.history_]
    assert losses[-1] < losses[0]
    fitted = Conditional(2, **SHORT).fit(X, condition=group)
    before = fitted.transform(X, condition=group)
    fitted.partial_fit(X, condition=group)
    assert not np.array_equal(fitted.transform(X, condition=group), before)


def test_rows_to_hold_out_have_conditions_too(sites: pl.DataFrame) -> None:
    X, group = sites.select("x", "z").to_numpy(), sites["group"].to_numpy()
    held_out = (X[100:], None, None, group[100:])
    model = Conditional(2, **SHORT).fit(X[:100], condition=group[:100], validation_data=held_out)
    assert model.metrics_["n_rows"] == 60
    assert model.metrics_["log_likelihood"] == pytest.approx(model.score(X[100:], condition=group[100:]))
    weighted = (X[100:], None, np.arange(60.0), group[100:])
    other = Conditional(2, **SHORT).fit(X[:100], condition=group[:100], validation_data=weighted)
    assert other.history_[0]["validation_loss"] != model.history_[0]["validation_loss"]
    with refused("give condition="):
        Conditional(2, **SHORT).fit(X[:100], condition=group[:100], validation_data=X[100:])
    inside = Conditional(2, condition="group", **SHORT).fit(sites[:100], validation_data=sites[100:])
    assert inside.metrics_["n_rows"] == 60


def test_images_are_told_a_condition(digits: Any) -> None:
    images, target = digits.images[:200], digits.target[:200]
    model = Conditional(4, max_epochs=2, random_state=0).fit(images, condition=target)
    assert model.architecture_.network == "conv"
    assert model.sample(10, condition=np.arange(10), random_state=0).shape == (10, 8, 8)
    assert model.analogies(images[:2], np.arange(10), condition=target[:2]).shape == (20, 8, 8)


# Walks ------------------------------------------------------------------------------------------------------


def test_analogies_put_each_row_under_all_conditions_in_turn(told: Conditional, sites: pl.DataFrame) -> None:
    others = sites[[7, 8, 9]].select(NAMES)
    found = told.analogies(sites[:2], others)
    assert found.select(NAMES).rows() == 2 * others.rows()
    codes = told.transform(sites[:2])
    for row in range(2):
        for column in range(3):
            wanted = told.inverse_transform(codes[row : row + 1], condition=others[column])
            assert found[3 * row + column].rows() == wanted.rows()
    own = told.analogies(sites[:1], sites[:1].select(NAMES))
    assert own.rows() == told.reconstruct(sites[:1]).rows()


def test_walks_stay_under_the_rows_own_condition(told: Conditional, sites: pl.DataFrame) -> None:
    a, b = sites[0], sites[1].with_columns(**{name: pl.Series(sites[name][:1]) for name in NAMES})
    walk = told.interpolate(a, b, 5)
    assert walk[[0, -1]].select("x", "z").to_numpy() == pytest.approx(
        told.reconstruct(pl.concat([a, b])).select("x", "z").to_numpy(), abs=1e-4
    )
    assert walk.select(NAMES).rows() == 5 * a.select(NAMES).rows()
    assert told.traverse(a, 1, 4).select(NAMES).rows() == 4 * a.select(NAMES).rows()
    with refused("different conditions; say under which one"):
        told.interpolate(sites[0], sites[1], 3)
    under = told.interpolate(sites[0], sites[1], 3, condition=sites[5])
    assert under.select(NAMES).rows() == 3 * sites[5].select(NAMES).rows()
    grid = told.manifold_grid(2, condition=sites[5])
    assert grid.select(NAMES).rows() == 4 * sites[5].select(NAMES).rows()
    along = told.interpolate(a, b, 3, path="graph", through=sites)
    assert len(along) == 3


def test_health_is_judged_under_the_condition(told: Conditional, sites: pl.DataFrame) -> None:
    apart = Conditional(2, **SHORT).fit(sites.drop(NAMES), condition=sites.select(NAMES))
    assert str(told.diagnose(sites)) == str(apart.diagnose(sites.drop(NAMES), condition=sites.select(NAMES)))


# An estimator as others -------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", ["save", "pickle"])
@pytest.mark.parametrize("inside", [True, False])
def test_it_is_kept(sites: pl.DataFrame, told: Conditional, tmp_path: Path, keep: str, inside: bool) -> None:
    rows, given = (sites, {}) if inside else (sites.drop(NAMES), {"condition": sites.select(NAMES)})
    model = told if inside else Conditional(2, **SHORT).fit(rows, **given)
    if keep == "save":
        model.save(tmp_path / "model")
        again = isthmus.load(tmp_path / "model")
    else:
        again = pickle.loads(pickle.dumps(model))
    assert isinstance(again, Conditional)
    assert np.array_equal(again.score_samples(rows, **given), model.score_samples(rows, **given))
    assert again.reconstruct(rows, **given).equals(model.reconstruct(rows, **given))
    one = {"condition": sites[:1].select(NAMES)}
    assert again.sample(3, random_state=0, **one).equals(model.sample(3, random_state=0, **one))
    assert again.condition_schema_ == model.condition_schema_
    again.partial_fit(rows, **given)


def test_it_goes_through_pipelines_and_is_cloned(sites: pl.DataFrame, told: Conditional) -> None:
    model = Conditional(2, condition=NAMES, **SHORT)
    piped = make_pipeline(FunctionTransformer(), clone(model)).fit(sites)
    assert np.array_equal(piped.transform(sites), told.transform(sites))
    assert piped.score(sites) == told.score(sites)
    X, group = sites.select("x", "z").to_numpy(), sites["group"].to_numpy()
    name = "conditionalvariationalautoencoder"
    apart = make_pipeline(FunctionTransformer(), Conditional(2, **SHORT))
    apart.fit(X, **{f"{name}__condition": group})
    direct = Conditional(2, **SHORT)
    assert np.array_equal(direct.fit_transform(X, condition=group), apart[-1].transform(X, condition=group))


def test_codes_go_into_frames(told: Conditional, sites: pl.DataFrame) -> None:
    codes = clone(told).set_output(transform="polars").fit_transform(sites)
    assert codes.columns == ["conditionalvariationalautoencoder0", "conditionalvariationalautoencoder1"]


def test_a_run_is_resumed_only_with_the_same_condition(sites: pl.DataFrame, tmp_path: Path) -> None:
    X, group = sites.select("x", "z").to_numpy(), sites["group"].to_numpy()
    model = Conditional(2, checkpoint=tmp_path / "run", checkpoint_seconds=0, **SHORT)
    codes = model.fit(X, condition=group).transform(X, condition=group)
    assert np.array_equal(model.resume(X, condition=group).transform(X, condition=group), codes)
    with refused("data differs"):
        model.resume(X, condition=(group + 1) % 4)


def test_rows_are_encoded_as_what_they_are_and_decoded_as_what_is_said() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(size=80), "y": rng.normal(size=80), "kind": ["a", "b"] * 40})
    model = ConditionalVariationalAutoencoder(
        2, condition="kind", hidden_sizes=(8,), max_epochs=5, random_state=0
    ).fit(frame)
    ends, code = frame[:2], model.transform(frame[:2])  # of different kinds
    way = model.interpolate(ends[:1], ends[1:], 3, condition={"kind": "b"})
    told = model.inverse_transform(code, condition={"kind": ["b", "b"]})
    np.testing.assert_allclose(way["x"].to_numpy()[[0, 2]], told["x"].to_numpy(), rtol=1e-5)


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_reconstructed_rows_say_under_which_condition(
    told: Conditional, sites: pl.DataFrame, library: str
) -> None:
    rows = {"polars": sites, "pandas": sites.to_pandas(), "pyarrow": sites.to_arrow()}[library]
    said = {"site": "b", "dose": 9.5, "group": 1}
    found = told.reconstruct(rows, condition=said)
    assert type(found) is type(rows)
    restored = pl.DataFrame(found)
    assert restored.columns == sites.columns
    assert restored.select(NAMES).unique().to_dicts() == [said]
    codes = told.transform(sites, condition=said)
    assert_frame_equal(restored, told.inverse_transform(codes, condition=said))
