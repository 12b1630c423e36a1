"""``dimension``: how many numbers it takes to say where a row lies, in every way there is here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from isthmus.cli.options import Array, Data, Force, Resize, Seed
from isthmus.cli.parameters import check_whole
from isthmus.cli.printing import aligned, plus_minus
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.data.sources import Source
    from isthmus.estimators.variational import VariationalAutoencoder
    from isthmus.manifold.curse import CurseReport
    from isthmus.manifold.dimension import IntrinsicDimension
    from isthmus.tasks.evidence import DimensionEvidence

__all__ = ["dimension"]

WORDS = {
    "two_nn": ("TwoNN", "of the surface, from two neighbours"),
    "levina_bickel": ("Levina-Bickel", "of the surface, from 10 to 20 neighbours"),
    "explained_variance": ("PCA, 95 % of the variance", "of the flat space around it"),
    "kaiser": ("PCA, above the mean variance (Kaiser)", "of the flat space around it"),
    "broken_stick": ("PCA, broken stick", "of the flat space around it"),
    "participation_ratio": ("PCA, participation ratio", "of the flat space around it"),
    "minka": ("PCA, evidence (Minka)", "of the flat space around it"),
}


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class DimensionOptions:
    """What is measured, and what is written."""

    evidence: Annotated[
        bool,
        Parameter(
            help="Fit a model for each number of latents and compare them on held-out rows: takes minutes.",
            negative="--no-evidence",
        ),
    ] = True
    candidates: Annotated[
        list[int] | None,
        Parameter(help="Numbers of latents to compare; by default up to 7.", consume_multiple=True),
    ] = None
    set: Annotated[
        list[str] | None,
        Parameter(
            help="Set a parameter of the models: name=value, such as max_epochs=50; may be given again."
        ),
    ] = None
    samples: Annotated[int, Parameter(help="Draws per held-out row.")] = 500
    fits: Annotated[
        int, Parameter(help="Fits per number of latents, whose mean is compared; 3 tell how much they vary.")
    ] = 1
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="A picture of the evidence (.png) to write.")
    ] = None
    json: Annotated[Path | None, Parameter(help="A JSON file of all numbers to write.")] = None
    ignore: Annotated[list[str] | None, Parameter(help="Leave out a column; may be given again.")] = None
    seed: Seed = 0
    array: Array = None
    resize: Resize = None
    force: Force = False


def dimension(data: Data, /, *, options: DimensionOptions | None = None) -> None:
    """Estimate the intrinsic dimension of rows: by neighbours, by PCA, and by held-out evidence.

    Rows are measured as models see them: numbers scaled to unit spread, categories one-hot.
    """
    options = options or DimensionOptions()
    _check(data, options)
    estimator = _estimator(options) if options.evidence else None
    source, schema = _open(data, options)
    if options.evidence:
        _check_enough(source)
    from isthmus.manifold.curse import curse_report
    from isthmus.manifold.dimension import intrinsic_dimension
    from isthmus.tasks.encoded import encoded_inputs

    seed = options.seed or 0
    inputs = encoded_inputs(source, schema, random_state=seed)
    found, curse = intrinsic_dimension(inputs), curse_report(inputs, random_state=seed)
    print(f"{_estimates(data, len(source), found)}\n\n{_diagnostics(curse)}", flush=True)
    evidence = None
    if estimator is not None:
        evidence = _evidence(source, estimator.set_params(schema=schema), options)
        print(f"\n{_table(evidence)}\n{evidence.sentence}")
    _write(options, found, curse, evidence)


def _check(data: Path, options: DimensionOptions) -> None:
    """Refuse what cannot be done, before any work is spent."""
    from isthmus.cli.paths import check_picture_and_json, is_picture

    if options.output is not None:
        if not options.evidence:
            raise InputError("-o draws the evidence, and --no-evidence leaves it out; give one of them")
        if not is_picture(options.output):
            raise InputError(f"{options.output}: unknown format; the picture's name must end in .png")
    check_picture_and_json(options.output, options.json, data, overwrite=options.force)
    if not options.evidence and (options.set or options.candidates or options.fits != 1):
        raise InputError("--set, --candidates and --fits are for the evidence that --no-evidence leaves out")
    check_whole("--samples", options.samples, 2)
    check_whole("--fits", options.fits, 1)
    for candidate in options.candidates or ():
        check_whole("--candidates", candidate, 1)


def _estimator(options: DimensionOptions) -> VariationalAutoencoder:
    from isthmus.cli.parameters import make_estimator

    for text in options.set or ():
        if text.startswith("n_components="):
            raise InputError(f"--set {text}: use --candidates")
    seeded = any(text.startswith("random_state=") for text in options.set or ())
    shortcuts = {"random_state": None if seeded else options.seed or 0}
    return make_estimator("VariationalAutoencoder", options.set or (), shortcuts)  # type: ignore[return-value]


def _open(data: Path, options: DimensionOptions) -> tuple[Source, Any]:
    from isthmus import read
    from isthmus.data.inference import infer_schema

    source = read(data, array=options.array, resize=options.resize)
    return source, infer_schema(source, kinds=dict.fromkeys(options.ignore or (), "ignored"))


def _check_enough(source: Source) -> None:
    from isthmus.tasks.dimension import check_enough

    try:
        check_enough(source)
    except InputError as error:
        told = str(error).replace("a larger held_out_fraction", "leave out the evidence with --no-evidence")
        raise InputError(told) from error


def _evidence(
    source: Source, estimator: VariationalAutoencoder, options: DimensionOptions
) -> DimensionEvidence:
    from isthmus.cli.running import note
    from isthmus.tasks.dimension import dimension_by_evidence

    return dimension_by_evidence(
        source,
        options.candidates,
        estimator=estimator,
        n_samples=options.samples,
        n_fits=options.fits,
        random_state=options.seed or 0,
        on_candidate=lambda n, nats: note(f"{n} latent components: {nats:.6g} nats per row"),
    )


# Telling --------------------------------------------------------------------------------------------------


def _estimates(data: Path, n_rows: int, found: IntrinsicDimension) -> str:
    repeated = found.n_rows - found.n_distinct
    again = f" ({repeated:,} repeat others)" if repeated else ""
    of = "" if found.n_rows == n_rows else f" of {n_rows:,}"
    head = (
        f"intrinsic dimension of {data}, measured on {found.n_rows:,}{of} rows{again}, "
        f"{found.n_columns:,} columns as models see them"
    )
    rows = [(f"  {label}", f"{getattr(found, name):.4g}", what) for name, (label, what) in WORDS.items()]
    return f"{head}\n{aligned(rows)}"


def _diagnostics(curse: CurseReport) -> str:
    rows = [
        (
            f"  {number.name}",
            f"{number.value:.4g}{' ' if number.unit else ''}{number.unit}",
            f"{number.n_rows:,}",
        )
        for number in curse.numbers
    ]
    return aligned([("curse of dimensionality", "", "on rows"), *rows])


def _table(evidence: DimensionEvidence) -> str:
    head = (
        f"evidence: mean {evidence.measure}, in nats per row on {evidence.n_rows:,} held-out rows; learned "
        f"from {evidence.n_training_rows:,}, {evidence.n_samples:,} draws per row"
        f"{'' if evidence.n_fits == 1 else f', mean of {evidence.n_fits} fits'}"
    )
    rows = [("  latents", "nats ± std. error", "behind the best ± paired", "epochs", "seconds")]
    for row in evidence.table:
        chosen = "  <- chosen" if row.n_components == evidence.chosen else ""
        rows.append(
            (
                f"  {row.n_components}",
                plus_minus(row.nats, row.standard_error),
                plus_minus(row.behind, row.behind_error),
                str(row.n_epochs),
                f"{row.seconds:.1f}{chosen}",
            )
        )
    return f"{head}\n{aligned(rows)}"


def _write(
    options: DimensionOptions,
    found: IntrinsicDimension,
    curse: CurseReport,
    evidence: DimensionEvidence | None,
) -> None:
    from isthmus.store import json_bytes, open_output, write_file

    if options.output is not None and evidence is not None:
        from isthmus.plots import EvidenceDisplay, new_axes

        with open_output(options.output, overwrite=options.force) as file:
            display = EvidenceDisplay.from_evidence(evidence, ax=new_axes(5.2, 3.6))
            display.figure_.savefig(file, format="png", dpi=200)
        print(f"{options.output}: the evidence")
    if options.json is not None:
        numbers = {number.name: number._asdict() for number in curse.numbers}
        content = {
            "intrinsic_dimension": asdict(found),
            "curse": numbers,
            "evidence": None if evidence is None else evidence.as_dict(),
        }
        write_file(options.json, json_bytes(content), overwrite=options.force)
        print(f"{options.json}: all numbers")
