from __future__ import annotations

import contextlib
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from PIL import Image

import isthmus
from isthmus.cli import main, pictures
from isthmus.plots import ImageGridDisplay

SHORT = ("--seed", "1", "--set", "max_epochs=2")
VAE, CVAE = "VariationalAutoencoder", "ConditionalVariationalAutoencoder"


class Done(NamedTuple):
    status: int
    out: str
    err: str


def call(*words: object) -> Done:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(word) for word in words])
    return Done(status, out.getvalue(), err.getvalue())


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(isthmus.__file__).parents[1]), "OMP_NUM_THREADS": "1"}


def start(*words: object, cwd: Path) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    command = [sys.executable, "-m", "isthmus", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=cwd, env=environment(), stdout=pipe, stderr=pipe, text=True)


def run_python(code: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code that is expected to succeed in a process of its own."""
    command = [sys.executable, "-c", code]
    variables = environment() | variables
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def digest(model: Path) -> str:
    """Return a hash of a model's weights."""
    return hashlib.sha256((model / "weights.safetensors").read_bytes()).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def succeed(*words: object) -> str:
    """Run a command that is expected to say nothing on stderr, and return what it printed."""
    done = call(*words)
    assert (done.status, done.err) == (0, ""), done
    return done.out


class Workshop:
    """Small data in every form, and a model of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        random = np.random.default_rng(0)
        size = random.normal(size=60)
        self.table = pl.DataFrame(
            {
                "name": [f"row {i}" for i in range(60)],
                "height": 170 + 10 * size,
                "visits": random.poisson(np.exp(1 + 0.3 * size)),
                "town": random.choice(["here", "there", "away"], 60),
                "tall": size > 0,
                "group": random.choice(["u", "v"], 60),
                "weight": random.uniform(0.5, 2, 60),
            }
        )
        self.csv, self.parquet = folder / "table.csv", folder / "table.parquet"
        self.table.write_csv(self.csv)
        self.table.with_columns(extra=pl.lit(1)).select(
            reversed([*self.table.columns, "extra"])
        ).write_parquet(self.parquet)
        self.images = random.random((40, 6, 5)).astype(np.float32)
        self.classes = random.integers(0, 3, 40)
        self.npz, self.npy, self.labels = folder / "images.npz", folder / "images.npy", folder / "classes.txt"
        np.savez(self.npz, X=self.images, y=self.classes)
        np.save(self.npy, self.images)
        self.labels.write_text("\n".join(map(str, self.classes)) + "\n")
        self.pictures = folder / "pictures"
        for i, image in enumerate(self.images[:20]):
            (self.pictures / f"class{i % 2}").mkdir(parents=True, exist_ok=True)
            pixels = (255 * image).astype(np.uint8)
            Image.fromarray(pixels).save(self.pictures / f"class{i % 2}" / f"{i:02}.png")
        self.table_model, self.array_model = folder / "table-model", folder / "array-model"
        self.picture_model, self.denoiser = folder / "picture-model", folder / "denoiser"
        self.vae, self.table_vae = folder / "vae", folder / "table-vae"
        self.told, self.told_apart = folder / "told", folder / "told-apart"

    def fit(self) -> None:
        roles = ("--label", "group", "--weight", "weight", "--id", "name")
        for words in (
            (self.csv, "-o", self.table_model, "--latent", 2, *roles),
            (self.npz, "-o", self.array_model, "--latent", 3, "--label", "y"),
            (self.pictures, "-o", self.picture_model, "--label", "folder", "--latent", 2),
            (
                self.csv,
                "-o",
                self.denoiser,
                "--model",
                "DenoisingAutoencoder",
                "--ignore",
                "weight",
                "--latent",
                2,
            ),
            (self.npz, "-o", self.vae, "--model", VAE, "--latent", 2),
            (self.csv, "-o", self.table_vae, "--model", VAE, "--latent", 2, *roles),
            (self.csv, "-o", self.told, "--model", CVAE, "--condition", "town", "--latent", 2, *roles),
            (self.npz, "-o", self.told_apart, "--model", CVAE, "--condition", "y", "--latent", 2),
        ):
            done = call("fit", *words, *SHORT, "--quiet")
            assert done == (0, "", ""), done


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    workshop = Workshop(tmp_path_factory.mktemp("workshop"))
    workshop.fit()
    return workshop


def table(path: Path) -> pl.DataFrame:
    """Read a table that a command wrote."""
    return pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Give a list of what is drawn in pictures."""
    seen: list[dict[str, Any]] = []

    class Spy(ImageGridDisplay):
        @classmethod
        def from_images(cls, images: Any, **how: Any) -> Any:
            seen.append({"images": images, **how})
            return super().from_images(images, **how)

    monkeypatch.setattr(pictures, "ImageGridDisplay", Spy)
    return seen


def is_picture(path: Path) -> bool:
    """Tell whether a file is a picture that shows something."""
    with Image.open(path) as image:
        return image.format == "PNG" and len(np.unique(np.asarray(image))) > 5
