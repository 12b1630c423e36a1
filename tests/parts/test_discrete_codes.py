from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch import Tensor

from isthmus.parts.posteriors.base import DiscreteCode
from isthmus.parts.posteriors.finite_scalar import FiniteScalarCode
from isthmus.parts.posteriors.specs import FiniteScalar, VectorQuantized
from isthmus.parts.posteriors.vector_quantized import VectorQuantizedCode


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def vector_quantized(n_components: int, **fields: float) -> VectorQuantizedCode:
    code = VectorQuantized(**fields).build(n_components)  # type: ignore[arg-type]
    assert isinstance(code, VectorQuantizedCode)
    return code


def finite_scalar(n_components: int, levels: int) -> FiniteScalarCode:
    code = FiniteScalar(levels).build(n_components)
    assert isinstance(code, FiniteScalarCode)
    return code


def trained() -> VectorQuantizedCode:
    code = vector_quantized(6, n_codes=8, token_size=2)
    code.update(random(50, 6), generator())
    return code


CODES = [trained(), finite_scalar(3, 2), finite_scalar(3, 5), finite_scalar(3, 8), finite_scalar(2, 65536)]
IDS = ["vector_quantized", "2 levels", "5 levels", "8 levels", "65536 levels"]


@pytest.mark.parametrize("code", CODES, ids=IDS)
def test_tokens_and_codes_are_two_names_of_the_same(code: DiscreteCode) -> None:
    outputs = 1.5 * random(200, code.n_outputs, seed=1)
    indices = code.indices(outputs)
    assert indices.shape == (200, len(code.vocabulary))
    assert indices.dtype == torch.int64
    assert indices.min() >= 0
    assert (indices < torch.tensor(code.vocabulary)).all()
    assert len(torch.unique(indices)) > 1
    codes = code.from_indices(indices)
    assert codes.shape == (200, code.n_components)
    assert torch.equal(code.code(outputs), codes)
    assert torch.equal(code.sample(outputs, torch.empty(1, 1, 1))[0], codes)


# Finite scalars ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [2, 3, 4, 5, 8])
def test_levels_are_evenly_spaced_and_all_can_be_reached(levels: int) -> None:
    code = finite_scalar(1, levels)
    reached = torch.unique(code.code(torch.linspace(-9, 9, 2001)[:, None]))
    torch.testing.assert_close(reached, torch.linspace(-1, 1, levels))
    # as a function of the output it never falls
    indices = code.indices(torch.linspace(-9, 9, 2001)[:, None])[:, 0]
    assert (indices.diff() >= 0).all()


