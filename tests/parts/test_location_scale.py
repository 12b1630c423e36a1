from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from isthmus.parts import (
    ColumnFacts,
    Gaussian,
    Laplace,
    Likelihood,
    StudentT,
)
from isthmus.parts.densities.location_scale import LocationScale

MakeFacts = Callable[..., ColumnFacts]
KINDS = [Gaussian, Laplace, StudentT]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().numpy()


def oracle(likelihood: Likelihood, x: Any, location: Any, scale: Any) -> Any:
    match likelihood:
        case Gaussian():
            return stats.norm.logpdf(x, location, scale)
        case Laplace():
            return stats.laplace.logpdf(x, location, scale)
        case StudentT():
            return stats.t.logpdf(x, likelihood.df, location, scale)
    raise AssertionError


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    "likelihood", [Gaussian(1.7), Laplace(1.7), StudentT(3.0, 1.7), StudentT(0.8, 1.7)], ids=str
)
def test_a_fixed_scale_is_scipys_in_data_units(likelihood: Likelihood, make_facts: MakeFacts) -> None:
    sd, centre = np.array([0.5, 1.0, 40.0]), np.array([3.0, -1.0, 1e3])
    density = likelihood.build(make_facts(unit=sd, log_jacobian=-np.log(sd), mean=0))
    values, outputs = random(50, 3), random(50, 3, seed=1)
    expected = oracle(likelihood, array(values) * sd + centre, array(outputs) * sd + centre, 1.7)
    np.testing.assert_allclose(array(density.log_prob(outputs, values)), expected, rtol=1e-9)
    assert not list(density.parameters())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", ["shared", "per_feature", 1.7])
def test_in_float32_to_five_digits(kind: type[Likelihood], scale: float | str, make_facts: MakeFacts) -> None:
    sd = np.array([0.5, 1.0, 40.0])
    likelihood = kind(scale=scale)  # type: ignore[call-arg]
    density = likelihood.build(make_facts(unit=sd, log_jacobian=-np.log(sd)))
    assert isinstance(density, LocationScale)
    values, outputs = random(50, 3), random(50, 3, seed=1)
    in_data = array(density.scale()) * sd
    expected = oracle(likelihood, array(values) * sd, array(outputs) * sd, in_data)
    np.testing.assert_allclose(array(density.log_prob(outputs, values)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", ["shared", "per_feature"])
def test_a_learned_scale_starts_at_the_training_sd(
    kind: type[Likelihood], scale: str, make_facts: MakeFacts
) -> None:
    sd = np.array([0.5, 1.0, 40.0])
    density = kind(scale=scale).build(make_facts(unit=sd))  # type: ignore[call-arg]
    assert isinstance(density, LocationScale)
    draws = {"Gaussian": stats.norm, "Laplace": stats.laplace, "StudentT": stats.t(4.0)}[kind.__name__]
    start = array(density.scale()) * sd * draws.std()
    np.testing.assert_allclose(start, np.sqrt(np.mean(sd**2)) if scale == "shared" else sd, rtol=1e-5)
    assert [tuple(p.shape) for p in density.parameters()] == [() if scale == "shared" else (3,)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", ["shared", "per_feature", 2.0])
def test_densities_of_x_and_of_1000_x_differ_by_log_1000_per_column(
    kind: type[Likelihood], scale: float | str, make_facts: MakeFacts
) -> None:
    sd, resolution = np.array([0.5, 1.0, 40.0]), np.array([0.0, 0.1, 0.01])
    small = kind(scale=scale).build(  # type: ignore[call-arg]
        make_facts(unit=sd, log_jacobian=-np.log(sd), resolution=resolution)
    )
    more = 1000 * scale if isinstance(scale, float) else scale
    large = kind(scale=more).build(  # type: ignore[call-arg]
        make_facts(unit=1000 * sd, log_jacobian=-np.log(1000 * sd), resolution=resolution)
    )
    values, outputs = random(50, 3), random(50, 3, seed=1)
    difference = small.log_prob(outputs, values) - large.log_prob(outputs, values)
    torch.testing.assert_close(difference, torch.full((50, 3), math.log(1000)), rtol=1e-5, atol=1e-5)
    for a, b in zip(small.parameters(), large.parameters(), strict=True):
        torch.testing.assert_close(a, b)  # the same numbers are learned


def test_a_shared_scale_is_one_number_in_data_units(make_facts: MakeFacts) -> None:
    sd = np.array([0.5, 1.0, 40.0])
    density = Gaussian().build(make_facts(unit=sd))
    assert isinstance(density, LocationScale)
    in_data = array(density.scale()) * sd
    np.testing.assert_allclose(in_data, in_data[0], rtol=1e-6)
    # So its gradient in the outputs is that of the squared error in data units.
    outputs = random(10, 3).requires_grad_()
    density.log_prob(outputs, torch.zeros(10, 3)).sum().backward()
    assert outputs.grad is not None
    of_squares = -array(outputs) * sd**2
    np.testing.assert_allclose(array(outputs.grad) / of_squares, 1 / in_data[0] ** 2, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_no_scale_falls_below_the_error_of_rounding(kind: type[Likelihood], make_facts: MakeFacts) -> None:
    sd, resolution = np.array([0.5, 1.0, 40.0]), np.array([0.0, 0.1, 0.01])
    floor = np.maximum(resolution / math.sqrt(12), 1e-4)  # standard deviations, in value units
    facts = make_facts(unit=sd, resolution=resolution)
    draws = {"Gaussian": stats.norm, "Laplace": stats.laplace, "StudentT": stats.t(4.0)}[kind.__name__]
    for scale, least in [("per_feature", floor * sd), ("shared", np.min(floor * sd))]:
        density = kind(scale=scale).build(facts)  # type: ignore[call-arg]
        assert isinstance(density, LocationScale)
        with torch.no_grad():
            for parameter in density.parameters():
                parameter.fill_(-100.0)
        np.testing.assert_allclose(array(density.scale()) * sd * draws.std(), least, rtol=1e-5)


def test_a_scale_that_starts_at_its_floor_can_still_be_learned(make_facts: MakeFacts) -> None:
    density = Gaussian("per_feature").build(make_facts(resolution=[20.0, 3.5, 0.0]))
    density.log_prob(torch.full((4, 3), 50.0), torch.zeros(4, 3)).sum().backward()
    (parameter,) = density.parameters()
    assert parameter.grad is not None
    assert torch.isfinite(parameter).all()
    assert (parameter.grad > 0).all()


def test_the_scale_learns_the_errors_sd(make_facts: MakeFacts) -> None:
    density = Gaussian("per_feature").build(make_facts(2))
    assert isinstance(density, LocationScale)
    values = random(2000, 2) * torch.tensor([0.1, 3.0])
    optimizer = torch.optim.LBFGS(density.parameters(), max_iter=50)

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = -density.log_prob(torch.zeros(1, 2), values).mean()
        total.backward()
        return total

    optimizer.step(loss)
    torch.testing.assert_close(density.scale(), values.square().mean(0).sqrt(), rtol=1e-3, atol=0)
