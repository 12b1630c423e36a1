"""New rows on the command line: what the library draws, decodes and finds nearest, in files and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

import isthmus
from isthmus.tasks import nearest

from .conftest import Workshop, call, is_picture, names, succeed, table


def test_samples_of_images_in_every_format(shop: Workshop, tmp_path: Path) -> None:
    expected = isthmus.load(shop.vae).sample(7, random_state=5)
    for name in ("s.npy", "s.csv", "s.parquet"):
        out = succeed("sample", shop.vae, "-o", tmp_path / name, "-n", 7, "--seed", 5)
        assert out == f"{tmp_path / name}: 7 new rows (--seed 5 gives the same)\n"
    assert_array_equal(np.load(tmp_path / "s.npy"), expected)
    for name in ("s.csv", "s.parquet"):
        assert table(tmp_path / name).columns == [f"x{i}" for i in range(30)]
        assert_array_equal(table(tmp_path / name).to_numpy().astype(np.float32), expected.reshape(7, 30))


def test_samples_of_a_table_are_its_columns_without_labels(shop: Workshop, tmp_path: Path) -> None:
    succeed("sample", shop.table_vae, "-o", tmp_path / "s.parquet", "--seed", 3)
    expected = isthmus.load(shop.table_vae).sample(10, random_state=3)
    assert table(tmp_path / "s.parquet").equals(expected.select("height", "visits", "town", "tall"))


def test_the_seed_that_was_drawn_is_told(shop: Workshop, tmp_path: Path) -> None:
    out = succeed("sample", shop.vae, "-o", tmp_path / "a.npy")
    seed = out.split("--seed ")[1].split()[0]
    succeed("sample", shop.vae, "-o", tmp_path / "b.npy", "--seed", seed)
    assert_array_equal(np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npy"))


def test_temperature_and_expectation(shop: Workshop, tmp_path: Path) -> None:
    words = ("--seed", 1, "--temperature", 0.5, "--expected")
    succeed("sample", shop.vae, "-o", tmp_path / "s.npy", *words)
    expected = isthmus.load(shop.vae).sample(10, temperature=0.5, expected=True, random_state=1)
    assert_array_equal(np.load(tmp_path / "s.npy"), expected)


def test_the_nearest_rows_stand_beside_a_table(shop: Workshop, tmp_path: Path) -> None:
    output = tmp_path / "s.parquet"
    out = succeed("sample", shop.table_vae, "-o", output, "--seed", 3, "--beside", shop.csv)
    model = isthmus.load(shop.table_vae)
    index, distance = nearest(model, model.sample(10, random_state=3), shop.table.drop("name"))
    found = table(output)
    assert found.columns == ["height", "visits", "town", "tall", "nearest_row", "nearest_distance"]
    assert_array_equal(found["nearest_row"].to_numpy(), index)
    assert_allclose(found["nearest_distance"].to_numpy(), distance, rtol=1e-6)
    assert f"{distance.min():.4g} to {distance.max():.4g} training standard deviations away" in out
    assert "0 of 10 exact copies" in out


def test_copies_are_told(shop: Workshop, tmp_path: Path) -> None:
    # What is expected of the prior's mean is always the same image.
    words = ("sample", shop.vae, "--temperature", 0, "--expected", "--seed", 1)
    succeed(*words, "-o", tmp_path / "rows.npy", "-n", 3)
    out = succeed(*words, "-o", tmp_path / "s.csv", "-n", 4, "--beside", tmp_path / "rows.npy")
    assert "0 to 0 units of the data away, 4 of 4 exact copies" in out
    assert table(tmp_path / "s.csv")["nearest_distance"].to_list() == [0] * 4
    assert table(tmp_path / "s.csv")["nearest_row"].to_list() == [0] * 4


def test_a_picture_of_samples(shop: Workshop, tmp_path: Path, drawn: list[Any]) -> None:
    succeed("sample", shop.vae, "-o", tmp_path / "s.png", "-n", 5, "--seed", 2)
    assert is_picture(tmp_path / "s.png")
    assert_array_equal(drawn[0]["images"], isthmus.load(shop.vae).sample(5, random_state=2))
    assert (drawn[0]["low"], drawn[0]["high"]) == (0, 1)


def test_pictures_of_reconstructed_and_of_decoded_images(
    shop: Workshop, tmp_path: Path, drawn: list[Any]
) -> None:
    model = isthmus.load(shop.vae)
    succeed("reconstruct", shop.vae, shop.npy, "-o", tmp_path / "r.png")
    np.save(tmp_path / "z.npy", model.transform(shop.images[:3]))
    succeed("decode", shop.vae, tmp_path / "z.npy", "-o", tmp_path / "d.png")
    assert is_picture(tmp_path / "r.png")
    assert_allclose(drawn[0]["images"], model.reconstruct(shop.images), atol=1e-6)
    assert_allclose(drawn[1]["images"], model.reconstruct(shop.images[:3]), atol=1e-6)
    np.save(tmp_path / "many.npy", np.zeros((401, 6, 5), np.float32))
    for model_, data, message in (
        (shop.vae, tmp_path / "many.npy", "a picture holds up to 400 images and no columns, not 401 images"),
        (shop.table_vae, shop.csv, "a picture shows images"),
    ):
        done = call("reconstruct", model_, data, "-o", tmp_path / "no.png")
        assert (done.status, message in done.err) == (2, True), done.err
    assert not (tmp_path / "no.png").exists()


def test_a_picture_of_samples_above_the_nearest_rows(
    shop: Workshop, tmp_path: Path, drawn: list[Any]
) -> None:
    succeed("sample", shop.vae, "-o", tmp_path / "s.png", "-n", 12, "--seed", 2, "--beside", shop.npz)
    assert is_picture(tmp_path / "s.png")
    model, how = isthmus.load(shop.vae), drawn[0]
    samples = model.sample(12, random_state=2)
    index, distance = nearest(model, samples, shop.images)
    images = how["images"].reshape(4, 10, 6, 5, 4)
    grey = np.clip(samples, 0, 1)
    assert_allclose(images[0, :, ..., 0], grey[:10], atol=1e-6)
    assert_allclose(images[1, :, ..., 0], shop.images[index[:10]], atol=1e-6)
    assert_allclose(images[2, :2, ..., 0], grey[10:], atol=1e-6)
    assert_allclose(images[3, :2, ..., 0], shop.images[index[10:]], atol=1e-6)
    assert not images[2:, 2:].any()  # clear, not black
    assert how["row_titles"] == ["sample", "nearest row"] * 2
    told = [f"{value:.3g}" for value in distance]
    assert how["captions"] == [""] * 10 + told[:10] + [""] * 10 + told[10:] + [""] * 8


def test_what_is_there_is_only_replaced_by_force(shop: Workshop, tmp_path: Path) -> None:
    words = ("sample", shop.vae, "-o", tmp_path / "s.png", "--seed", 1)
    succeed(*words)
    before = (tmp_path / "s.png").read_bytes()
    done = call(*words, "-n", 3)
    assert (done.status, (tmp_path / "s.png").read_bytes()) == (2, before)
    succeed(*words, "-n", 3, "--force")
    assert (tmp_path / "s.png").read_bytes() != before
    assert names(tmp_path) == ["s.png"]
