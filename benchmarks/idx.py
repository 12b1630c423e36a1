"""The four IDX files of MNIST and of Fashion-MNIST, gzipped or not, as arrays."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

import isthmus


def pixels(folder: Path, part: str) -> np.ndarray:
    """Return the images of a part, "train" or "t10k", as rows of 784 numbers from 0 to 1."""
    images = np.concatenate(list(isthmus.read(_find(folder, f"{part}-images-idx3-ubyte")).blocks()))
    return (images.reshape(len(images), -1) / 255).astype(np.float32)


def labels(folder: Path, part: str) -> np.ndarray:
    path = _find(folder, f"{part}-labels-idx1-ubyte")
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return np.frombuffer(data, np.uint8, offset=8).astype(int)  # after the magic number and the count


def _find(folder: Path, name: str) -> Path:
    return next(path for path in (folder / f"{name}.gz", folder / name) if path.exists())
