"""log p(x) by importance sampling: what it approaches, how sure it is, and that a row's figure is its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy import stats

from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators import (
    ConditionalVariationalAutoencoder,
    VariationalAutoencoder,
    VectorQuantizedAutoencoder,
    WassersteinAutoencoder,
    importance,
    preparing,
)
from isthmus.estimators.importance import gives_density

SHORT = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}


@pytest.fixture(scope="module")
def model(rows: np.ndarray) -> VariationalAutoencoder:
    """Return a model whose posterior is not exact, so that draws differ in weight."""
    return VariationalAutoencoder(2, **SHORT | {"max_epochs": 40, "learning_rate": 0.01}).fit(rows)


# What it approaches -----------------------------------------------------------------------------------------


def linear_by_hand(rows: np.ndarray, likelihood: str) -> VariationalAutoencoder:
    """Return a linear Gaussian model with weights of our choice, and an encoder that is not exact."""
    model = VariationalAutoencoder(
        2, hidden_sizes=(), likelihood=likelihood, max_epochs=1, random_state=0
    ).fit(rows)
    rng = np.random.default_rng(1)
    W, b = rng.normal(size=(5, 2)), rng.normal(size=5)
    encoder, decoder = model.model_.encoder[0], model.model_.decoder[0]
    with torch.no_grad():
        decoder.weight.copy_(torch.from_numpy(W))
        decoder.bias.copy_(torch.from_numpy(b))
        encoder.weight.zero_()  # the flags of missing entries tell it nothing
        encoder.weight[:2, :5] = torch.from_numpy(np.linalg.pinv(W))
        encoder.bias[:2] = torch.from_numpy(-np.linalg.pinv(W) @ b)
        encoder.bias[2:] = np.log(0.7)
    return model


def joint_normal(model: VariationalAutoencoder) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of x, in data units, from the weights."""
    module = model.model_
    scale, centre = module.features.scale.numpy(), module.features.centre.numpy()
    W = scale[:, None] * module.decoder[0].weight.detach().double().numpy()
    noise = scale * module.density.scale().detach().double().numpy()
    mean = centre + scale * module.decoder[0].bias.detach().double().numpy()
    return mean, W @ W.T + np.diag(noise**2)


@pytest.mark.parametrize(
    "likelihood", ["gaussian:scale=shared", "gaussian:scale=per_feature", "gaussian:scale=2.0"]
)
def test_it_approaches_the_density_of_a_linear_gaussian_model(rows: np.ndarray, likelihood: str) -> None:
    model = linear_by_hand(rows, likelihood)
    exact = stats.multivariate_normal(*joint_normal(model)).logpdf(rows)
    for seed in (None, 3):
        scores, errors = model.score_samples(rows, n_samples=4096, random_state=seed, return_std_error=True)
        assert errors.max() < 0.3
        assert np.abs(scores - exact).max() < 5 * errors.max()
        assert scores.mean() == pytest.approx(exact.mean(), abs=0.05)
    few = model.score_samples(rows, n_samples=4)
    assert few.mean() < exact.mean() - 0.2


def test_missing_entries_leave_the_marginal_of_the_others(rows: np.ndarray) -> None:
    gaps = rows.copy()
    gaps[::3, 1] = gaps[::4, 3] = gaps[::4, 4] = np.nan
    model = linear_by_hand(gaps, "gaussian:scale=shared")
    mean, covariance = joint_normal(model)
    seen = ~np.isnan(gaps)
    exact = [
        stats.multivariate_normal(mean[s], covariance[np.ix_(s, s)]).logpdf(x[s])
        for x, s in zip(gaps, seen, strict=True)
    ]
    scores, n_observed, errors = model.score_samples(
        gaps, n_samples=8192, return_n_observed=True, return_std_error=True
    )
    assert n_observed.tolist() == seen.sum(axis=1).tolist()
    assert (np.abs(scores - exact) < 5 * errors + 0.02).all()
    bits = model.bits_per_dim(gaps, n_samples=8192)
    assert bits == pytest.approx(-np.sum(exact) / seen.sum() / np.log(2), abs=0.02)


def test_bits_per_dimension_are_of_one_entry_in_base_2(
    model: VariationalAutoencoder, rows: np.ndarray
) -> None:
    assert model.bits_per_dim(rows) == pytest.approx(-model.score(rows) / 5 / np.log(2), rel=1e-9)


# A row's figure is its own ----------------------------------------------------------------------------------

MODELS: dict[str, dict[str, Any]] = {
    "deep": {"hidden_sizes": (40, 13)},
    "linear": {"hidden_sizes": ()},
    "mixture": {"prior": "gaussian_mixture:n_clusters=3"},
    "vamp": {"prior": "vamp_prior:n_pseudo_inputs=7"},
    "flow": {"prior": "flow:n_layers=2,width=8"},
    "sphere": {"posterior": "von_mises_fisher", "prior": "uniform_sphere", "n_components": 3},
}


@pytest.fixture(scope="module")
def many() -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(600, 5))
    X[::7, 2] = np.nan
    return X


