"""A folder of PNG or JPEG images as rows of pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from isthmus.data.sources.arrays import ArraySourceBase
from isthmus.data.sources.base import Array, Source, reading
from isthmus.errors import InputError

__all__ = ["ImageSource", "read_images"]

_SUFFIXES = (".png", ".jpg", ".jpeg")
_GREY = {"1", "L"}
_DEEP = {"I;16", "I;16L", "I;16B", "I;16N"}
_COLOUR = _GREY | {"P", "RGB", "RGBA", "LA", "PA", "CMYK", "YCbCr"}


class ImageSource(ArraySourceBase):
    """Images of one size, decoded a block at a time."""

    def __init__(self, folder: Path, paths: list[Path], size: tuple[int, int], mode: str) -> None:
        shape = (len(paths), size[1], size[0], *((3,) if mode == "RGB" else ()))
        super().__init__(str(folder), shape, np.dtype(np.uint16 if mode == "I;16" else np.uint8))
        self._folder, self._paths, self._size, self._mode = folder, paths, size, mode

    def _blocks(self, rows: int) -> Iterator[Array]:
        for start in range(0, len(self), rows):
            yield self._decode(self._paths[start : start + rows])

    def _take(self, wanted: Array) -> Array:
        return self._decode([self._paths[index] for index in wanted])

    def _decode(self, paths: list[Path]) -> Array:
        block = np.empty((len(paths), *self.shape), dtype=self.dtype)
        for pixels, path in zip(block, paths, strict=True):
            with reading(path, "an image"), _open(path) as image:
                same = image if image.mode == self._mode else image.convert(self._mode)
                pixels[:] = (
                    same if same.size == self._size else same.resize(self._size, Image.Resampling.BILINEAR)
                )
        return block

    def column(self, name: str) -> Array:
        if name != "folder":
            raise InputError(
                f'{self.name}: images have no column {name!r}; "folder" gives the subfolder of each'
            )
        return np.array(["" if path.parent == self._folder else path.parent.name for path in self._paths])


def read_images(folder: Path, resize: tuple[int, int] | None = None) -> Source:
    """Open the images of a folder and of its immediate subfolders, in the order of their names.

    All grey: uint8 (height, width), or uint16 where all have 16 bits. Else uint8 (height, width, 3);
    transparency is dropped. What is hidden is left out. Only the headers are read here.
    """
    found = (path for pattern in ("*", "*/*") for path in folder.glob(pattern))
    paths = sorted(path for path in found if _is_image(path) and not _is_hidden(path.relative_to(folder)))
    if not paths:
        raise InputError(
            f"{folder}: no PNG or JPEG images in this folder or its immediate subfolders; give one that has"
        )
    headers = [_header(path) for path in paths]
    size = _resized(resize) if resize is not None else _one_size(paths, [size for size, _ in headers])
    return ImageSource(folder, paths, size, _one_mode(paths, [mode for _, mode in headers]))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _open(path: Path) -> Image.Image:
    return Image.open(path, formats=("PNG", "JPEG"))


def _header(path: Path) -> tuple[tuple[int, int], str]:
    with reading(path, "an image"), _open(path) as image:
        return image.size, image.mode


def _resized(resize: tuple[int, int]) -> tuple[int, int]:
    height, width = resize
    if min(height, width) < 1:
        raise InputError(f"resize={resize}: expected (height, width) of 1 pixel or more")
    return width, height


def _one_size(paths: list[Path], sizes: list[tuple[int, int]]) -> tuple[int, int]:
    for path, size in zip(paths, sizes, strict=True):
        if size != sizes[0]:
            raise InputError(
                f"images of different sizes (height x width): {paths[0]} is {sizes[0][1]} x {sizes[0][0]}, "
                f"{path} is {size[1]} x {size[0]}; give one size with resize=(height, width)"
            )
    return sizes[0]


def _one_mode(paths: list[Path], modes: list[str]) -> str:
    used = set(modes)
    for mode, family in (("L", _GREY), ("I;16", _DEEP), ("RGB", _COLOUR)):
        if used <= family:
            return mode
    odd = next(index for index, mode in enumerate(modes) if mode not in _COLOUR)
    raise InputError(
        f"{paths[odd]} has pixels of mode {modes[odd]!r}, unlike the rest; convert it to 8 bits, grey or RGB"
    )
