"""``map``: from a file to a page, codes and a model, in one command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

import isthmus
from isthmus import ManifoldAutoencoder
from isthmus.plots.rows import open_rows
from isthmus.report.map_truth import measure_map

from .conftest import Workshop, call, names

SET = ("--set", "max_epochs=2", "--set", "hidden_sizes=(4,)", "--seed", 1)


def test_a_file_becomes_a_page_codes_and_a_model(mixed_table: pl.DataFrame, tmp_path: Path) -> None:
    data = tmp_path / "t.parquet"
    mixed_table.with_row_index("row").write_parquet(data)
    words = ("--label", "segment", "--id", "row", *SET, "-o", tmp_path / "map.html")
    done = call("map", data, *words)
    assert done.status == 0, done.err
    assert {name for name in names(tmp_path) if "/" not in name} == {
        "t.parquet",
        "map.html",
        "map.csv",
        "map-model",
    }
    model = isthmus.load(tmp_path / "map-model")
    assert isinstance(model, ManifoldAutoencoder)
    roles = {column.name: column.role for column in model.schema_.columns}
    assert (roles["segment"], roles["row"]) == ("label", "id")
    codes = pl.read_csv(tmp_path / "map.csv")
    assert codes.columns == ["row", "z0", "z1"]
    assert codes["row"].to_list() == list(range(300))
    read = isthmus.read(data)
    assert_allclose(codes.select("z0", "z1").to_numpy(), model.transform(read), rtol=1e-5, atol=1e-6)
    figures = measure_map(open_rows(model, read), mixed_table["segment"].to_numpy())
    assert (figures.rows, figures.n_rows) == ("held-out", 30)
    assert figures.sentence in done.out
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "segment" in page
    assert "kNN accuracy" in page


def test_other_names_and_another_model(shop: Workshop, tmp_path: Path) -> None:
    done = call(
        "map",
        shop.npz,
        "--array",
        "X",
        "--label",
        "y",
        "--model",
        "Autoencoder",
        *SET,
        "--quiet",
        "-o",
        tmp_path / "page.html",
        "--codes",
        tmp_path / "z.npy",
        "--save",
        tmp_path / "saved",
    )
    assert done.status == 0, done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "saved", "z.npy"]
    assert np.load(tmp_path / "z.npy").shape == (40, 2)
    assert type(isthmus.load(tmp_path / "saved")).__name__ == "Autoencoder"


def test_the_same_seed_gives_the_same_codes_and_what_exists_is_replaced_only_by_force(
    shop: Workshop, tmp_path: Path
) -> None:
    words = ("map", shop.npy, *SET, "--quiet", "-o", tmp_path / "m.html")
    assert call(*words).status == 0
    first = {path: path.read_bytes() for path in (tmp_path / "m.csv", tmp_path / "m.html")}
    done = call(*words)
    assert done.status == 2
    assert "exists" in done.err
    assert call(*words, "--force").status == 0
    assert (tmp_path / "m.csv").read_bytes() == first[tmp_path / "m.csv"]


def test_an_existing_file_of_codes_or_model_is_found_before_training(shop: Workshop, tmp_path: Path) -> None:
    for name in ("m.csv", "m-model"):
        (tmp_path / name).write_text("mine")
        done = call("map", shop.npy, *SET, "-o", tmp_path / "m.html")
        assert done.status == 2, name
        assert (tmp_path / name).read_text() == "mine"
        assert names(tmp_path) == [name]
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "m.png"), "must end in .html"),
        (("-o", "nowhere/m.html"), "is not a folder"),
        (("--codes", "z.txt"), "unknown format"),
        (("--set", "n_components=3"), "a map has two components"),
        (("--set", "depth=2"), "no parameter 'depth'"),
        (("--model", "Autoencode"), 'Did you mean "Autoencoder"'),
        (("--label", "town"), "--label town: no such file"),
        (("--id", "town"), "--id town: no such file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("map", shop.npy, "--quiet", *words)
    assert done.status == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1
    assert names(tmp_path) == []
