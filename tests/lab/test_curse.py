from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from isthmus.lab import curse


@pytest.fixture(scope="module")
def found() -> curse.Curse:
    return curse.measure()


def test_the_limit_of_concentration_is_that_of_a_simulation() -> None:
    rng = np.random.default_rng(5)
    distances = pdist(rng.uniform(size=(400, 300)))
    assert distances.std() / distances.mean() == pytest.approx(curse.concentration_limit(300), rel=0.03)


def test_every_number_agrees_and_few_bins_are_in_use(found: curse.Curse) -> None:
    numbers = curse._numbers(found)
    assert all(number.agrees for number in numbers.values()), numbers
    assert len(numbers) == 11
    # 1,000 points in 10^6 bins: at most one in a thousand holds one.
    assert 0.0009 < found.occupied[-1] <= 0.001
    assert found.occupied[0] == 1


def test_other_measurements_are_refused(found: curse.Curse) -> None:
    slow = replace(found.decay, rows_within=100.0 / found.decay.n_columns, factor=0.7)
    wrong = replace(
        found, occupied=found.occupied * 1.02, decay=slow, variation=np.full_like(found.variation, 0.5)
    )
    assert not any(number.agrees for number in curse._numbers(wrong).values())


def test_the_claim_has_its_picture(found: curse.Curse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curse, "measure", lambda: found)
    claim = curse.claim()
    assert claim.confirmed
    assert [len(axes.lines) for axes in claim.figure.axes] == [3, 2, 2]
