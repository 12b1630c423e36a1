from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import sem

from isthmus.manifold.quality import mean_figure


def test_it_is_the_mean_with_its_standard_error() -> None:
    rows = np.random.default_rng(0).normal(size=9)
    assert mean_figure(rows) == pytest.approx((rows.mean(), sem(rows)))
    assert mean_figure(np.array([1.0, 3.0])) == (2, 1)


def test_one_row_has_no_standard_error() -> None:
    value, error = mean_figure(np.array([5.0]))
    assert value == 5
    assert np.isnan(error)