@pytest.mark.parametrize("params", MODELS.values(), ids=MODELS)
def test_with_shared_noise_a_rows_score_depends_on_nothing_else(
    many: np.ndarray, params: dict[str, Any]
) -> None:
    fixed = {"n_components": 2, "max_epochs": 1, "random_state": 0, "hidden_sizes": (8,)}
    model = VariationalAutoencoder(**fixed | params).fit(many)
    scores = model.score_samples(many, n_samples=20)
    for chosen in (np.arange(9), np.random.default_rng(1).permutation(600), np.array([300]), np.r_[1:300]):
        assert np.array_equal(model.score_samples(many[chosen], n_samples=20), scores[chosen])


def test_images_told_a_condition_score_the_same_in_any_company() -> None:
    rng = np.random.default_rng(0)
    images, kind = rng.random((300, 6, 6)), rng.integers(0, 3, 300)
    model = ConditionalVariationalAutoencoder(2, max_epochs=1, random_state=0).fit(images, condition=kind)
    assert model.architecture_.network == "conv"
    scores = model.score_samples(images, condition=kind, n_samples=5)
    for chosen in (np.array([7]), rng.permutation(300), np.r_[100:290]):
        again = model.score_samples(images[chosen], condition=kind[chosen], n_samples=5)
        assert np.array_equal(again, scores[chosen])


@pytest.mark.parametrize("seed", [None, 5])
def test_scores_do_not_depend_on_chunks_and_containers(
    rows: np.ndarray, monkeypatch: pytest.MonkeyPatch, seed: int | None
) -> None:
    X = np.resize(rows, (1300, 5))
    frame = pl.DataFrame(X, schema=list("abcde"))
    model = VariationalAutoencoder(2, **SHORT).fit(frame)

    def scores(data: Any) -> np.ndarray:
        return model.score_samples(data, n_samples=9, random_state=seed)

    whole = scores(frame)
    assert np.array_equal(scores(as_source(frame)), whole)
    assert np.array_equal(scores(frame.to_pandas()), whole)
    monkeypatch.setattr(preparing, "BLOCK_ROWS", 512)
    assert np.array_equal(scores(frame), whole)
    assert np.array_equal(scores(frame[:700]), whole[:700])
    arrays = VariationalAutoencoder(2, **SHORT).fit(X)
    blocks = arrays.score_samples(as_source(X), n_samples=9, random_state=seed)
    assert np.array_equal(blocks, arrays.score_samples(X, n_samples=9, random_state=seed))


def test_with_a_seed_each_row_has_noise_of_its_own(model: VariationalAutoencoder, rows: np.ndarray) -> None:
    same = np.repeat(rows[:1], 600, axis=0)
    assert len(np.unique(model.score_samples(same, n_samples=5))) == 1
    own = model.score_samples(same, n_samples=5, random_state=2)
    assert len(np.unique(own)) == 600
    assert not np.array_equal(own, model.score_samples(same, n_samples=5, random_state=3))
    assert np.array_equal(own, model.score_samples(same, n_samples=5, random_state=2))


def test_scoring_twice_gives_the_same_bits_and_leaves_generators_alone(
    model: VariationalAutoencoder, rows: np.ndarray
) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert np.array_equal(model.score_samples(rows), model.score_samples(rows))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_more_draws_go_on_from_the_same_ones(model: VariationalAutoencoder, rows: np.ndarray) -> None:
    one = [model.score_samples(rows[:4], n_samples=n) for n in (16, 32)]
    module = model.model_
    with torch.no_grad():
        values = module.features.to_values(torch.from_numpy(rows[:4]))
        outputs = module.encoder_outputs(values)
        noise = [
            torch.randn(16, 1, 2, generator=torch.Generator().manual_seed(seed))
            for seed in (importance.derive_seed(importance.SHARED_SEED, number) for number in (0, 1))
        ]
        log_w = [module.log_weights(outputs, module.code.sample(outputs, e), values).double() for e in noise]
    np.testing.assert_allclose(one[0], torch.logsumexp(log_w[0], 0) - np.log(16), atol=1e-4)
    np.testing.assert_allclose(one[1], torch.logsumexp(torch.cat(log_w), 0) - np.log(32), atol=1e-4)


# How sure it is ---------------------------------------------------------------------------------------------

REPEATS = 150


@pytest.fixture
def with_shared_seed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Iterator[int]]:
    """Return what goes through many noises that all rows share."""

    def each() -> Iterator[int]:
        for seed in range(REPEATS):
            monkeypatch.setattr(importance, "SHARED_SEED", seed)
            yield seed

    return each


@pytest.mark.parametrize("shared", [True, False])
def test_the_standard_error_is_the_spread_over_seeds(
    model: VariationalAutoencoder,
    rows: np.ndarray,
    with_shared_seed: Callable[[], Iterator[int]],
    shared: bool,
) -> None:
    found = [
        model.score_samples(rows, n_samples=64, random_state=None if shared else seed, return_std_error=True)
        for seed in with_shared_seed()
    ]
    values, errors = (np.array(part) for part in zip(*found, strict=True))
    ratio = np.sqrt(np.mean(errors**2, axis=0)) / values.std(axis=0)
    assert 0.8 < np.median(ratio) < 1.2
    assert (ratio > 0.5).mean() > 0.95


