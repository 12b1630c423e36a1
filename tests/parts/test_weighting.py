from __future__ import annotations

import torch

from isthmus.parts.weighting import weighted_mean


def test_the_weighted_mean_is_that_of_repeated_rows() -> None:
    x = torch.randn(3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    repeated = x[[0, 1, 1, 1]]
    mean = weighted_mean(x, torch.tensor([1.0, 3.0, 0.0], dtype=torch.float64))
    torch.testing.assert_close(mean, repeated.mean(dim=0))
    torch.testing.assert_close(weighted_mean(x, None), x.mean(dim=0))


def test_where_all_weights_are_zero_the_mean_is_and_its_gradient_however_steep_what_follows() -> None:
    x, weight = torch.ones(3, 2, requires_grad=True), torch.zeros(3)
    mean = weighted_mean(x, weight)
    (1e6 * mean.sum()).backward()
    assert mean.tolist() == [0, 0]
    assert x.grad is not None
    assert not x.grad.any()
