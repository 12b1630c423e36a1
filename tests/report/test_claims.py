from __future__ import annotations

import base64
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from isthmus.errors import StoreError
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.report.claims import Checked, claim_cells, duration, render_claims, write_claims

PNG = b"\x89PNG not really"


class Words(HTMLParser):
    """Keeps what is to be read, and the addresses that a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.links, self.names = "", list[str](), set[str]()
        self.feed(text)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.names |= {value or "" for name, value in attrs if name == "id"}

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def made(name: str, *numbers: Number | Limit, sentence: str = "It holds.") -> Checked:
    claim = Claim(name, sentence, "ten rows", {f"number {i}": n for i, n in enumerate(numbers)}, Figure())
    return Checked(name=name, seconds=75.2, claim=claim, png=PNG)


RIGHT, WRONG = made("right", Number(96329, 96329, 0)), made("wrong", Number(0.5, 0.7, 0.1, "nats"))
FAILED = Checked(name="broken", seconds=0.26, failure="ValueError: no <rows> here")


def test_a_claim_is_shown_with_sentence_picture_numbers_verdict_and_time() -> None:
    page = Words(render_claims([RIGHT, WRONG]))
    assert "right : confirmed It holds." in page.text.replace(":", " :").replace("  ", " ")
    assert "number 0 96,329 96,329 ± 0 agrees" in page.text
    assert "wrong: NOT confirmed" in page.text
    assert "number 0 0.7 nats 0.5 nats ± 0.1 nats DIFFERS" in page.text
    assert "Measured on ten rows." in page.text
    assert page.text.count("1 min 15 s") == 4  # of each claim in the list and in its section
    assert "2 min 30 s on this machine" in page.text
    assert "1 of 2 claims confirmed" in page.text
    assert "1 of 2 numbers agree" in page.text
    assert "Not finished" not in page.text


def test_the_page_needs_no_other_file() -> None:
    page = Words(render_claims([RIGHT, WRONG, FAILED]))
    pictures = [link for link in page.links if link.startswith("data:image/png;base64,")]
    assert [base64.b64decode(link.partition(",")[2]) for link in pictures] == [PNG, PNG]
    others = [link for link in page.links if link not in pictures]
    assert others == ["#right", "#wrong", "#broken"]
    assert {link[1:] for link in others} <= page.names


def test_a_claim_that_failed_is_told_in_words() -> None:
    text = render_claims([FAILED, RIGHT])
    page = Words(text)
    assert "broken: FAILED It failed. ValueError: no <rows> here" in page.text
    assert "no <rows>" not in text
    assert "1 of 2 claims confirmed" in page.text
    assert "1 could not be measured" in page.text
    assert "0.3 s" in page.text


def test_what_was_not_checked_yet_is_named() -> None:
    page = Words(render_claims([RIGHT], ["later", "last"]))
    assert "Not finished. Not checked yet, or the run was interrupted before: later, last." in page.text


def test_a_claim_without_numbers_is_not_confirmed_and_texts_are_escaped() -> None:
    text = render_claims([made("empty", sentence='a < b & "c"')])
    assert "NOT confirmed" in text
    assert 'alt="Picture of the claim. a &lt; b &amp; &#34;c&#34;"' in text
    assert re.search(r"<p>a &lt; b &amp; ", text)


def test_it_is_written_whole_and_replaced_only_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    write_claims(path, [RIGHT])
    assert path.read_text(encoding="utf-8") == render_claims([RIGHT])
    with pytest.raises(StoreError, match="--force"):
        write_claims(path, [WRONG])
    write_claims(path, [WRONG], ["later"], overwrite=True)
    assert path.read_text(encoding="utf-8") == render_claims([WRONG], ["later"])


@pytest.mark.parametrize(
    ("number", "cells"),
    [
        (Number(1.0, 1.01, 0.01), ("1", "1.01", "0.01")),
        (Number(96329, 96329.6, 0), ("96,329", "9.633e+04", "0")),
        (Limit(0.98, 0.123456, "at least", "nats"), ("at least 0.98 nats", "0.1235 nats", "")),
        (Number(0.0, math.nan, 1e-6), ("0", "nan", "1e-06")),
        (Limit(1e12, math.inf, "at most"), ("at most 1e+12", "inf", "")),
    ],
)
def test_figures_have_four_digits_and_whole_numbers_all(
    number: Number | Limit, cells: tuple[str, str, str]
) -> None:
    assert claim_cells(number) == cells


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
