"""Whatever is written into a model folder's text files, loading it works or raises one StoreError."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.errors import StoreError
from isthmus.estimators import DenoisingAutoencoder, load

TEXTS = ("config.json", "schema.json", "metrics.json")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["auto", "gaussian", "masking:p=9", "count", "binary", "categorical", "x", "frame", ""]),
    st.text(max_size=5),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def folder(table: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    plain = table.select("x", "gap", "count", "flag", "city", "day", "constant")
    path = tmp_path_factory.mktemp("fuzzed") / "model"
    DenoisingAutoencoder(2, hidden_sizes=(4,), max_epochs=1, random_state=0).fit(plain).save(path)
    return path


@pytest.fixture(scope="module")
def originals(folder: Path) -> dict[str, Any]:
    return {name: json.loads((folder / name).read_text()) for name in TEXTS}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a JSON value."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, entry in inside:
        yield from places(entry, (*path, name))


def changed(value: Any, path: tuple[Any, ...], to: Any, how: str) -> Any:
    value = copy.deepcopy(value)
    inner = value
    for name in path[:-1]:
        inner = inner[name]
    if how == "replace":
        inner[path[-1]] = to
    elif how == "remove":
        del inner[path[-1]]
    elif isinstance(inner, dict):
        inner[str(to)] = to
    else:
        inner.append(to)
    return value


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_edited_json_is_refused_in_one_line_or_harmless(
    folder: Path, originals: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(TEXTS))
    edited = originals[name]
    for _ in range(data.draw(st.integers(1, 2))):
        paths = sorted(places(edited), key=repr)
        if not paths:
            break
        path = data.draw(st.sampled_from(paths))
        how = data.draw(st.sampled_from(["replace", "remove", "add"]))
        edited = changed(edited, path, data.draw(values), how)
    (folder / name).write_text(json.dumps(edited))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load(folder)
    except StoreError as error:
        assert "\n" not in str(error)  # noqa: PT017
    finally:
        (folder / name).write_text(json.dumps(originals[name]))


def test_the_folder_is_whole_again(folder: Path) -> None:
    assert isinstance(load(folder), DenoisingAutoencoder)
