from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data.inference import infer_schema
from isthmus.data.schema import Column, Schema, is_image
from isthmus.data.sources import as_source
from isthmus.errors import InputError

COLUMNS = (
    Column("age", "continuous", low=17.0, high=90.0, resolution=1.0, dtype="Int64", integer=True),
    Column("visits", "count", dtype="Int64", integer=True, high=9.0),
    Column("sex", "binary", dtype="String", levels=("f", "m")),
    Column("flag", "binary", dtype="Boolean", levels=(False, True), high=1.0),
    Column("grade", "binary", dtype="Int64", levels=(3, 7), low=3.0, high=7.0, integer=True),
    Column("city", "categorical", dtype="String", levels=("a", "b", "c"), other=True, most_frequent=2),
    Column("when", "datetime", dtype="Datetime(time_unit='us', time_zone='UTC')", origin=10**15, high=5.0),
    Column("unit", "constant", dtype="String", value="kg"),
    Column("text", "ignored", dtype="String", reason="free text"),
)
SCHEMA = Schema(COLUMNS, "frame", "polars", (9,))


def array_schema(*kinds: str, shape: tuple[int, ...] | None = None) -> Schema:
    columns = tuple(
        Column(f"x{i}", kind, dtype="float64", value=1.0 if kind == "constant" else None)
        for i, kind in enumerate(kinds)
    )
    return Schema(columns, "array", "numpy", shape or (len(kinds),), "float64")


def attempt(make: Callable[[], Schema]) -> tuple[Schema | None, str]:
    """Return a schema, or what the refusal says; no other exception passes."""
    try:
        return make(), ""
    except InputError as error:
        return None, str(error)


def test_modelled_columns_are_features_that_vary() -> None:
    schema = SCHEMA.edit(roles={"age": "label", "city": "condition"})
    assert [column.name for column in schema.modelled] == ["visits", "sex", "flag", "grade", "when"]
    assert schema.modelled_index.tolist() == [1, 2, 3, 4, 6]
    assert [column.name for column in schema.features][-3:] == ["when", "unit", "text"]
    assert "age" not in [column.name for column in schema.features]
    assert schema["city"].role == "condition"


def test_texts_are_the_columns_that_hold_text_in_any_role() -> None:
    numbers = Column("size", "categorical", dtype="Categorical", levels=(1, 2, 3))
    schema = replace(SCHEMA, columns=(*COLUMNS, numbers), shape=(10,)).edit(roles={"city": "label"})
    assert schema.texts == ("sex", "city", "unit", "text")


def test_conditions_is_the_schema_seen_from_the_other_side() -> None:
    schema = SCHEMA.edit(roles={"city": "condition", "sex": "label"})
    assert [column.name for column in schema.conditions.modelled] == ["city"]
    assert schema.conditions["sex"].role == "label"
    assert schema.conditions.conditions == schema


@pytest.mark.parametrize("name", SCHEMA.names)
@pytest.mark.parametrize(
    "kind", ["continuous", "count", "binary", "categorical", "pixel", "datetime", "ignored"]
)
def test_editing_a_kind_gives_a_valid_column_or_says_what_it_can_be(name: str, kind: str) -> None:
    edited, refusal = attempt(lambda: SCHEMA.edit(kinds={name: kind}))
    if edited is None:
        assert "it can be" in refusal
        assert kind != SCHEMA[name].kind
    else:
        assert edited[name].kind == kind
        assert Schema.from_json(edited.to_json()) == edited


def test_edits_that_need_no_data_are_made() -> None:
    edited = SCHEMA.edit(kinds={"age": "count", "grade": "count", "sex": "categorical", "city": "ignored"})
    assert [edited[name].kind for name in ("age", "grade", "sex", "city")] == [
        "count",
        "count",
        "categorical",
        "ignored",
    ]
    assert edited["grade"].levels == ()
    assert edited["sex"].other
    assert not edited["city"].other
    assert edited["age"].reason == "chosen by the user"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"kinds": {"agee": "count"}}, 'no column "agee". Did you mean "age"'),
        ({"kinds": {"age": "counts"}}, 'Did you mean "count"'),
        ({"roles": {"age": "labell"}}, 'Did you mean "label"'),
        ({"roles": {"sex": "weight"}}, "weights are numbers of at least 0"),
        ({"kinds": {"age": "categorical"}}, "infer_schema"),
        ({"kinds": {"unit": "continuous"}}, "one value only"),
        ({"kinds": {"city": "continuous"}}, "does not hold numbers"),
        ({"kinds": {"when": "categorical"}}, "Datetime"),
        ({"kinds": {"age": "pixel"}}, "not within 0 and 1"),
    ],
)
def test_impossible_edits_say_why(edit: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        SCHEMA.edit(**edit)
    assert words in str(caught.value)


def test_json_round_trip_is_strict_and_compact() -> None:
    text = json.dumps(SCHEMA.to_json(), allow_nan=False)
    again = Schema.from_json(json.loads(text))
    assert again == SCHEMA
    assert json.dumps(again.to_json()) == text
    assert [type(level) for level in again["flag"].levels] == [bool, bool]
    assert SCHEMA.to_json()["columns"][8] == {
        "name": "text",
        "kind": "ignored",
        "dtype": "String",
        "reason": "free text",
    }


def test_pickle_and_copies_are_equal() -> None:
    assert SCHEMA.modelled
    assert pickle.loads(pickle.dumps(SCHEMA)) == SCHEMA
    assert copy.deepcopy(SCHEMA) == SCHEMA
    assert hash(replace(SCHEMA)) == hash(SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "numeric"},
        {"kind": ["count"]},
        {"role": None},
        {"name": 3},
        {"reason": "x" * 1001},
        {"dtype": "Int65"},
        {"dtype": "Datetime(time_unit='us', time_zone='Mars/Olympus')", "kind": "datetime"},
        {"low": 2.0, "high": 1.0},
        {"low": float("nan")},
        {"high": float("inf")},
        {"high": 10**400},
        {"resolution": -1.0},
        {"missing": 1},
        {"origin": 1.5},
        {"origin": 1 << 70},
        {"step": 0},
        {"value": 3},
        {"levels": (1, 2)},
        {"kind": "binary", "levels": (1,)},
        {"kind": "binary", "levels": (2, 1)},
        {"kind": "binary", "levels": (1, 2, 3)},
        {"kind": "binary", "levels": ("a", "b")},
        {"kind": "categorical", "levels": (1, "a")},
        {"kind": "categorical", "levels": (1, 1)},
        {"kind": "categorical", "levels": (1, 2), "most_frequent": 2},
        {"kind": "categorical", "levels": tuple(range(10_001))},
        {"kind": "categorical", "dtype": "Float64", "levels": (1.0, float("nan"))},
        {"kind": "constant"},
        {"kind": "constant", "value": True},
        {"kind": "datetime"},
        {"other": True},
        {"native_dtype": 3},
        {"categories": ("a", "a")},
    ],
)
def test_columns_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    good = {"name": "a", "kind": "continuous", "dtype": "Int64"}
    Column(**good)
    with pytest.raises(InputError):
        Column(**(good | change))


