"""``lab``: the claims of the lecture, checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from isthmus.cli.options import Force
from isthmus.cli.printing import aligned
from isthmus.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from isthmus.lab.claim import Claim
    from isthmus.report.claims import Checked

__all__ = ["claim_names", "lab"]


def lab(
    names: Annotated[list[str] | None, Parameter(help="Claims to check; without any, all.")] = None,
    /,
    *,
    every: Annotated[
        bool,
        Parameter(
            name="--all", help="Check all, and write a page about them (index.html).", show_default=False
        ),
    ] = False,
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="Folder for a picture (PNG) and numbers (JSON) each.")
    ] = Path("lab"),
    force: Force = False,
) -> int:
    """Check claims of the lecture; the exit status is 1 if a number differs or cannot be measured.

    All claims come with a page, index.html, that is written anew after each of them: should the run be
    interrupted, it tells of those checked so far.
    """
    if names and every:
        raise InputError(f"--all checks all claims; leave it out to check only {', '.join(names)}")
    chosen, page = _chosen(names), not names
    _check_outputs(output, chosen, page, force)
    checked: list[Checked] = []
    for position, name in enumerate(chosen, start=1):
        checked.append(_check(name, output, force))
        if page:
            _write_page(output, checked, chosen[position:])
    return 0 if all(entry.confirmed for entry in checked) else 1


def claim_names() -> list[str]:
    """Return the names of all claims: the modules beside `isthmus.lab.claim`."""
    import pkgutil

    import isthmus.lab

    names = [module.name for module in pkgutil.iter_modules(isthmus.lab.__path__)]
    return sorted(name for name in names if name != "claim" and not name.startswith("_"))


def _chosen(names: list[str] | None) -> list[str]:
    known = claim_names()
    for name in names or ():
        if name not in known:
            raise InputError(
                f'no claim is called "{name}"; there are: {", ".join(known)}.{did_you_mean(name, known)}'
            )
    return list(dict.fromkeys(names or known))


def _check_outputs(output: Path, names: list[str], page: bool, force: bool) -> None:
    from isthmus.report.claims import CLAIMS_PAGE
    from isthmus.store import check_output

    if output.is_dir():
        for file in (*(f"{name}.{end}" for name in names for end in ("png", "json")), *[CLAIMS_PAGE] * page):
            check_output(output / file, overwrite=force)
    elif output.exists() or not output.parent.is_dir():
        raise InputError(f"{output}: expected a folder, or a name for a new one in a folder that exists")


def _check(name: str, output: Path, force: bool) -> Checked:
    """Measure a claim, print it and write its files; what fails in it is told, and the next ones go on."""
    import importlib
    import time

    from isthmus.report.claims import Checked

    start = time.perf_counter()
    try:
        claim: Claim = importlib.import_module(f"isthmus.lab.{name}").claim()
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        print(f"{name}: FAILED. {failure}\n", flush=True)
        return Checked(name=name, seconds=time.perf_counter() - start, failure=failure)
    seconds = time.perf_counter() - start
    # Made late, so that what fails in between leaves no empty folder.
    output.mkdir(exist_ok=True)
    paths = claim.write(output, overwrite=force)
    checked = Checked(name=name, seconds=seconds, claim=claim, png=paths[0].read_bytes())
    _show(checked, claim, paths)
    return checked


def _write_page(output: Path, checked: list[Checked], waiting: list[str]) -> None:
    from isthmus.report.claims import CLAIMS_PAGE, write_claims

    output.mkdir(exist_ok=True)
    # Whether there is an old one to keep was checked at the start.
    write_claims(output / CLAIMS_PAGE, checked, waiting, overwrite=True)
    if not waiting:
        print(output / CLAIMS_PAGE)


def _show(checked: Checked, claim: Claim, paths: tuple[Path, ...]) -> None:
    from isthmus.report.claims import claim_cells

    print(f"{claim.name}: {checked.verdict}. {claim.sentence}\nmeasured on {claim.measured_on}")
    rows: list[tuple[str, ...]] = [("", "claimed", "measured", "tolerance", "")]
    for name, number in claim.numbers.items():
        rows.append((f"  {name}", *claim_cells(number), "" if number.agrees else "DIFFERS"))
    print(f"{aligned(rows)}\n{' and '.join(map(str, paths))}, in {checked.time}\n", flush=True)
