from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.plots.style import as_text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("age", "age"),
        ("a\nb", "a\\nb"),
        (3, "3"),
        ("sensor 17, temperature", "sensor …ure"),
        ("\ud800", "\\ud800"),
    ],
)
def test_names_are_printable_and_keep_both_ends(name: object, text: str) -> None:
    assert as_text(name, 11) == text


@given(st.text(st.characters(codec=None)))
def test_any_name_becomes_one_short_line(name: str) -> None:
    text = as_text(name, 20)
    assert text.isprintable()
    assert len(text) <= 20
    text.encode()
