from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from isthmus.parts import ColumnFacts, Corruption, GaussianNoise, Masking, SaltAndPepper, SwapNoise

MakeFacts = Callable[..., ColumnFacts]
EVERY = [Masking(0.3), GaussianNoise(0.5), SaltAndPepper(0.3), SwapNoise(0.3)]
N = 20_000


def apply(
    corruption: Corruption, facts: ColumnFacts, values: Tensor, observed: Tensor | None = None, seed: int = 0
) -> tuple[Tensor, Tensor | None]:
    generator = torch.Generator().manual_seed(seed)
    return corruption.apply(values, observed, corruption.prepare(facts, torch.device("cpu")), generator)


def rows(n: int = N, n_columns: int = 3) -> Tensor:
    return torch.randn(n, n_columns, generator=torch.Generator().manual_seed(7))


@pytest.fixture
def mixed(make_facts: MakeFacts) -> ColumnFacts:
    """Return a frame's columns: a real one, one in [0, 1], a count and a categorical one."""
    return make_facts(
        4,
        real=[True, False, False, False],
        low=[-2, 0, 0, 0],
        high=[3, 1, 9, 4],
        mean=[0.0, 0.4, 2.5, 1.7],
        n_categories=(0, 0, 0, 5),
        mark_missing=True,
    )


def mixed_rows(n: int = N) -> Tensor:
    g = torch.Generator().manual_seed(3)
    return torch.stack(
        [
            torch.randn(n, generator=g),
            torch.rand(n, generator=g),
            torch.poisson(torch.full((n,), 2.5), generator=g),
            torch.randint(5, (n,), generator=g).float(),
        ],
        dim=1,
    )


@pytest.mark.parametrize("corruption", EVERY, ids=str)
def test_a_seed_fixes_the_result_and_inputs_are_left_alone(
    corruption: Corruption, mixed: ColumnFacts
) -> None:
    values, observed = mixed_rows(50), torch.rand(50, 4) < 0.8
    kept = values.clone(), observed.clone()
    first, second = apply(corruption, mixed, values, observed), apply(corruption, mixed, values, observed)
    other = apply(corruption, mixed, values, observed, seed=1)
    for a, b in zip(first, second, strict=True):
        assert a is not None
        assert b is not None
        assert torch.equal(a, b)
    assert not torch.equal(first[0], other[0])
    assert torch.equal(values, kept[0])
    assert torch.equal(observed, kept[1])


@pytest.mark.parametrize("corruption", EVERY, ids=str)
def test_global_random_state_is_untouched(corruption: Corruption, mixed: ColumnFacts) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    apply(corruption, mixed, mixed_rows(10))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "corruption", [Masking(0), GaussianNoise(0), SaltAndPepper(0), SwapNoise(0)], ids=str
)
def test_none_of_it_changes_nothing(corruption: Corruption, mixed: ColumnFacts) -> None:
    values = mixed_rows(100)
    damaged, observed = apply(corruption, mixed, values)
    assert torch.equal(damaged, values)
    assert observed is None or bool(observed.all())


def test_masking_an_array_writes_the_image_of_zero(make_facts: MakeFacts) -> None:
    zero = [-1.5, 0.25, 0.0]
    values = rows()
    damaged, observed = apply(Masking(0.3), make_facts(zero=zero), values)
    hidden = damaged != values
    assert observed is None
    assert torch.equal(damaged[hidden], torch.tensor(zero).expand_as(values)[hidden])
    assert hidden.float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert torch.allclose(hidden.float().mean(dim=0), torch.tensor(0.3), atol=0.015)
    everything, _ = apply(Masking(1), make_facts(zero=zero), values)
    assert torch.equal(everything, torch.tensor(zero).expand_as(values))


def test_masking_a_frame_marks_entries_missing_and_leaves_no_trace(mixed: ColumnFacts) -> None:
    values = mixed_rows()
    damaged, observed = apply(Masking(0.3), mixed, values)
    assert observed is not None
    assert (~observed).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert torch.equal(damaged[observed], values[observed])
    stand_in = torch.tensor([0.0, 0.4, 2.5, 0.0])  # as for entries that were missing from the start
    assert torch.equal(damaged[~observed], stand_in.expand_as(values)[~observed])


def test_missing_entries_stay_missing_when_others_are_masked(mixed: ColumnFacts) -> None:
    values, before = mixed_rows(1000), torch.rand(1000, 4) < 0.5
    damaged, after = apply(Masking(0.3), mixed, values, before)
    assert after is not None
    assert not (after & ~before).any()
    assert torch.equal(damaged[~before], values[~before])