@pytest.mark.parametrize("levels", [3, 4, 5, 8])
def test_an_output_of_zero_is_at_a_level_and_not_at_an_edge(levels: int) -> None:
    code = finite_scalar(1, levels)
    indices = code.indices(torch.tensor([[-0.1], [0.0], [0.1]]))
    assert torch.unique(indices).tolist() == [levels // 2]


def test_two_levels_are_told_apart_by_the_sign() -> None:
    assert finite_scalar(2, 2).code(torch.tensor([[-0.01, 0.01]])).tolist() == [[-1.0, 1.0]]


def test_the_gradient_of_rounding_is_that_of_tanh() -> None:
    code, outputs = finite_scalar(4, 5), random(10, 4).requires_grad_()
    code.code(outputs).sum().backward()
    assert outputs.grad is not None
    torch.testing.assert_close(outputs.grad, 1 - torch.tanh(outputs.detach()).square())
    assert code.penalty(outputs) is None


# Vectors of a codebook --------------------------------------------------------------------------------------


def test_each_token_becomes_its_nearest_vector() -> None:
    code, outputs = trained(), random(30, 6, seed=2)
    tokens = outputs.view(30, 3, 2)
    distances = (tokens[:, :, None] - code.codebook).square().sum(dim=3)  # (30, 3, 8), by plain differences
    assert torch.equal(code.indices(outputs), distances.argmin(dim=2))
    nearest = distances.min(dim=2).values.sum(dim=1)
    torch.testing.assert_close(code.penalty(outputs), 0.25 * nearest)


def test_the_gradient_passes_straight_through_and_commits_the_encoder() -> None:
    code, outputs = trained(), random(10, 6).requires_grad_()
    (gradient,) = torch.autograd.grad((code.code(outputs) ** 2).sum(), outputs)
    torch.testing.assert_close(gradient, 2 * code.code(outputs).detach())
    (gradient,) = torch.autograd.grad(code.penalty(outputs).sum(), outputs)
    torch.testing.assert_close(gradient, 2 * 0.25 * (outputs - code.code(outputs)).detach())
    assert not list(code.parameters())


def test_the_first_batch_provides_the_vectors() -> None:
    code, outputs = vector_quantized(2, n_codes=4, token_size=2, decay=1.0), 100 + random(30, 2)
    code.update(outputs, generator())
    found = (code.codebook[:, None] - outputs).abs().amax(dim=2).amin(dim=1)
    assert found.max() < 1e-4


def test_vectors_follow_the_mean_of_their_tokens_by_moving_averages() -> None:
    code = vector_quantized(1, n_codes=2, token_size=1, decay=0.9)
    code.update(torch.tensor([[-1.0], [1.0]]).repeat(20, 1), generator())
    assert sorted(code.codebook[:, 0].tolist()) == pytest.approx([-1, 1])
    counts, places = code.counts.clone(), code.codebook[:, 0].clone()
    outputs = torch.tensor([[-3.0], [-2.0], [1.0], [5.0], [6.0]])
    nearest = code.indices(outputs)[:, 0]
    code.update(outputs, generator())
    for k in range(2):
        mine = outputs[nearest == k, 0]
        assert len(mine) in (2, 3)
        expected = (0.9 * counts[k] * places[k] + 0.1 * mine.sum()) / (0.9 * counts[k] + 0.1 * len(mine))
        assert code.codebook[k, 0].item() == pytest.approx(float(expected), rel=1e-5)


def test_with_many_steps_vectors_find_the_means_of_clusters() -> None:
    centres = torch.tensor([-6.0, -2.0, 3.0, 10.0])
    code = vector_quantized(1, n_codes=4, token_size=1, decay=0.9)
    draws = generator(3)
    for _ in range(300):
        which = torch.randint(4, (64,), generator=draws)
        code.update((centres[which] + 0.1 * torch.randn(64, generator=draws))[:, None], draws)
    torch.testing.assert_close(code.codebook[:, 0].sort().values, centres, atol=0.1, rtol=0)
    assert code.perplexity().item() == pytest.approx(4, abs=0.1)
    torch.testing.assert_close(code.usage(), torch.full((4,), 0.25), atol=0.05, rtol=0)


def test_vectors_left_behind_are_moved_to_where_the_tokens_are() -> None:
    code = vector_quantized(2, n_codes=16, token_size=2, decay=0.9)
    for k in range(20):
        code.update(random(64, 2, seed=k), generator(k))
    for k in range(60):
        code.update(50 + random(64, 2, seed=k), generator(k))
    assert code.codebook.min() > 40
    assert code.perplexity() > 8


@pytest.mark.parametrize("decay", [0.0, 0.9, 1.0])
def test_more_vectors_than_tokens_and_any_decay_stay_finite(decay: float) -> None:
    code = vector_quantized(4, n_codes=64, token_size=2, decay=decay)
    for k in range(30):
        outputs = random(3, 4, seed=k)
        code.update(outputs, generator(k))
        assert torch.isfinite(code.code(outputs)).all()
    assert torch.isfinite(code.codebook).all()
    assert torch.isfinite(code.perplexity())


def test_a_code_built_again_from_its_state_goes_on_alike() -> None:
    first, second = trained(), vector_quantized(6, n_codes=8, token_size=2)
    second.load_state_dict(first.state_dict())
    outputs = random(20, 6, seed=4)
    assert torch.equal(first.code(outputs), second.code(outputs))
    for code in (first, second):
        code.update(outputs, generator(5))
    assert torch.equal(first.codebook, second.codebook)
    assert not torch.equal(first.codebook, trained().codebook)


def test_a_batch_that_is_not_finite_leaves_no_trace() -> None:
    code = trained()
    before = copy.deepcopy(code.state_dict())
    outputs = random(20, 6)
    outputs[3, 2] = torch.nan
    code.update(outputs, generator())
    for name, tensor in code.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_learning_changes_nothing_but_the_code_and_asks_no_gradient() -> None:
    outputs = random(20, 6).requires_grad_()
    code = trained()
    before = copy.deepcopy(code.codebook)
    code.update(outputs, generator())
    assert not code.codebook.requires_grad
    assert not torch.equal(code.codebook, before)
    assert outputs.grad is None


def test_the_same_generator_gives_the_same_codebook() -> None:
    books = [vector_quantized(2, n_codes=4, token_size=2) for _ in range(3)]
    for code, seed in zip(books, (1, 1, 2), strict=True):
        code.update(random(30, 2), generator(seed))
    assert torch.equal(books[0].codebook, books[1].codebook)
    assert not torch.equal(books[0].codebook, books[2].codebook)


def test_many_rows_are_taken_in_pieces_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    code, outputs = trained(), random(37, 6, seed=6)
    whole = code.indices(outputs)
    monkeypatch.setattr("isthmus.parts.posteriors.vector_quantized.LARGEST_PIECE", 8 * 10)
    assert torch.equal(code.indices(outputs), whole)


def test_quantising_learns_a_square_by_gradient_descent() -> None:
    """Four corners, one token of four values: the encoder and decoder meet in the codebook."""
    corners = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=2)))
    code = vector_quantized(2, n_codes=4, token_size=2, decay=0.9)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder, decoder = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.02)
    x = corners.repeat(8, 1)
    for step in range(300):
        outputs = encoder(x)
        code.update(outputs.detach(), generator(step))
        penalty = code.penalty(outputs)
        loss = ((decoder(code.code(outputs)) - x).square().sum(dim=1) + penalty).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    assert len(torch.unique(code.indices(encoder(corners)))) == 4


