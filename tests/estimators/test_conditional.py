from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators import Autoencoder, ConditionalVariationalAutoencoder, VariationalAutoencoder

Conditional = ConditionalVariationalAutoencoder
NAMES = ["site", "dose", "group"]
SHORT = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}
LIBRARIES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda sites: sites,
    "pandas": lambda sites: sites.to_pandas().astype({"site": "category"}),
    "pyarrow": lambda sites: sites.to_arrow(),
}


def refused(match: str) -> Any:
    return pytest.raises(InputError, match=match)


# Two ways to say it -----------------------------------------------------------------------------------------


def test_columns_of_the_frame_and_a_condition_apart_say_the_same(
    sites: pl.DataFrame, told: Conditional
) -> None:
    rows, condition = sites.drop(NAMES), sites.select(NAMES)
    apart = Conditional(2, **SHORT).fit(rows, condition=condition)
    assert apart.condition_schema_ is not None
    assert [column.kind for column in apart.condition_schema_.modelled] == [
        "categorical",
        "continuous",
        "categorical",
    ]
    assert np.array_equal(apart.transform(rows, condition=condition), told.transform(sites))
    assert np.array_equal(apart.score_samples(rows, condition=condition), told.score_samples(sites))
    assert apart.reconstruct(rows, condition=condition).equals(told.reconstruct(sites).drop(NAMES))
    one = {"site": "b", "dose": 9.5, "group": 1}
    drawn = [model.sample(4, condition=one, random_state=0) for model in (apart, told)]
    assert drawn[0].equals(drawn[1].drop(NAMES))
    assert apart.metrics_ == told.metrics_


def test_rows_may_lack_the_columns_of_their_condition_if_told_apart(
    sites: pl.DataFrame, told: Conditional
) -> None:
    rows, condition = sites.drop(NAMES), sites.select(NAMES)
    for some in (rows, sites.drop("dose")):
        assert np.array_equal(told.transform(some, condition=condition), told.transform(sites))
        assert told.reconstruct(some, condition=condition).equals(told.reconstruct(sites)[some.columns])
        with refused(r"fitted with a condition \(site, dose, group\); give condition="):
            told.transform(some)
    assert np.array_equal(told.score_samples(rows, condition=condition), told.score_samples(sites))
    assert told.analogies(rows[:2], condition[:3], condition=condition[:2]).equals(
        told.analogies(sites[:2], condition[:3])
    )
    with pytest.raises(ValueError, match="now missing"):
        told.transform(sites.drop("x"), condition=condition)


def test_a_condition_apart_may_have_many_forms(sites: pl.DataFrame) -> None:
    X, group = sites.select("x", "z").to_numpy(), sites["group"].to_numpy()
    model = Conditional(2, **SHORT).fit(X, condition=group)
    codes = model.transform(X, condition=group)
    for form in (
        group.tolist(),
        group[:, None],
        group.astype(float),
        pl.DataFrame({"condition": group}),
        pd.DataFrame({"condition": group}),
        {"condition": group},
        as_source(pl.DataFrame({"condition": group})),
    ):
        assert np.array_equal(model.transform(X, condition=form), codes)
    for one in (2, [2], np.array([[2]]), {"condition": 2}, pl.DataFrame({"condition": [2]})):
        assert np.array_equal(
            model.transform(X, condition=one), model.transform(X, condition=np.full(160, 2))
        )
    assert not np.array_equal(model.transform(X, condition=2), codes)
    two = Conditional(2, **SHORT).fit(X, condition=np.column_stack([group, sites["dose"]]))
    assert two.transform(X[:1], condition=[[1, 9.0]]).shape == (1, 2)


