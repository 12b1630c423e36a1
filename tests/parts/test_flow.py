from __future__ import annotations

import pytest
import torch
from torch import Tensor

from isthmus.parts.priors.flow import LARGEST_LOG_SCALE, FlowPrior
from isthmus.parts.priors.normal import normal_log_prob


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bent(n_components: int, n_layers: int = 6, by: float = 0.3) -> FlowPrior:
    """Return a flow whose weights are not where they start."""
    torch.manual_seed(0)
    prior = FlowPrior(n_components, n_layers, 16)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.add_(by * torch.randn_like(parameter))
    return prior


@pytest.mark.parametrize("n_layers", [1, 2, 5])
def test_it_starts_as_the_standard_normal(n_layers: int) -> None:
    prior = FlowPrior(5, n_layers, 16)
    assert len(prior.layers) == n_layers
    z = random(10, 5)
    torch.testing.assert_close(prior.from_noise(z), z)
    torch.testing.assert_close(prior.log_prob(z), normal_log_prob(z))


def test_it_learns_from_there() -> None:
    prior = FlowPrior(5, 4, 16)
    prior.log_prob(random(10, 5)).sum().backward()
    for layer in prior._layers():
        gradient = layer.network[-1].weight.grad
        assert isinstance(gradient, Tensor)
        assert gradient.abs().max() > 0


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("n_components", [2, 3, 8])
def test_what_it_does_can_be_undone(n_components: int) -> None:
    prior, noise = bent(n_components), random(50, n_components)
    z = prior.from_noise(noise)
    assert (z - noise).abs().mean() > 0.1
    torch.testing.assert_close(prior.to_noise(z)[0], noise)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("n_components", [2, 3, 8])
def test_the_volume_is_that_of_the_jacobian(n_components: int) -> None:
    prior, z = bent(n_components), random(4, n_components)
    _, log_volume = prior.to_noise(z)
    assert log_volume.abs().min() > 0.01
    for row, found in zip(z, log_volume, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda x: prior.to_noise(x[None])[0][0], row)
        torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, found)


def test_two_layers_move_every_component() -> None:
    for n_components in (2, 3, 8):
        prior, z = bent(n_components, n_layers=2), random(4, n_components)
        assert ((prior.to_noise(z)[0] - z).abs() > 1e-4).all()


def test_pairs_of_layers_split_the_components_differently() -> None:
    torch.manual_seed(0)
    halves = {tuple(sorted(layer.seen.tolist())) for layer in FlowPrior(12, 6, 16)._layers()}
    assert len(halves) == 6


def test_it_is_loaded_with_its_halves() -> None:
    prior, z = bent(8), random(4, 8)
    torch.manual_seed(1)
    other = FlowPrior(8, 6, 16)
    other.load_state_dict(prior.state_dict())
    torch.testing.assert_close(other.log_prob(z), prior.log_prob(z))


def test_no_weights_make_a_layer_overflow() -> None:
    prior = bent(4, n_layers=2, by=1e4)
    for layer in prior._layers():
        _, log_volume = layer(random(50, 4))
        assert log_volume.abs().max() <= LARGEST_LOG_SCALE * len(layer.moved) * (1 + 1e-6)
        assert log_volume.abs().max() > LARGEST_LOG_SCALE  # they did try


def test_it_learns_a_bent_distribution() -> None:
    torch.manual_seed(0)
    prior = FlowPrior(2, 4, 32)
    noise = random(1000, 2)
    z = torch.stack([noise[:, 0], 0.3 * noise[:, 1] + noise[:, 0].square() - 1], dim=1)
    exact = normal_log_prob(noise).mean() - torch.tensor(0.3).log()
    optimizer = torch.optim.Adam(prior.parameters(), 1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        loss = -prior.log_prob(z).mean()
        loss.backward()
        optimizer.step()
    assert exact + loss.detach() < 0.1
    assert exact - normal_log_prob(z).mean() > 0.8  # how far off it began