def test_masking_is_independent_between_entries(make_facts: MakeFacts) -> None:
    values = rows()
    hidden = (apply(Masking(0.3), make_facts(), values)[0] != values).double().numpy()
    assert np.abs(np.corrcoef(hidden.T) - np.eye(3)).max() < 0.03


@pytest.mark.parametrize("corruption", [GaussianNoise(2.0), SaltAndPepper(1.0)], ids=str)
def test_noise_leaves_counts_categories_and_missing_entries(
    corruption: Corruption, mixed: ColumnFacts
) -> None:
    values, observed = mixed_rows(500), torch.rand(500, 4) < 0.5
    damaged, after = apply(corruption, mixed, values, observed)
    assert after is observed
    assert torch.equal(damaged[:, 2:], values[:, 2:])
    assert torch.equal(damaged[~observed], values[~observed])
    assert (damaged[:, :2] != values[:, :2])[observed[:, :2]].all()


def test_noise_has_its_sd_in_data_units(make_facts: MakeFacts) -> None:
    unit = [0.5, 1.0, 20.0]
    values = rows(100_000)
    damaged, observed = apply(GaussianNoise(2.0), make_facts(unit=unit), values)
    added = (damaged - values) * torch.tensor(unit)
    assert observed is None
    assert torch.allclose(added.std(dim=0), torch.tensor(2.0), rtol=0.02)
    assert torch.allclose(added.mean(dim=0), torch.tensor(0.0), atol=0.03)


def test_noise_does_the_same_to_data_in_other_units(make_facts: MakeFacts) -> None:
    metres, _ = apply(GaussianNoise(2.0), make_facts(unit=0.5), rows(100))
    millimetres, _ = apply(GaussianNoise(2000.0), make_facts(unit=500.0), rows(100))
    torch.testing.assert_close(metres, millimetres)


def test_salt_and_pepper_are_the_extremes_seen(make_facts: MakeFacts) -> None:
    low, high = [-4.0, -5.0, 0.0], [4.0, 9.0, 1.0]
    values = rows() / 100 + 0.5
    damaged, _ = apply(SaltAndPepper(0.2), make_facts(low=low, high=high), values)
    changed = damaged != values
    pepper, salt = damaged == torch.tensor(low), damaged == torch.tensor(high)
    assert torch.equal(changed, pepper | salt)
    assert pepper.float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert salt.float().mean().item() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("p", [0.15, 0.7, 1.0])
@pytest.mark.parametrize("n", [1, 2, 7, 256])
def test_swapping_keeps_each_column_as_a_multiset_for_every_p(p: float, n: int, mixed: ColumnFacts) -> None:
    values, observed = mixed_rows(n), torch.rand(n, 4) < 0.7
    damaged, after = apply(SwapNoise(p), mixed, values, observed)
    assert after is not None
    for j in range(4):
        before = sorted(zip(values[:, j].tolist(), observed[:, j].tolist(), strict=True))
        assert sorted(zip(damaged[:, j].tolist(), after[:, j].tolist(), strict=True)) == before


def test_swapped_entries_number_p_and_come_from_rows_drawn_uniformly(make_facts: MakeFacts) -> None:
    n, n_columns = 8, 20_000
    values = torch.arange(float(n))[:, None].expand(n, n_columns)
    damaged, _ = apply(SwapNoise(0.4), make_facts(n_columns), values)
    changed = damaged != values
    # A row is paired with itself once in n.
    assert changed.float().mean().item() == pytest.approx(0.4 * (n - 1) / n, abs=0.01)
    sources = torch.bincount(damaged[0].long()[changed[0]], minlength=n).double()[1:]
    assert torch.allclose(sources / sources.sum(), torch.tensor(1 / (n - 1), dtype=torch.float64), atol=0.01)


def test_swapping_frees_columns_of_each_other(make_facts: MakeFacts) -> None:
    common = rows(N, 1)
    values = common.expand(N, 2)
    damaged, _ = apply(SwapNoise(1.0), make_facts(2), values)
    assert abs(np.corrcoef(damaged.numpy().T)[0, 1]) < 0.05


@pytest.mark.parametrize("corruption", EVERY, ids=str)
def test_types_stay(corruption: Corruption, mixed: ColumnFacts) -> None:
    damaged, _ = apply(corruption, mixed, mixed_rows(5))
    assert damaged.dtype == torch.float32
    assert damaged.shape == (5, 4)