def test_the_entries_of_a_list_keep_their_types(sites: pl.DataFrame) -> None:
    X, names = sites.select("x", "z").to_numpy(), sites["site"].to_list()
    pairs = list(zip(names, sites["dose"].to_list(), strict=True))
    apart = Conditional(2, **SHORT).fit(X, condition=pairs)
    assert apart.condition_schema_ is not None
    assert [column.kind for column in apart.condition_schema_.modelled] == ["categorical", "continuous"]
    named = {"condition0": sites["site"], "condition1": sites["dose"]}
    assert np.array_equal(apart.transform(X, condition=pairs), apart.transform(X, condition=named))
    gaps = Conditional(2, **SHORT).fit(X, condition=[np.nan if name == "a" else name for name in names])
    assert gaps.condition_schema_ is not None
    assert gaps.condition_schema_["condition"].levels == ("b", "c")


def test_one_value_of_a_mapping_speaks_for_all_rows(sites: pl.DataFrame, told: Conditional) -> None:
    drawn = told.sample(2, condition={"site": ["a", "b"], "dose": 3, "group": [1]}, random_state=0)
    assert drawn.select(NAMES).rows() == [("a", 3.0, 1), ("b", 3.0, 1)]
    with refused(r'unlike lengths \("site" 2, "dose" 3, "group" 1\)'):
        told.sample(2, condition={"site": ["a", "b"], "dose": [1, 2, 3], "group": 1})


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.arange(160) % 50, "categorical"),
        (np.arange(160) % 51, "count"),
        (np.arange(160) % 51 - 7, "continuous"),
        (np.arange(160) % 2, "categorical"),
        (np.arange(160) % 3 > 0, "binary"),
        (np.arange(160) % 7 / 2, "continuous"),
        (np.array(["u", "v"] * 80), "binary"),
    ],
)
def test_integers_of_few_values_are_names_and_others_amounts(
    sites: pl.DataFrame, values: np.ndarray, kind: str
) -> None:
    rows = sites.select("x", "z")
    apart = Conditional(2, **SHORT | {"max_epochs": 1}).fit(rows, condition=values)
    inside = Conditional(2, condition="c", **SHORT | {"max_epochs": 1}).fit(rows.with_columns(c=values))
    assert apart.condition_schema_ is not None
    assert apart.condition_schema_.modelled[0].kind == kind
    assert np.array_equal(
        inside.transform(rows.with_columns(c=values)), apart.transform(rows, condition=values)
    )


def test_it_is_not_learned(told: Conditional, sites: pl.DataFrame) -> None:
    assert [column.name for column in told.schema_.modelled] == ["x", "z", "flag"]
    _, n_observed = told.score_samples(sites, return_n_observed=True)
    assert (n_observed == 3).all()
    assert (
        told.model_.decode(told.model_.encode(*encoded(told, sites)), encoded(told, sites)[1]).shape[0] == 160
    )


def encoded(model: Conditional, sites: pl.DataFrame) -> Any:
    from isthmus.estimators.conditions import condition_sides
    from isthmus.estimators.preparing import value_blocks

    sides = condition_sides(model, as_source(sites), None)
    batch = next(value_blocks(as_source(sites), model.schema_, model.model_.features, sides=sides))
    return batch.rows, batch.condition


def test_encoder_and_decoder_are_both_told(told: Conditional, sites: pl.DataFrame) -> None:
    other = sites.with_columns(site=pl.lit("c"))
    assert not np.array_equal(told.transform(sites), told.transform(other))
    codes = np.zeros((1, 2))
    decoded = [told.inverse_transform(codes, condition=row) for row in (sites[:1], sites[1:2])]
    assert decoded[0]["x"].item() != decoded[1]["x"].item()


