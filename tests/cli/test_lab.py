"""The claims of the lecture on the command line: some, all, and a page about them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure

from isthmus.cli import lab as command
from isthmus.lab.claim import Claim, Number

from .conftest import call, names


def holds(name: str, measured: float = 1.0) -> Callable[[], Claim]:
    return lambda: Claim(name, f"What {name} says.", "no rows", {"one": Number(1.0, measured, 0.1)}, Figure())


def breaks(error: BaseException) -> Callable[[], Claim]:
    def claim() -> Claim:
        raise error

    return claim


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what puts claims in the place of the lecture's."""

    def put(**given: Callable[[], Claim]) -> None:
        monkeypatch.setattr(command, "claim_names", lambda: list(given))
        for name, claim in given.items():
            monkeypatch.setitem(sys.modules, f"isthmus.lab.{name}", SimpleNamespace(claim=claim))

    return put


def read(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["--all"], []])
def test_all_claims_come_with_a_page(claims: Callable[..., None], tmp_path: Path, words: list[str]) -> None:
    claims(first=holds("first"), second=holds("second"))
    done = call("lab", *words, "-o", tmp_path / "out")
    assert (done.status, done.err) == (0, "")
    assert names(tmp_path / "out") == [
        "first.json",
        "first.png",
        "index.html",
        "second.json",
        "second.png",
    ]
    page = read(tmp_path / "out")
    assert page.index("What first says.") < page.index("What second says.")
    assert "2 of 2" in page
    assert str(tmp_path / "out" / "index.html") in done.out
    assert call("lab", *words, "-o", tmp_path / "out").status == 2
    assert call("lab", *words, "-o", tmp_path / "out", "--force").status == 0


def test_a_page_that_exists_is_refused_before_any_claim(claims: Callable[..., None], tmp_path: Path) -> None:
    claims(first=breaks(AssertionError("it was run")))
    (tmp_path / "index.html").write_text("mine")
    done = call("lab", "--all", "-o", tmp_path)
    assert done.status == 2
    assert 'index.html" exists' in done.err
    assert read(tmp_path) == "mine"


def test_a_number_that_differs_is_the_exit_status(claims: Callable[..., None], tmp_path: Path) -> None:
    claims(first=holds("first", 2.0), second=holds("second"))
    done = call("lab", "--all", "-o", tmp_path)
    assert done.status == 1
    assert "DIFFERS" in done.out
    assert "DIFFERS" in read(tmp_path)
    assert call("lab", "second", "-o", tmp_path, "--force").status == 0


def test_a_claim_that_raises_is_told_and_others_go_on(claims: Callable[..., None], tmp_path: Path) -> None:
    claims(first=breaks(ZeroDivisionError("nothing <to> share")), second=holds("second"))
    done = call("lab", "--all", "-o", tmp_path)
    assert (done.status, done.err) == (1, "")
    told = "ZeroDivisionError: nothing <to> share"
    assert f"first: FAILED. {told}" in done.out
    assert told.replace("<", "&lt;").replace(">", "&gt;") in read(tmp_path)
    assert "What second says." in read(tmp_path)
    assert names(tmp_path) == ["index.html", "second.json", "second.png"]


def test_an_interrupted_run_leaves_a_page_of_those_done(claims: Callable[..., None], tmp_path: Path) -> None:
    claims(first=holds("first"), second=breaks(KeyboardInterrupt()), third=holds("third"))
    done = call("lab", "--all", "-o", tmp_path)
    assert (done.status, done.err) == (130, "isthmus: error: interrupted\n")
    page = read(tmp_path)
    assert "What first says." in page
    assert "Not checked yet, or the run was interrupted before: second, third." in page


def test_a_measure_that_is_no_number_differs_and_is_written(
    claims: Callable[..., None], tmp_path: Path
) -> None:
    claims(first=holds("first", math.nan))
    assert call("lab", "first", "-o", tmp_path).status == 1
    assert json.loads((tmp_path / "first.json").read_text())["numbers"]["one"]["measured"] is None
    assert names(tmp_path) == ["first.json", "first.png"]


def test_names_and_all_are_refused_together(tmp_path: Path) -> None:
    done = call("lab", "neuron", "--all", "-o", tmp_path)
    assert done.status == 2
    assert "--all checks all claims; leave it out to check only neuron" in done.err


def test_the_claims_of_the_lecture_have_their_modules() -> None:
    found = command.claim_names()
    assert {"curse", "images_of_noise", "midpoint", "neighbors", "swiss_roll"} <= set(found)
    assert "claim" not in found
