"""Folders of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from isthmus.data.sources import Source, read
from isthmus.errors import InputError

PIXELS = np.arange(8 * 4 * 5, dtype=np.uint8).reshape(8, 4, 5)


def save(folder: Path, images: Any, suffix: str = ".png") -> Path:
    for at, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{at:03d}{suffix}")
    return folder


def pixels(source: Source, rows: int = 3) -> np.ndarray:
    return np.concatenate(list(source.blocks(rows)))


def test_the_folder_of_each_image_is_a_column(tmp_path: Path) -> None:
    for folder in ("cat", "dog"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder, PIXELS[:4] if folder == "cat" else PIXELS[4:])
    source = read(tmp_path)
    np.testing.assert_array_equal(pixels(source), PIXELS)
    assert source.column("folder").tolist() == ["cat"] * 4 + ["dog"] * 4
    with pytest.raises(InputError, match='"folder" gives the subfolder'):
        source.column("label")


def test_images_of_a_flat_folder_have_no_class_and_other_files_are_left_out(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[0]).save(tmp_path / "b.PNG")
    Image.fromarray(PIXELS[1]).save(tmp_path / "a.png")
    for other in ("notes.txt", ".hidden.png", "._resource/b.png", ".checkpoints/a.png"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text("no image")
    source = read(tmp_path)
    np.testing.assert_array_equal(pixels(source), PIXELS[[1, 0]])
    assert source.column("folder").tolist() == ["", ""]


def test_a_hidden_folder_may_be_given(tmp_path: Path) -> None:
    (tmp_path / ".cache" / "images").mkdir(parents=True)
    save(tmp_path / ".cache" / "images", PIXELS)
    np.testing.assert_array_equal(pixels(read(tmp_path / ".cache")), PIXELS)


@pytest.mark.parametrize(
    ("modes", "shape", "dtype"),
    [
        (["L"], (4, 5), np.uint8),
        (["1", "L"], (4, 5), np.uint8),
        (["I;16"], (4, 5), np.uint16),
        (["RGB"], (4, 5, 3), np.uint8),
        (["L", "RGBA"], (4, 5, 3), np.uint8),
        (["P"], (4, 5, 3), np.uint8),
    ],
)
def test_modes_of_images(tmp_path: Path, modes: list[str], shape: tuple[int, ...], dtype: type) -> None:
    for at, mode in enumerate(modes):
        Image.new(mode, (5, 4), 1 if mode in ("1", "I;16") else "white").save(tmp_path / f"{at}.png")
    source = read(tmp_path)
    assert (source.shape, source.dtype) == (shape, dtype)
    assert np.unique(pixels(source)).tolist() == [1 if dtype == np.uint16 else 255]


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    deep = np.arange(20, dtype=np.uint16).reshape(1, 4, 5) * 3000
    np.testing.assert_array_equal(pixels(read(save(tmp_path, deep))), deep)


def test_jpegs_are_near_what_was_written(tmp_path: Path) -> None:
    smooth = np.broadcast_to(np.arange(0, 256, 16, dtype=np.uint8)[:, None], (2, 16, 16))
    assert np.abs(pixels(read(save(tmp_path, smooth, ".jpg"))).astype(int) - smooth).max() < 5


def test_resize_is_height_then_width(tmp_path: Path) -> None:
    save(tmp_path, PIXELS)
    Image.new("L", (9, 9), 7).save(tmp_path / "large.png")
    source = read(tmp_path, resize=(2, 3))
    assert (len(source), source.shape) == (9, (2, 3))
    assert (source.take([8]) == 7).all()


@given(
    array=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=5)), rows=st.integers(1, 6)
)
def test_images_round_trip(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, rows: int) -> None:
    folder = tmp_path_factory.mktemp("round")
    np.testing.assert_array_equal(pixels(read(save(folder, array)), rows), array)
