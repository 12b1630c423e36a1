"""``demo``: two small data sets learned, applied and reported with the commands that users type."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from isthmus.cli.printing import aligned, command
from isthmus.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["bike_rentals", "demo"]

README = "README.txt"
# What the folder holds, and what each thing is.
MADE = {
    "digits.npz": "1,797 handwritten digits of 8 x 8 pixels (X) and which digit each is (y): scikit-learn's",
    "digits": "an autoencoder of them with a two-dimensional code, a model folder",
    "digits-codes.csv": "the code of each digit",
    "digits-map.png": "the codes as a map, coloured by digit",
    "digits.html": "a report on this model",
    "bikes.csv": "a table of 1,500 days of bike rentals with missing entries, GENERATED: no real data",
    "bikes": "an autoencoder of the table, a model folder",
    "bikes-codes.csv": "the code of each day",
    "bikes-filled.csv": "the table as the model sees it, without gaps",
    "bikes.html": "a report on this model",
}
FIRST_LINE = "Made by `isthmus demo`, which replaces these files when it runs again:"


def demo(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The folder to make.")] = Path("demo"),
) -> None:
    """Learn from digits and from a table with gaps; make codes, a map and reports; show what to try next."""
    _prepare(output)
    digits, bikes = output / "digits", output / "bikes"
    _write_digits(output / "digits.npz")
    # Perceptrons: on images this small, convolutions would take several times as long for little.
    plain = ("--set", "network=mlp")
    _run("fit", output / "digits.npz", "-o", digits, "--latent", 2, "--label", "y", "--seed", 0, *plain)
    _run("encode", digits, output / "digits.npz", "-o", output / "digits-codes.csv", "--id", "y")
    _draw_map(digits, output / "digits.npz", output / "digits-map.png")
    _run("report", digits, output / "digits.npz", "--label", "y", "-o", output / "digits.html")
    bike_rentals().write_csv(output / "bikes.csv")
    _run("fit", output / "bikes.csv", "-o", bikes, "--label", "season", "--seed", 0)
    _run("encode", bikes, output / "bikes.csv", "-o", output / "bikes-codes.csv", "--id", "day")
    _run("reconstruct", bikes, output / "bikes.csv", "-o", output / "bikes-filled.csv", "--id", "season")
    _run("report", bikes, output / "bikes.csv", "--label", "season", "-o", output / "bikes.html")
    print(f"{aligned((str(output / name), what) for name, what in MADE.items())}\n\nNext, for instance:")
    print(f"  {command('info', digits)}")
    print(f"  {command('decode', digits, output / 'digits-codes.csv', '-o', output / 'decoded.npy')}")
    print(
        f"  {command('fit', output / 'bikes.csv', '-o', output / 'mine', '--model', 'DenoisingAutoencoder')}"
    )


def _run(*words: object) -> None:
    from isthmus.cli.app import app

    print(f"$ {command(*words)}", flush=True)
    app(list(map(str, words)))
    print()


def _prepare(folder: Path) -> None:
    """Make the folder, or clear the one that an earlier demo made; leave any other alone."""
    from isthmus.store import write_file

    readme = folder / README
    if folder.is_dir() and any(folder.iterdir()):
        if not (readme.is_file() and readme.read_text("utf-8", "replace").startswith(FIRST_LINE)):
            raise InputError(f"{folder} exists and was not made by demo; choose another folder with -o")
        for name in MADE:
            made = folder / name
            shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
    elif folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another folder with -o")
    folder.mkdir(exist_ok=True)
    contents = "\n".join([FIRST_LINE, "", aligned(MADE.items()), ""])
    write_file(readme, contents.encode(), overwrite=True)


def _write_digits(path: Path) -> None:
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    np.savez(path, X=(digits.images / 16).astype(np.float32), y=digits.target)


def bike_rentals(n_days: int = 1500, seed: int = 0) -> pl.DataFrame:
    """Generate a table of mixed columns that follow from the season and from how fair the weather was."""
    import numpy as np
    import polars as pl

    draw = np.random.default_rng(seed)
    start = np.datetime64("2021-01-01")
    day = start + np.arange(n_days)
    angle = 2 * np.pi * np.arange(n_days) / 365.25
    fair = draw.normal(size=n_days)  # how fair the weather is, which nobody wrote down
    temperature = 11 - 9 * np.cos(angle) + 3 * fair + draw.normal(size=n_days)
    humidity = np.clip(70 + 8 * np.cos(angle) - 12 * fair + 3 * draw.normal(size=n_days), 5, 100)
    wet = np.where(temperature < 2, "snow", "rain")
    weather = np.where(fair > 0.5, "clear", np.where(fair > -0.7, "cloudy", wet))
    holiday = draw.random(n_days) < 0.3
    rentals = draw.poisson(np.exp(4.5 + 0.05 * temperature + 0.3 * fair + 0.4 * holiday))
    season = np.array(["winter", "spring", "summer", "autumn"])[(np.arange(n_days) % 365 + 31) // 92 % 4]
    table = pl.DataFrame(
        {
            "day": day,
            "temperature": temperature.round(1),
            "humidity": humidity.round(),
            "weather": weather,
            "holiday": holiday,
            "rentals": rentals,
            "season": season,
        }
    )
    gaps = {"temperature": 0.05, "humidity": 0.1, "weather": 0.03}
    return table.with_columns(
        pl.when(pl.Series(draw.random(n_days) >= share)).then(pl.col(name)).alias(name)
        for name, share in gaps.items()
    )


def _draw_map(model: Path, data: Path, picture: Path) -> None:
    from isthmus import load, read
    from isthmus.plots import MapDisplay, new_axes
    from isthmus.store import open_output

    source = read(data)
    fitted, digit = load(model), source.column("y")
    display = MapDisplay.from_estimator(
        fitted, source, label=digit, label_name="digit", ax=new_axes(6.4, 5.2)
    )
    with open_output(picture) as file:
        display.figure_.savefig(file, format="png", dpi=200)
