from __future__ import annotations

import numpy as np
import pytest
import torch

from isthmus.estimators import ContractiveAutoencoder
from isthmus.lab import contractive


@pytest.fixture(scope="module")
def model() -> ContractiveAutoencoder:
    X = np.random.default_rng(0).normal(size=(60, 3)) * [1.0, 5.0, 0.5]
    return ContractiveAutoencoder(4, hidden_sizes=(), max_epochs=20, random_state=0).fit(X)


ROWS = np.random.default_rng(1).normal(size=(20, 3)) * [1.0, 5.0, 0.5]


def test_the_penalty_is_that_of_the_jacobian_by_data_units(model: ContractiveAutoencoder) -> None:
    rows = torch.from_numpy(ROWS)
    jacobian = torch.autograd.functional.jacobian(model.encode_tensor, rows)  # (20, 4, 20, 3)
    expected = [float(jacobian[i, :, i].square().sum()) for i in range(len(rows))]
    assert contractive.analytic_penalty(model, ROWS) == pytest.approx(expected, rel=1e-4)
    assert contractive.formula_penalty(model, ROWS) == pytest.approx(expected, rel=1e-4)


def test_a_little_noise_moves_codes_by_the_penalty_and_much_by_less(model: ContractiveAutoencoder) -> None:
    small, large = contractive.stochastic_penalty(model, ROWS, (0.02, 20.0), n_draws=2000)
    expected = contractive.analytic_penalty(model, ROWS).mean()
    assert small == pytest.approx(expected, rel=0.05)
    # A code of four sigmoids cannot move further than 2.
    assert large < 4 / 20**2


def test_the_order_of_a_power() -> None:
    s = np.array([0.4, 0.2, 0.1])
    for power in (1, 2, 3):
        assert contractive.order_of(1 - 5 * s**power) == pytest.approx(power)


def test_what_is_measured_of_a_model(model: ContractiveAutoencoder) -> None:
    found = contractive.measure(model, ROWS)
    assert found.norms.shape == (20,)
    assert found.code_variance == pytest.approx(model.transform(ROWS).var(axis=0).sum(), rel=1e-5)
    assert found.relative == pytest.approx(found.norms.mean() / found.code_variance)
    assert found.squared_error == pytest.approx(np.mean((model.reconstruct(ROWS) - ROWS) ** 2))


def test_the_claim_fails_where_the_numbers_are_others() -> None:
    ratios = 1.02 - np.array(contractive.SCALES)  # off, and in the first power of s
    little = contractive.Contraction(np.ones(3), code_variance=1.0, squared_error=0.0)
    much = contractive.Contraction(2 * np.ones(3), code_variance=1.0, squared_error=0.0)
    numbers = contractive._numbers(ratios, np.array([2.0, 2.0, 2.001]), much, little)
    assert not any(number.agrees for number in numbers.values())


@pytest.mark.slow
def test_noise_tends_to_the_penalty_and_the_penalty_contracts() -> None:
    claim = contractive.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 5
