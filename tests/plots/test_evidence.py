from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from isthmus.errors import InputError
from isthmus.plots import EvidenceDisplay, new_axes
from isthmus.tasks.evidence import DimensionEvidence, compare


def evidence() -> DimensionEvidence:
    scores = np.stack([np.full(100, -9.0), np.array([1.0, -1.0] * 50) - 0.05, np.zeros(100)])
    scores += np.linspace(-3, 3, 100)  # rows differ by more than candidates do, which no bar shows
    table, chosen, best = compare([1, 2, 4], scores[:, None], [1] * 3, [1.0] * 3)
    return DimensionEvidence(table, chosen, best, 100, 400, 50, "log p(x)")


def test_the_nats_their_errors_and_the_choice_are_drawn() -> None:
    display = EvidenceDisplay.from_evidence(evidence(), ax=new_axes())
    line, _, (bars,) = display.errorbar_.lines
    assert_allclose(line.get_xydata(), [[1, -9], [2, -0.05], [4, 0]], atol=1e-12)
    heights = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
    error = np.sqrt(1 / 99)
    assert_allclose(heights, [0, 2 * error, 0], atol=1e-12)
    assert_allclose(display.chosen_.get_xydata(), [[2, -0.05]], atol=1e-12)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "chosen: 2" in labels
    assert display.ax_.get_xlabel() == "n_components, 100 held-out rows"
    assert "nats per row" in display.ax_.get_ylabel()
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["1", "2", "4"]


def test_candidates_far_behind_leave_the_frame_and_are_told() -> None:
    errors = [5.0, 0.1, 0.1, 0.0, 0.1]
    near = EvidenceDisplay(
        n_components=[1, 2, 3, 4, 5], nats=[-3.0, -2, -1.9, -1.8, -1.9], standard_error=errors, chosen=3
    ).plot(new_axes())
    assert near.ax_.get_ylim()[0] < -3
    assert not near.ax_.texts
    errors[0] = 0.2
    far = EvidenceDisplay(
        n_components=[1, 2, 3, 4, 5], nats=[-500.0, -2, -1.9, -1.8, -1.9], standard_error=errors, chosen=3
    ).plot(new_axes())
    low, high = far.ax_.get_ylim()
    assert -10 < low < -2 < -1.8 < high
    assert "-500" in far.ax_.texts[0].get_text()


def test_one_candidate_is_a_picture_too() -> None:
    display = EvidenceDisplay(n_components=[3], nats=[1.0], standard_error=[0.0], chosen=3).plot(new_axes())
    low, high = display.ax_.get_ylim()
    assert low < 1 < high


def test_pyplot_learns_of_a_figure_only_without_axes() -> None:
    before = plt.get_fignums()
    EvidenceDisplay.from_evidence(evidence(), ax=new_axes())
    assert plt.get_fignums() == before
    display = EvidenceDisplay.from_evidence(evidence())
    assert plt.gcf() is display.figure_
    plt.close(display.figure_)


@pytest.mark.parametrize(
    ("chosen", "nats", "message"), [(9, [1.0, 2.0], "chosen is 9"), (1, [1.0], "one number of each")]
)
def test_what_it_cannot_draw_is_refused(chosen: int, nats: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EvidenceDisplay(n_components=[1, 2], nats=nats, standard_error=[0.0, 0.0], chosen=chosen)
