"""``lab``: the claims of the lecture, checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from isthmus.cli.options import Force
from isthmus.cli.printing import aligned
from isthmus.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from isthmus.lab.claim import Claim, Limit, Number

__all__ = ["claim_names", "lab"]


def lab(
    names: Annotated[list[str] | None, Parameter(help="Claims to check; without any, all.")] = None,
    /,
    *,
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="Folder for a picture (PNG) and numbers (JSON) each.")
    ] = Path("lab"),
    force: Force = False,
) -> int:
    """Check claims of the lecture; the exit status is 1 if a number does not agree with it."""
    import importlib

    chosen = _chosen(names)
    _check_outputs(output, chosen, force)
    confirmed = True
    for name in chosen:
        claim = importlib.import_module(f"isthmus.lab.{name}").claim()
        confirmed &= claim.confirmed
        # Made late, so that what fails in between leaves no empty folder.
        output.mkdir(exist_ok=True)
        _show(claim, claim.write(output, overwrite=force))
    return 0 if confirmed else 1


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


def _check_outputs(output: Path, names: list[str], force: bool) -> None:
    from isthmus.store import check_output

    if output.is_dir():
        for name in names:
            for ending in ("png", "json"):
                check_output(output / f"{name}.{ending}", overwrite=force)
    elif output.exists() or not output.parent.is_dir():
        raise InputError(f"{output}: expected a folder, or a name for a new one in a folder that exists")


def _show(claim: Claim, paths: tuple[Path, ...]) -> None:
    verdict = "confirmed" if claim.confirmed else "NOT confirmed"
    print(f"{claim.name}: {verdict}. {claim.sentence}\nmeasured on {claim.measured_on}")
    rows: list[tuple[str, ...]] = [("", "claimed", "measured", "tolerance", "")]
    for name, number in claim.numbers.items():
        rows.append((f"  {name}", *_cells(number), "" if number.agrees else "DIFFERS"))
    print(f"{aligned(rows)}\n{' and '.join(map(str, paths))}\n", flush=True)


def _cells(number: Number | Limit) -> tuple[str, str, str]:
    """Return what is claimed, what was measured, and how far apart they may be."""
    unit = f" {number.unit}" if number.unit else ""
    measured = f"{number.measured:.4g}{unit}"
    from isthmus.lab.claim import Limit

    if isinstance(number, Limit):
        return f"{number.side} {number.limit:.4g}{unit}", measured, ""
    return f"{number.expected:.4g}{unit}", measured, f"{number.tolerance:.4g}{unit}"
