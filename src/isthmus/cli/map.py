"""``map``: the shortest way from a file to a coloured map, with its codes and its model saved beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from isthmus.cli.fit_options import Columns, FitOptions
from isthmus.cli.options import Array, Data, RowOptions, Seed
from isthmus.cli.options import Resize as ResizeTo
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.data.sources import Source

__all__ = ["map_rows"]

PAGE = ".html"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """What is mapped, and where to."""

    output: Annotated[
        Path,
        Parameter(
            name=["--output", "-o"],
            help="The page to write. Codes and model go beside it: for map.html, map.csv and map-model.",
        ),
    ] = Path("map.html")
    label: Annotated[
        str | None,
        Parameter(
            help="Colours the map, as classes measures it, and is never learned from: a column, another "
            'array of an .npz, a file with one value a row, or "folder" (the subfolder of each image).'
        ),
    ] = None
    codes: Annotated[
        Path | None,
        Parameter(help="The file of codes instead: .csv, .parquet or .npy; columns z0, z1 after --id."),
    ] = None
    save: Annotated[Path | None, Parameter(help="The model folder instead.")] = None
    model: Annotated[str, Parameter(help="Another model; see isthmus models.")] = "ManifoldAutoencoder"
    id: Annotated[
        str | None,
        Parameter(help="Identifier of each row, kept in front of its code and not learned from."),
    ] = None
    ignore: Annotated[Columns, Parameter(help="Leave out this column; may be given again.")] = None
    column: Annotated[
        Columns,
        Parameter(help="What a column is, such as age=count; may be given again.", name="--column"),
    ] = None
    set: Annotated[
        Columns,
        Parameter(
            help="Set a parameter of the model, such as max_epochs=50 or n_neighbors=30; may be given again."
        ),
    ] = None
    seed: Annotated[Seed, Parameter(help="Makes the map repeatable; drawn and kept if not given.")] = None
    array: Array = None
    resize: ResizeTo = None
    resume: Annotated[
        bool, Parameter(help="Go on with an interrupted run of the same command.", show_default=False)
    ] = False
    force: Annotated[bool, Parameter(help="Replace what exists.", show_default=False)] = False
    quiet: Annotated[bool, Parameter(help="Show notes, results and errors only.", show_default=False)] = False

    @property
    def codes_path(self) -> Path:
        """Where codes go."""
        return self.codes or self.output.with_suffix(".csv")

    @property
    def model_path(self) -> Path:
        """Where the model goes."""
        return self.save or self.output.with_name(f"{self.output.stem}-model")


def map_rows(data: Data, /, *, options: MapOptions | None = None) -> int:
    """Draw a coloured map of rows, and save its codes and its model.

    Fits a model with two components, and writes three things: a page with the map, the loss, and how true the
    map is on held-out rows beside PCA's; the codes of all rows, in columns z0 and z1; and the model's folder,
    for encode, decode and report.
    """
    options = options or MapOptions()
    _check(data, options)
    source = _open(data, options)
    from isthmus.cli.fit import fit

    status = fit(data, options=_fit_options(options))
    if status:
        return status
    _write_codes(data, options)
    _write_page(data, source, options)
    return 0


def _check(data: Path, options: MapOptions) -> None:
    """Refuse what cannot be done, before any work is spent."""
    from isthmus.cli.paths import check_apart, check_rows_output
    from isthmus.store import check_output

    if options.output.suffix.lower() != PAGE:
        raise InputError(f"{options.output}: unknown format; the page's name must end in {PAGE}")
    for text in options.set or ():
        if text.startswith("n_components="):
            raise InputError(f"--set {text}: a map has two components; for others use isthmus fit")
    read = (data, options.label, options.id)
    check_apart(options.output, *read, what="the page")
    check_apart(options.codes_path, *read, what="the codes", advice="give --codes")
    check_output(options.output, overwrite=options.force)
    check_rows_output(options.codes_path, options.force)


def _open(data: Path, options: MapOptions) -> Source:
    """Open the rows, and see to it that what stands beside them is there."""
    from isthmus import read
    from isthmus.cli.sides import find_side

    source = read(data, array=options.array, resize=options.resize)
    for option in ("label", "id"):
        given = getattr(options, option)
        if given is not None:
            find_side(source, given, f"--{option}")
    return source


def _fit_options(options: MapOptions) -> FitOptions:
    names = ("label", "model", "id", "ignore", "column", "set", "seed", "array", "resize", "resume", "force")
    shared: dict[str, Any] = {name: getattr(options, name) for name in (*names, "quiet")}
    return FitOptions(output=options.model_path, latent="2", **shared)


def _write_codes(data: Path, options: MapOptions) -> None:
    from isthmus.cli.apply import encode

    how = RowOptions(
        output=options.codes_path,
        id=options.id,
        array=options.array,
        resize=options.resize,
        force=options.force,
    )
    encode(options.model_path, data, options=how)


def _write_page(data: Path, source: Source, options: MapOptions) -> None:
    from isthmus.cli.compare import label_values
    from isthmus.cli.opening import load_model
    from isthmus.plots import Labels
    from isthmus.report.map_page import write_map

    model, values = load_model(options.model_path), label_values(source, options.label)
    labels = None if values is None else Labels.read(values, Path(str(options.label)).name)
    figures = write_map(model, options.output, source, labels, classes=values, overwrite=options.force)
    print(f"{figures.sentence}\n{options.output}: the map; open it in a browser")