# What comes back --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_come_back_with_the_condition_that_was_given(sites: pl.DataFrame, library: str) -> None:
    data = LIBRARIES[library](sites)
    model = Conditional(2, condition=NAMES, **SHORT).fit(data)
    restored = pl.DataFrame(model.reconstruct(data))
    assert restored.columns == sites.columns
    assert restored.select(NAMES).to_dicts() == sites.select(NAMES).to_dicts()
    some = data[:3]
    decoded = model.inverse_transform(model.transform(data)[:3], condition=some)
    drawn = model.sample(3, condition=some, random_state=0)
    one = model.sample(3, condition={"site": "b", "dose": 7, "group": 1}, random_state=0)
    for result in (decoded, drawn, one):
        assert type(result) is type(data)
        assert types(result) == types(data)
    for result in (decoded, drawn):
        assert pl.DataFrame(result).select(NAMES).to_dicts() == sites[:3].select(NAMES).to_dicts()
    assert pl.DataFrame(one).select(NAMES).to_dicts() == 3 * [{"site": "b", "dose": 7.0, "group": 1}]


def types(frame: Any) -> Any:
    return frame.schema if not isinstance(frame, pd.DataFrame) else frame.dtypes.to_dict()


def test_times_are_conditions_too_and_keep_their_type(sites: pl.DataFrame) -> None:
    day = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 6, 8), eager=True)
    data = sites.select("x", "z").with_columns(day=day)
    model = Conditional(2, condition="day", **SHORT).fit(data)
    drawn = model.sample(2, condition=data[5:7], random_state=0)
    assert drawn["day"].to_list() == day[5:7].to_list()
    assert drawn.schema == data.schema


def test_a_constant_column_need_not_be_told(sites: pl.DataFrame) -> None:
    data = sites.select("x", "z", "site").with_columns(plant=pl.lit("north"))
    model = Conditional(2, condition=["site", "plant"], **SHORT).fit(data)
    drawn = model.sample(2, condition="b", random_state=0)
    assert drawn.select("site", "plant").rows() == 2 * [("b", "north")]


def test_other_columns_beside_the_condition_are_ignored(told: Conditional, sites: pl.DataFrame) -> None:
    a = told.sample(3, condition=sites[:3], random_state=0)
    b = told.sample(3, condition=sites[:3].select(NAMES), random_state=0)
    assert a.equals(b)


# What is refused, and warned of -----------------------------------------------------------------------------


def test_a_condition_is_asked_for_and_none_is_taken_where_none_was_given(
    told: Conditional, sites: pl.DataFrame
) -> None:
    X, group = sites.select("x", "z").to_numpy(), sites["group"].to_numpy()
    model = Conditional(2, **SHORT).fit(X, condition=group)
    for call in (
        lambda: model.transform(X),
        lambda: model.inverse_transform(np.zeros((2, 2))),
        lambda: model.reconstruct(X),
        lambda: model.score_samples(X),
        lambda: model.score(X),
        lambda: model.sample(3),
        lambda: model.interpolate(X[0], X[1]),
        lambda: model.traverse(X[0], 0),
        lambda: model.manifold_grid(2),
        lambda: model.diagnose(X),
        lambda: model.mean_density(X),
        lambda: model.bits_per_dim(X),
        lambda: model.partial_fit(X),
    ):
        with refused(r"fitted with a condition \(condition\); give condition="):
            call()
    with refused("condition has 3 rows and the data 160"):
        model.transform(X, condition=group[:3])
    with refused("condition has 3 rows and the data 2"):
        model.sample(2, condition=[0, 1, 2])
    with refused("condition has 2 columns, the model was fitted with 1: condition"):
        model.transform(X, condition=np.column_stack([group, group]))
    with refused("\"dose\" holds 'much'"):
        told.sample(2, condition={"site": "a", "dose": "much", "group": 1})
    with refused('missing: "group"'):
        told.sample(2, condition={"site": "a", "dose": 1.0})


def test_without_a_condition_it_warns_and_takes_none(sites: pl.DataFrame) -> None:
    X = sites.select("x", "z").to_numpy()
    with pytest.warns(UserWarning, match="fitted without a condition.*VariationalAutoencoder") as caught:
        model = Conditional(2, **SHORT).fit(X)
    assert len(caught) == 1
    plain = VariationalAutoencoder(2, **SHORT).fit(X)
    assert np.array_equal(model.score_samples(X), plain.score_samples(X))
    assert model.condition_schema_ is None
    for call in (
        lambda: model.transform(X, condition=1),
        lambda: model.sample(2, condition=1),
        lambda: model.partial_fit(X, condition=sites["group"]),
    ):
        with refused("fitted without one"):
            call()
    with refused("analogies: this model was fitted without a condition"):
        model.analogies(X, [1])


