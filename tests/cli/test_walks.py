"""Walks through the space of codes on the command line, in files and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isthmus

from .conftest import Workshop, call, is_picture, succeed, table


@pytest.mark.parametrize("path", ["straight", "spherical", "graph", "geodesic"])
def test_the_way_from_row_to_row(shop: Workshop, tmp_path: Path, path: str) -> None:
    words = ("interpolate", shop.vae, shop.npz, "--from", 3, "--to", 8, "-n", 5, "--path", path)
    out = succeed(*words, "-o", tmp_path / "w.npy")
    through = shop.images if path in ("graph", "geodesic") else None
    expected = isthmus.load(shop.vae).interpolate(
        shop.images[3], shop.images[8], 5, path=path, through=through
    )
    assert_array_equal(np.load(tmp_path / "w.npy"), expected)
    assert f"5 rows from row 3 to row 8 of {shop.npz}, path {path}" in out


def test_an_array_is_no_way_through_a_table(shop: Workshop, tmp_path: Path) -> None:
    words = ("interpolate", shop.table_vae, shop.npy, "--from", 0, "--to", 1, "-o", tmp_path / "w.csv")
    done = call(*words)
    assert done.status == 2
    assert "is an array and the model was fitted on a frame with columns height" in done.err
    assert len(done.err.splitlines()) == 1


def test_the_way_through_a_table_and_in_a_picture(shop: Workshop, tmp_path: Path, drawn: list[Any]) -> None:
    model = isthmus.load(shop.table_vae)
    rows = shop.table.drop("name", "group", "weight")
    succeed("interpolate", shop.table_vae, shop.csv, "--from", 0, "--to", 9, "-o", tmp_path / "w.parquet")
    expected = model.interpolate(rows[0], rows[9])
    assert table(tmp_path / "w.parquet").equals(expected.select("height", "visits", "town", "tall"))
    succeed("interpolate", shop.vae, shop.npy, "--from", 0, "--to", 9, "-o", tmp_path / "w.png", "-n", 6)
    assert is_picture(tmp_path / "w.png")
    assert drawn[0]["n_columns"] == len(drawn[0]["images"]) == 6


def test_a_latent_that_moves(shop: Workshop, tmp_path: Path, drawn: list[Any]) -> None:
    model, words = isthmus.load(shop.vae), ("traverse", shop.vae, shop.npz, "--row", 4)
    expected = [model.traverse(shop.images[4], dim, 3) for dim in range(2)]
    succeed(*words, "--dim", 1, "-n", 3, "-o", tmp_path / "t.npy")
    assert_array_equal(np.load(tmp_path / "t.npy"), expected[1])
    succeed(*words, "--dim", "all", "-n", 3, "-o", tmp_path / "t.csv")
    found = table(tmp_path / "t.csv")
    assert found["latent"].to_list() == [0, 0, 0, 1, 1, 1]
    rows = np.concatenate(expected).reshape(6, 30)
    assert_array_equal(found.drop("latent").to_numpy().astype(np.float32), rows)
    succeed(*words, "--dim", "all", "-n", 3, "-o", tmp_path / "t.png")
    assert is_picture(tmp_path / "t.png")
    assert_array_equal(drawn[0]["images"], np.concatenate(expected))
    assert (drawn[0]["n_columns"], drawn[0]["row_titles"]) == (3, ["z0", "z1"])


def test_walks_of_a_table_are_under_the_condition_of_its_rows(shop: Workshop, tmp_path: Path) -> None:
    succeed("traverse", shop.told, shop.csv, "--row", 2, "--dim", 0, "-n", 4, "-o", tmp_path / "t.csv")
    assert table(tmp_path / "t.csv")["town"].to_list() == [shop.table["town"][2]] * 4
    towns = shop.table["town"].to_list()
    other = next(i for i, town in enumerate(towns) if town != towns[0])
    words = ("interpolate", shop.told, shop.csv, "--from", 0, "--to", other, "-o", tmp_path / "w.csv")
    done = call(*words)
    assert done.status == 2
    assert "different conditions" in done.err
    assert "--condition town=" in done.err
    succeed(*words, "--condition", "town=here")
    assert set(table(tmp_path / "w.csv")["town"]) == {"here"}


def test_the_space_of_codes(shop: Workshop, tmp_path: Path, drawn: list[Any]) -> None:
    expected = isthmus.load(shop.vae).manifold_grid(4)
    succeed("manifold", shop.vae, "-n", 4, "-o", tmp_path / "m.npy")
    assert_array_equal(np.load(tmp_path / "m.npy"), expected)
    out = succeed("manifold", shop.vae, "-n", 4, "-o", tmp_path / "m.png")
    assert is_picture(tmp_path / "m.png")
    assert "latent 0 upwards, latent 1 to the right" in out
    assert_array_equal(drawn[0]["images"], expected)
    succeed(
        "manifold", shop.told_apart, "-n", 2, "--dims", 1, 0, "--condition", "y=0", "-o", tmp_path / "n.npy"
    )
    expected = isthmus.load(shop.told_apart).manifold_grid(2, dims=(1, 0), condition=0)
    assert_array_equal(np.load(tmp_path / "n.npy"), expected)