@pytest.mark.parametrize("shared", [True, False])
def test_the_means_error_counts_what_rows_share(
    model: VariationalAutoencoder,
    rows: np.ndarray,
    with_shared_seed: Callable[[], Iterator[int]],
    shared: bool,
) -> None:
    found = [
        model.mean_density(rows, n_samples=64, random_state=None if shared else seed)
        for seed in with_shared_seed()
    ]
    spread = np.std([each.mean for each in found])
    told = np.sqrt(np.mean([each.std_error**2 for each in found]))
    assert told == pytest.approx(spread, rel=0.25)
    assert (found[0].n_rows, found[0].n_samples) == (120, 64)
    _, errors = model.score_samples(rows, n_samples=64, return_std_error=True)
    alone = np.sqrt(np.sum(errors**2)) / len(rows)  # if rows shared nothing
    assert (told > 1.5 * alone) == shared


def test_very_many_draws_keep_only_sums_of_weights(
    model: VariationalAutoencoder, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = model.score_samples(rows, n_samples=500, return_std_error=True)
    one_mean = model.mean_density(rows, n_samples=500)
    monkeypatch.setattr(importance, "GROUPED_ABOVE", 100)
    grouped = model.score_samples(rows, n_samples=500, return_std_error=True)
    np.testing.assert_allclose(grouped[0], one[0], rtol=1e-12)
    assert np.median(grouped[1] / one[1]) == pytest.approx(1, abs=0.2)  # 32 groups tell it less well than 500
    grouped_mean = model.mean_density(rows, n_samples=500)
    assert grouped_mean.mean == pytest.approx(one_mean.mean, rel=1e-12)
    assert grouped_mean.std_error == pytest.approx(one_mean.std_error, rel=0.5)
    assert importance.n_groups(500) == 32


def test_a_single_draw_does_not_know_its_error(model: VariationalAutoencoder, rows: np.ndarray) -> None:
    assert np.isnan(model.score_samples(rows, n_samples=1, return_std_error=True)[1]).all()
    assert np.isnan(model.mean_density(rows, n_samples=1).std_error)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"n_samples": 0}, "n_samples=0: give a whole number"),
        ({"n_samples": 2.5}, "n_samples=2.5"),
        ({"n_samples": True}, "n_samples=True"),
        ({"random_state": -1}, "random_state=-1: give a whole number of at least 0"),
        ({"random_state": np.random.RandomState(0)}, "random_state="),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    model: VariationalAutoencoder, rows: np.ndarray, params: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        model.score_samples(rows, **params)


# Where there is no density, or one of tokens ----------------------------------------------------------------


def test_of_codes_without_noise_it_is_the_likelihood_given_the_code(rows: np.ndarray) -> None:
    model = WassersteinAutoencoder(2, **SHORT).fit(rows)
    assert not gives_density(model.model_)
    scores, errors = model.score_samples(rows, return_std_error=True)
    module = model.model_
    values = module.features.to_values(torch.from_numpy(rows))
    with torch.no_grad():
        wanted = module.log_likelihood(module.decode(module.encode(values)), values).sum(dim=1)
    np.testing.assert_allclose(scores, wanted, atol=1e-4)
    assert not errors.any()


def test_a_prior_that_cannot_be_scored_gives_no_density(rows: np.ndarray) -> None:
    model = WassersteinAutoencoder(2, posterior="diagonal_gaussian", prior="swiss_roll", **SHORT).fit(rows)
    assert not gives_density(model.model_)
    assert np.isfinite(model.score_samples(rows)).all()


@pytest.mark.parametrize(
    ("posterior", "prior", "found"),
    [
        ("diagonal_gaussian", "standard_normal", True),
        ("von_mises_fisher", "uniform_sphere", True),
        ("diagonal_gaussian", "uniform_sphere", False),
        ("von_mises_fisher", "standard_normal", False),
    ],
)
def test_densities_of_code_and_prior_are_of_the_same_measure(
    rows: np.ndarray, posterior: str, prior: str, found: bool
) -> None:
    model = WassersteinAutoencoder(2, posterior=posterior, prior=prior, **SHORT).fit(rows)
    assert gives_density(model.model_) == found


def test_of_tokens_it_is_the_joint_probability(rows: np.ndarray) -> None:
    model = VectorQuantizedAutoencoder(4, posterior="finite_scalar:levels=3", **SHORT).fit(rows)
    module = model.model_
    assert gives_density(module)
    values = module.features.to_values(torch.from_numpy(rows))
    with torch.no_grad():
        outputs = module.encoder_outputs(values)
        given = module.log_likelihood(module.decode(module.encode(values)), values).sum(dim=1)
        tokens = module.prior.log_prob_indices(module.code.indices(outputs))
    assert (tokens < 0).all()
    np.testing.assert_allclose(model.score_samples(rows), given + tokens, atol=1e-4)
    assert model.mean_density(rows).std_error == 0
