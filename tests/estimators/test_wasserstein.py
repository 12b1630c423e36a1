from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from isthmus.errors import InputError
from isthmus.estimators import VariationalAutoencoder, WassersteinAutoencoder
from isthmus.parts.terms.discrepancy import squared_discrepancy

SHORT = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}
TERMS = ("maximum_mean_discrepancy:weight=100",)


def discrepancy(model: WassersteinAutoencoder, rows: np.ndarray) -> float:
    codes, draws = model.transform(rows), model.sample_codes(len(rows), random_state=1)
    return float(squared_discrepancy(torch.from_numpy(codes), torch.from_numpy(draws), "gaussian", 1.0))


@pytest.mark.parametrize("prior", ["swiss_roll", "gaussian_mixture:layout=ring,n_clusters=4"])
def test_codes_follow_the_prior_as_the_weight_grows(rows: np.ndarray, prior: str) -> None:
    found = []
    for weight in (0, 1, 300):
        model = WassersteinAutoencoder(
            2,
            prior=prior,
            discrepancy=f"maximum_mean_discrepancy:weight={weight}",
            hidden_sizes=(32,),
            max_epochs=60,
            random_state=0,
        ).fit(rows)
        found.append(discrepancy(model, rows))
    assert found[2] < found[1] < found[0]
    assert found[2] < 0.25 * found[0]


def test_the_history_shows_the_discrepancy(rows: np.ndarray) -> None:
    model = WassersteinAutoencoder(
        2, discrepancy="maximum_mean_discrepancy:weight=7,kernel=gaussian", **SHORT
    )
    last = model.fit(rows).history_[-1]
    assert last["loss"] == pytest.approx(last["negative_log_likelihood"] + last["maximum_mean_discrepancy"])
    assert "validation_maximum_mean_discrepancy" in last
    assert model.set_params(discrepancy__weight=0.0).fit(rows).history_[-1]["maximum_mean_discrepancy"] == 0


def test_codes_may_be_drawn(rows: np.ndarray) -> None:
    model = WassersteinAutoencoder(2, posterior="diagonal_gaussian", **SHORT).fit(rows)
    assert model.model_.code.stochastic
    _, errors = model.score_samples(rows, return_std_error=True)  # a density, since both parts have one
    assert (errors > 0).all()


@pytest.mark.parametrize("estimator", [WassersteinAutoencoder(2), VariationalAutoencoder(2, terms=TERMS)])
def test_batches_without_a_weighted_row_are_learned_from(rows: np.ndarray, estimator: Any) -> None:
    weight = np.zeros(len(rows))
    weight[:5] = 1
    estimator.set_params(**SHORT | {"max_epochs": 10, "batch_size": 10, "validation_fraction": 0.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of steps that were left out
        estimator.fit(rows, sample_weight=weight)
    assert estimator.n_iter_ == 10


def test_the_discrepancy_may_be_any_term_that_compares_with_a_prior(rows: np.ndarray) -> None:
    settings: dict[str, Any] = SHORT | {"discrepancy": "maximum_mean_discrepancy:wieght=1"}
    with pytest.raises(InputError, match='Did you mean "weight"'):
        WassersteinAutoencoder(2, **settings).fit(rows)
    with pytest.raises(InputError, match="posterior"):
        WassersteinAutoencoder(4, posterior="vector_quantized", prior="autoregressive", **SHORT).fit(rows)