def test_rows_of_no_weight_teach_the_codebook_nothing() -> None:
    near, far = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)), torch.full((50, 2), 100.0)
    code = VectorQuantized(n_codes=4, token_size=2, decay=0.5).build(2)
    weight = torch.cat([torch.ones(50), torch.zeros(50)])
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        code.update(torch.cat([near, far]), generator, weight)
    assert code.codebook.abs().max() < 10
    code.update(torch.cat([near, far]), generator)
    assert code.codebook.abs().max() > 10  # without weights they count


@pytest.mark.parametrize("posterior", [VectorQuantized(n_codes=5, token_size=2), FiniteScalar(levels=4)])
def test_points_are_projected_onto_the_nearest_codes(posterior: VectorQuantized | FiniteScalar) -> None:
    code = posterior.build(2)
    if isinstance(posterior, VectorQuantized):
        code.update(torch.randn(40, 2, generator=torch.Generator().manual_seed(0)), torch.Generator())
    every = torch.cartesian_prod(*(torch.arange(n) for n in code.vocabulary)).reshape(
        -1, len(code.vocabulary)
    )
    codes = code.from_indices(every)
    points = torch.rand(30, 2, generator=torch.Generator().manual_seed(2)) * 2 - 1
    projected = code.project(points)
    assert torch.equal(code.project(projected), projected)
    nearest = codes[torch.cdist(points, codes).argmin(dim=1)]
    torch.testing.assert_close(projected, nearest)
