from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from isthmus.cli.lab import lab
from isthmus.errors import StoreError
from isthmus.lab import neuron
from isthmus.lab.claim import Claim, Limit, Number


def make(*numbers: Number | Limit) -> Claim:
    return Claim("test", "It holds.", "no rows", {str(i): n for i, n in enumerate(numbers)}, Figure())


RIGHT, WRONG = Number(1.0, 1.01, 0.01 + 1e-9), Number(1.0, 1.02, 0.01)


BELOW, ABOVE = Limit(2.0, 1.0, "at most", "nats"), Limit(2.0, 1.0, "at least")


@pytest.mark.parametrize(
    ("numbers", "confirmed"),
    [
        ([RIGHT], True),
        ([RIGHT, RIGHT], True),
        ([RIGHT, WRONG], False),
        ([], False),
        ([RIGHT, BELOW], True),
        ([RIGHT, ABOVE], False),
    ],
)
def test_a_claim_is_confirmed_when_all_numbers_agree(numbers: list[Number | Limit], confirmed: bool) -> None:
    assert make(*numbers).confirmed is confirmed


@pytest.mark.parametrize(
    ("measured", "most", "least"), [(1.0, True, False), (2.0, True, True), (3.0, False, True)]
)
def test_a_limit_has_a_side_and_may_be_reached(measured: float, most: bool, least: bool) -> None:
    assert Limit(2.0, measured, "at most").agrees is most
    assert Limit(2.0, measured, "at least").agrees is least


def test_not_a_number_agrees_with_nothing() -> None:
    assert not Number(1.0, math.nan, 0.1).agrees
    assert not Number(math.nan, math.nan, 0.1).agrees
    for limit, measured in ((1.0, math.nan), (math.nan, 1.0)):
        assert not Limit(limit, measured, "at most").agrees
        assert not Limit(limit, measured, "at least").agrees


def test_a_limit_is_written_with_its_side(tmp_path: Path) -> None:
    _, numbers = make(BELOW).write(tmp_path)
    assert json.loads(numbers.read_text())["numbers"]["0"] == {
        "limit": 2.0,
        "measured": 1.0,
        "side": "at most",
        "unit": "nats",
        "agrees": True,
    }


def test_the_command_prints_numbers_and_limits_in_one_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(neuron, "claim", lambda: make(RIGHT, BELOW, ABOVE))
    assert lab(["neuron"], output=tmp_path) == 1
    first, where, header, *rows = capsys.readouterr().out.splitlines()
    assert (first, where) == ("test: NOT confirmed. It holds.", "measured on no rows")
    assert header.split() == ["claimed", "measured", "tolerance"]
    assert [row.split() for row in rows[:3]] == [
        ["0", "1", "1.01", "0.01"],
        ["1", "at", "most", "2", "nats", "1", "nats"],
        ["2", "at", "least", "2", "1", "DIFFERS"],
    ]
    # Cells stand under their headings.
    assert rows[1].index("1 nats") == header.index("measured")
    monkeypatch.setattr(neuron, "claim", lambda: make(RIGHT, BELOW))
    assert lab(["neuron"], output=tmp_path, force=True) == 0


def test_it_is_written_whole_and_reproducibly(tmp_path: Path) -> None:
    picture, numbers = make(RIGHT, WRONG).write(tmp_path)
    assert (picture.name, numbers.name) == ("test.png", "test.json")
    assert picture.read_bytes().startswith(b"\x89PNG")
    read = json.loads(numbers.read_text())
    assert read["confirmed"] is False
    assert read["numbers"]["0"] == {
        "expected": 1.0,
        "measured": 1.01,
        "tolerance": RIGHT.tolerance,
        "unit": "",
        "agrees": True,
    }
    before = picture.read_bytes()
    with pytest.raises(StoreError, match="--force"):
        make(RIGHT).write(tmp_path)
    make(RIGHT).write(tmp_path, overwrite=True)
    assert picture.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.json", "test.png"]
