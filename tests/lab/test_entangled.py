from __future__ import annotations

import numpy as np
import pytest

from isthmus.lab import entangled
from isthmus.lab.entangled import PLAIN, SETTINGS, STRONG, TC, Told
from isthmus.manifold.mutual_information_gap import InformationGap


def test_squares_lie_where_their_factors_say() -> None:
    squares = entangled.draw_squares(200)
    images = squares.images.reshape(-1, 16, 16)
    across, down, half = squares.factors.T
    middle = np.arange(16) + 0.5
    area = images.sum(axis=(1, 2))
    # All ink is inside: the area and the centre of mass are exact for pixels covered in part too.
    assert area == pytest.approx((2 * half) ** 2)
    assert images.max() <= 1
    for centre, axis in ((across, 1), (down, 2)):
        line = images.sum(axis=axis)
        assert (line * middle).sum(axis=1) / area == pytest.approx(centre, abs=0.1)


def test_squares_are_drawn_by_the_seed_and_their_factors_are_independent() -> None:
    one, other = entangled.draw_squares(5000), entangled.draw_squares(5000, random_state=1)
    assert np.array_equal(one.images, entangled.draw_squares(5000).images)
    assert not np.array_equal(one.images, other.images)
    assert np.corrcoef(one.factors.T) == pytest.approx(np.eye(3), abs=0.05)


def test_a_fitted_model_is_measured_on_other_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "max_epochs", 1)
    train, test = entangled.draw_squares(300), entangled.draw_squares(400, random_state=1)
    found = entangled.measure(entangled.METHODS[TC](0), train, test)
    assert found.gap.information.shape == found.turned.information.shape == (6, 3)
    assert not np.allclose(found.gap.information, found.turned.information)
    assert found.error > 0


def test_every_number_fails_where_gaps_are_others() -> None:
    def told(gap: float, turned: float, error: float) -> list[Told]:
        none = np.zeros((6, 3))
        return [Told(*(InformationGap(g, none[0], none) for g in (gap, turned)), error)]

    fine = {PLAIN: told(0.1, 0.1, 1), STRONG: told(0.3, 0.1, 2), TC: told(0.5, 0.1, 1.5)}
    assert all(number.agrees for number in entangled._numbers(fine).values())
    wrong = {PLAIN: told(0.9, 0.9, 1), STRONG: told(0.9, 0.9, 1), TC: told(0.9, 0.9, 1.1)}
    assert not any(number.agrees for number in entangled._numbers(wrong).values())


@pytest.mark.slow
def test_the_claim_is_confirmed() -> None:
    claim = entangled.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 8