@pytest.mark.parametrize(
    "change",
    [
        {"container": "table"},
        {"library": "numpy"},
        {"library": ["polars"]},
        {"shape": [9, 1]},
        {"shape": [8]},
        {"shape": [9.0]},
        {"shape": [True] * 9},
        {"shape": [10**30]},
        {"shape": []},
        {"dtype": "float64"},
        {"columns": []},
        {"columns": {}},
        {"columns": [1] * 9},
        {"columns": [{"name": "a", "kind": "ignored", "evil": 1}] * 9},
        {"columns": [{"name": "a", "kind": "ignored"}] * 9},
        {"version": 1},
    ],
)
def test_schemas_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Schema.from_json(SCHEMA.to_json() | change)


def test_arrays_need_their_own_dtype_and_shape() -> None:
    good = array_schema(*["continuous"] * 6, shape=(2, 3)).to_json()
    Schema.from_json(good)
    for change in (
        {"dtype": "float32"},
        {"dtype": None},
        {"shape": [3, 3]},
        {"library": "polars"},
        {"dtype": "object"},
    ):
        with pytest.raises(InputError):
            Schema.from_json(good | change)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["frame", "array", "polars", "numpy", "float64", "Int64", "constant", "binary"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@given(st.data())
def test_fuzzed_json_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    given_json: Any = SCHEMA.to_json()
    place: Any = given_json
    for _ in range(data.draw(st.integers(0, 3))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or not place[key]:
            break
        place = place[key]
    if isinstance(place, dict):
        key = data.draw(st.sampled_from([*place, "low", "levels", "value", "dtype", "origin"]))
        place[key] = data.draw(JSON)
    else:
        place[data.draw(st.integers(0, len(place) - 1))] = data.draw(JSON)
    schema, refusal = attempt(lambda: Schema.from_json(given_json))
    assert "\n" not in refusal
    if schema is not None:
        assert str(schema)
        assert Schema.from_json(schema.to_json()) == schema


@given(JSON)
def test_any_json_is_refused(value: Any) -> None:
    with pytest.raises(InputError):
        Schema.from_json(value)


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((4,), False),
        ((4, 5), True),
        ((4, 5, 1), True),
        ((4, 5, 2), False),
        ((4, 5, 3), True),
        ((4, 5, 4), True),
    ],
)
def test_images_have_height_width_and_channels_that_can_be_drawn(shape: tuple[int, ...], image: bool) -> None:
    rows = np.random.default_rng(0).normal(size=(3, *shape))
    assert is_image(shape) == image
    assert infer_schema(as_source(rows)).holds_images == image


def test_no_table_holds_images() -> None:
    assert not infer_schema(as_source(pl.DataFrame({"a": [1.5, 2.5, 3.0]}))).holds_images


def test_str_is_an_aligned_table() -> None:
    lines = str(SCHEMA).splitlines()
    assert lines[0] == "9 columns of a polars frame, 7 modelled"
    assert lines[2].split() == ["name", "kind", "role", "reason"]
    assert {line.find("feature") for line in lines[3:]} == {lines[2].find("role")}
    assert lines[-1] == "text    ignored      feature  free text"


def test_str_of_a_long_array_tells_runs_of_like_columns() -> None:
    schema = array_schema("constant", *["continuous"] * 99, "constant")
    lines = str(schema).splitlines()
    assert lines[0] == "101 columns of a float64 array, 99 modelled"
    assert [line.split()[0] for line in lines[3:]] == ["x0", "x1", "x100"]
    assert "x1 ... x99 (99 columns)" in lines[4]


def test_str_of_many_runs_is_told_by_kind() -> None:
    X = np.random.default_rng(0).random((20, 100))
    X[:, ::3] = 1.0
    lines = str(infer_schema(as_source(X))).splitlines()
    assert len(lines) == 5
    assert "(34 columns)" in lines[3]
    assert "one value, 1" in lines[3]
    assert "numbers from 0.0" in lines[4]


def test_str_survives_strange_names() -> None:
    frame = pl.DataFrame({"a\nb": [1.0, 2.0], "c" * 500: [1.0, 2.0], "": [1.0, 2.0]})
    assert len(str(infer_schema(as_source(frame))).splitlines()) == 6
