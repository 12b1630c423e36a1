from __future__ import annotations

import importlib
import math
from dataclasses import replace

import pytest

from isthmus.lab.claim import Claim, Limit

NAMES = ("adversarial", "conditional", "denoising_vae", "latent_scatter", "reproduction")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_claim_is_confirmed_and_every_number_of_it_can_fail(name: str) -> None:
    claim: Claim = importlib.import_module(f"isthmus.lab.{name}").claim()
    assert claim.name == name
    assert claim.confirmed, claim.numbers
    for key, number in claim.numbers.items():
        wrong = math.inf if not isinstance(number, Limit) or number.side == "at most" else -math.inf
        broken = replace(claim, numbers={**claim.numbers, key: replace(number, measured=wrong)})
        assert not broken.confirmed, key
