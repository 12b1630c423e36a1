from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from isthmus.errors import StoreError
from isthmus.lab.claim import Claim, Number


def make(*numbers: Number) -> Claim:
    return Claim("test", "It holds.", "no rows", {str(i): n for i, n in enumerate(numbers)}, Figure())


RIGHT, WRONG = Number(1.0, 1.01, 0.01 + 1e-9), Number(1.0, 1.02, 0.01)


@pytest.mark.parametrize(
    ("numbers", "confirmed"),
    [([RIGHT], True), ([RIGHT, RIGHT], True), ([RIGHT, WRONG], False), ([], False)],
)
def test_a_claim_is_confirmed_when_all_numbers_agree(numbers: list[Number], confirmed: bool) -> None:
    assert make(*numbers).confirmed is confirmed


def test_not_a_number_agrees_with_nothing() -> None:
    assert not Number(1.0, math.nan, 0.1).agrees
    assert not Number(math.nan, math.nan, 0.1).agrees


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