def test_fits_that_cannot_be_meant_are_refused(sites: pl.DataFrame) -> None:
    def fit(data: Any, names: Any = (), **given: Any) -> None:
        Conditional(2, condition=names, **SHORT).fit(data, **given)

    with refused("no column 'sit'.*Did you mean \"site\""):
        fit(sites, "sit")
    with refused("say the same; give one of them"):
        fit(sites, "site", condition=sites["group"])
    with refused("condition has 159 rows and the data 160"):
        fit(sites.drop(NAMES), condition=sites["group"][:159])
    with refused("says nothing"):
        fit(sites.drop(NAMES), condition=np.ones(160))
    with refused("says nothing"):
        fit(sites.with_columns(same=1), "same")
    with refused("says nothing"):
        fit(sites.drop(NAMES), condition=np.ones(160, dtype=int))
    with refused('column "note" cannot be a condition: an identifier.*leave it out'):
        fit(sites.drop(NAMES), condition={"g": sites["group"], "note": [f"{i} of them" for i in range(160)]})
    with refused(r"condition has the shape \(160, 1, 1\)"):
        fit(sites.drop(NAMES), condition=np.ones((160, 1, 1)))
    with refused("nothing to learn"):
        fit(sites.select("x"), "x")
    schema = infer_schema(as_source(sites))
    with refused(r'"site" is to be a condition, and the given schema has it as a feature'):
        Conditional(2, condition="site", schema=schema, **SHORT).fit(sites)
    apart = (sites.drop(NAMES)[:9], None, None, sites["group"][:9])
    with warnings.catch_warnings(), refused("fitted without one"):
        warnings.simplefilter("ignore")
        Conditional(2, **SHORT).fit(sites.drop(NAMES), validation_data=apart)


def test_other_estimators_cannot_be_told_one(sites: pl.DataFrame) -> None:
    schema = infer_schema(as_source(sites), roles={"site": "condition"})
    for other in (Autoencoder, VariationalAutoencoder):
        with refused('"site" has the role of a condition.*use ConditionalVariationalAutoencoder'):
            other(2, schema=schema, **SHORT).fit(sites)
    model = Conditional(2, schema=schema, **SHORT).fit(sites)
    assert np.array_equal(
        model.transform(sites), Conditional(2, condition="site", **SHORT).fit(sites).transform(sites)
    )


def test_what_was_never_seen_is_reported(told: Conditional) -> None:
    with pytest.warns(
        UserWarning, match=r'column "site": unseen values, encoded as "other" \(3 rows\)'
    ) as caught:
        drawn = told.sample(3, condition={"site": "q", "dose": 1.0, "group": 1}, random_state=0)
    assert len(caught) == 1
    assert drawn["site"].to_list() == ["q"] * 3
    with pytest.warns(UserWarning, match=r'conditions complete at fit lack entries.*"dose" \(2 rows\)'):
        drawn = told.sample(2, condition={"site": "a", "dose": None, "group": 1}, random_state=0)
    assert drawn["dose"].to_list() == [None, None]


def test_gaps_in_a_condition_at_fit_are_something_to_learn_from(sites: pl.DataFrame) -> None:
    gaps = sites.with_columns(dose=pl.when(pl.col("x") > 1).then(None).otherwise(pl.col("dose")))
    model = Conditional(2, condition="dose", **SHORT).fit(gaps.select("x", "z", "dose"))
    assert model.model_.condition is not None
    assert model.model_.condition.n_inputs == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(model.score_samples(gaps.select("x", "z", "dose"))).all()
