from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from isthmus.errors import InputError
from isthmus.estimators import ImportanceWeightedAutoencoder, VariationalAutoencoder
from isthmus.model import BOUND_TERM, LIKELIHOOD_TERM
from isthmus.training.loop import Trainer

MakeVariational = Callable[..., VariationalAutoencoder]


@pytest.fixture
def variational() -> MakeVariational:
    """Return a maker of small variational autoencoders that are trained for a moment only."""

    def make(k: int = 2, **params: Any) -> VariationalAutoencoder:
        return VariationalAutoencoder(
            k, **{"max_epochs": 3, "hidden_sizes": (8,), "random_state": 0} | params
        )

    return make


# Theorems ---------------------------------------------------------------------------------------------------


def linear(k: int, **params: Any) -> VariationalAutoencoder:
    fixed = {"hidden_sizes": (), "likelihood": "gaussian:scale=shared", "validation_fraction": 0.0}
    return VariationalAutoencoder(k, **fixed | {"random_state": 0} | params)


@pytest.mark.slow
@pytest.mark.parametrize(("k", "max_epochs"), [(5, 200), (10, "auto")])
def test_the_linear_gaussian_one_is_probabilistic_pca(digits: Any, k: int, max_epochs: int | str) -> None:
    X = digits.data[:, digits.data.std(axis=0) > 0]
    assert X.shape == (1797, 61)
    model = linear(k, max_epochs=max_epochs).fit(X)
    assert model.score(X) == pytest.approx(PCA(k).fit(X).score(X), abs=0.05)


def test_a_small_linear_one_is_probabilistic_pca_too() -> None:
    rng = np.random.default_rng(0)
    X = (
        3 * rng.normal(size=(200, 2)) @ rng.normal(size=(2, 5))
        + rng.normal(size=(200, 5))
        + [0, 5, -3, 10, 1]
    )
    model, pca = linear(2, max_epochs=150).fit(X), PCA(2).fit(X)
    assert model.score(X) == pytest.approx(pca.score(X), abs=0.05)
    ours, theirs = model.reconstruct(X), pca.inverse_transform(pca.transform(X))
    assert np.sum((ours - theirs) ** 2) < 0.005 * np.sum((theirs - X.mean(axis=0)) ** 2)


def test_the_density_is_of_the_data_as_given(rows: np.ndarray) -> None:
    small, large = linear(2, max_epochs=10).fit(rows), linear(2, max_epochs=10).fit(1000 * rows)
    assert small.score(rows) - large.score(1000 * rows) == pytest.approx(5 * np.log(1000), abs=1e-3)
    for name in ("log_likelihood", "pca_log_likelihood", "independent_log_likelihood"):
        assert small.metrics_[name] - large.metrics_[name] == pytest.approx(5 * np.log(1000), abs=1e-3), name


def test_more_draws_tighten_the_bound(digits: Any) -> None:
    """ELBO <= IWAE(5) <= IWAE(50) <= log p(x), which is known: the model is linear and Gaussian."""
    X = digits.data[:300, digits.data[:300].std(axis=0) > 0]
    model = linear(5, max_epochs=30, validation_fraction=0.1).fit(X)
    exact = exact_log_likelihood(model, X)
    bounds = [model.mean_density(X, n_samples=n, random_state=1) for n in (1, 5, 50)]
    assert bounds[0].mean < bounds[1].mean < bounds[2].mean
    assert bounds[2].mean <= exact.mean() + 2 * bounds[2].std_error
    assert bounds[0].mean < exact.mean() - 1  # the encoder is not exact, or this shows nothing
    many = model.mean_density(X, n_samples=2000, random_state=1)
    assert many.mean == pytest.approx(exact.mean(), abs=4 * many.std_error + 0.02)


def exact_log_likelihood(model: VariationalAutoencoder, X: np.ndarray) -> np.ndarray:
    """Return log N(x; b, W W' + s^2 I) in data units, from the decoder's weights."""
    from scipy.stats import multivariate_normal

    module = model.model_
    scale, centre = module.features.scale.numpy(), module.features.centre.numpy()
    decoder = module.decoder[0]
    W = scale[:, None] * decoder.weight.detach().double().numpy()
    mean = centre + scale * decoder.bias.detach().double().numpy()
    noise = scale * module.density.scale().detach().double().numpy()
    return multivariate_normal(mean, W @ W.T + np.diag(noise**2)).logpdf(X)


# Its parameters ---------------------------------------------------------------------------------------------


def test_the_history_shows_both_halves_of_the_bound(rows: np.ndarray, variational: MakeVariational) -> None:
    last = variational().fit(rows).history_[-1]
    assert last["loss"] == pytest.approx(last[LIKELIHOOD_TERM] + last["kl"])
    assert last["validation_loss"] == pytest.approx(
        last[f"validation_{LIKELIHOOD_TERM}"] + last["validation_kl"]
    )
    weighted = ImportanceWeightedAutoencoder(2, max_epochs=2, hidden_sizes=(4,), random_state=0).fit(rows)
    assert weighted.history_[-1]["loss"] == pytest.approx(weighted.history_[-1][BOUND_TERM])


def information(model: VariationalAutoencoder, X: np.ndarray) -> np.ndarray:
    """Return KL(q || p) of each latent in nats, averaged over rows."""
    with torch.no_grad():
        values = model.model_.features.to_values(torch.from_numpy(X))
        outputs = model.model_.encoder_outputs(values)
        return model.model_.code.divergence(outputs, model.model_.prior).mean(dim=0).numpy()


def test_beta_trades_information_for_accuracy(rows: np.ndarray, variational: MakeVariational) -> None:
    nats = [
        information(variational(max_epochs=60, beta=beta).fit(rows), rows).sum()
        for beta in (0.1, 1.0, 20.0, 1e4)
    ]
    assert nats == sorted(nats, reverse=True)
    assert nats[0] > nats[1] + 1
    assert nats[3] < 0.05


def test_free_bits_keep_latents_in_use(rows: np.ndarray, variational: MakeVariational) -> None:
    settings = {"k": 4, "max_epochs": 60, "beta": 20.0, "warmup": 0.0}
    without = information(variational(**settings).fit(rows), rows)
    with_bits = information(variational(**settings, free_bits=1.0).fit(rows), rows)
    assert without.max() < 0.1
    assert with_bits.min() > 0.3


def test_the_weight_of_the_divergence_grows_during_the_warmup(
    rows: np.ndarray, variational: MakeVariational
) -> None:
    model = variational(max_epochs=10, warmup=0.5, learning_rate=1e-12, batch_size=120, validation_fraction=0)
    cost = [
        row["kl"] for row in model.fit(rows).history_
    ]  # of a network that stands still, one step an epoch
    final = cost[-1]
    np.testing.assert_allclose(cost, final * np.minimum(1, np.arange(10) / 5), rtol=0.01, atol=1e-6)
    held_out = model.set_params(validation_fraction=0.2).fit(rows).history_
    values = [row["validation_kl"] for row in held_out]  # judged at the final weight from the beginning
    np.testing.assert_allclose(values, values[-1], rtol=1e-5)
    assert values[0] > 0.5 * final


def test_staleness_does_not_count_before_the_weights_are_final(
    rows: np.ndarray, variational: MakeVariational, monkeypatch: pytest.MonkeyPatch
) -> None:
    rising = iter(range(1000))
    monkeypatch.setattr(Trainer, "evaluate", lambda self, batch: {LIKELIHOOD_TERM: float(next(rising))})

    def epochs(warmup: float) -> int:
        return variational(max_epochs=40, patience=3, warmup=warmup).fit(rows).n_iter_

    # The held-out loss rises from the first epoch on: 3 stale epochs and a decay of 3 end a run early.
    assert epochs(0.0) == 1 + 3 + 3
    assert epochs(0.5) == 20 + 3 + 3 - 1


def test_other_terms_join_the_bound(rows: np.ndarray, variational: MakeVariational) -> None:
    model = variational(terms=("total_correlation:weight=5",)).fit(rows)
    assert {"kl", "total_correlation"} <= set(model.history_[-1])
    assert np.isfinite(model.score(rows))


@pytest.mark.parametrize(
    "params",
    [
        {"prior": "gaussian_mixture:n_clusters=3"},
        {"prior": "gaussian_mixture:layout=ring,n_clusters=4"},
        {"prior": "vamp_prior:n_pseudo_inputs=5"},
        {"prior": "flow:n_layers=2,width=8"},
        {"posterior": "von_mises_fisher", "prior": "uniform_sphere", "n_components": 3},
        {"bound": "importance_weighted:k=3"},
        {"bound": "importance_weighted:k=3", "prior": "vamp_prior:n_pseudo_inputs=5"},
        {"corruption": "masking:p=0.3"},
    ],
    ids=str,
)
def test_every_choice_of_parts_learns_scores_and_draws(
    rows: np.ndarray, variational: MakeVariational, params: dict[str, Any]
) -> None:
    settings = {"max_epochs": 15, "learning_rate": 0.01} | params
    model = variational(settings.pop("n_components", 2), **settings).fit(rows)
    losses = [row["validation_loss"] for row in model.history_]
    assert min(losses) < losses[0]
    scores, errors = model.score_samples(rows, return_std_error=True)
    assert np.isfinite(scores).all()
    assert (errors > 0).all()
    assert model.metrics_["log_likelihood"] > model.metrics_["independent_log_likelihood"] - 10
    drawn = model.sample(50, random_state=0)
    assert drawn.shape == (50, 5)
    assert np.array_equal(drawn, model.sample(50, random_state=0))


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"posterior": "point"}, "needs codes that are drawn"),
        ({"posterior": "vector_quantized", "n_components": 4}, "needs codes that are drawn"),
        ({"prior": "swiss_roll"}, r"needs log p\(z\)"),
        ({"posterior": "von_mises_fisher"}, "lies on the unit sphere and the prior does not"),
        ({"prior": "uniform_sphere"}, "lies on the unit sphere and the code does not"),
        ({"prior": "flow", "n_components": 1}, "needs n_components >= 2"),
        ({"bound": "importance_weighted", "free_bits": 1.0}, "free_bits"),
        ({"prior": "normal"}, 'Did you mean "standard_normal"'),
        ({"terms": ("sparsity:penalty=kl",)}, "codes must lie between 0 and 1"),
        ({"terms": ("kl:beta=3",)}, "kl would be counted twice"),
        ({"terms": ("total_correlation:weight=1", "total_correlation:weight=2")}, "counted twice"),
    ],
    ids=str,
)
def test_parts_that_do_not_go_together_are_refused_in_one_line(
    rows: np.ndarray, variational: MakeVariational, params: dict[str, Any], problem: str
) -> None:
    model = variational().set_params(**params)
    with pytest.raises(InputError, match=problem) as caught:
        model.fit(rows)
    assert "\n" not in str(caught.value)


def test_a_number_of_latents_left_open_is_one_that_the_parts_can_have() -> None:
    # One dimension, and these parts need two.
    line = np.random.default_rng(0).random((80, 1)) * np.ones((1, 3))
    for params in ({"prior": "flow"}, {"posterior": "von_mises_fisher", "prior": "uniform_sphere"}):
        model = VariationalAutoencoder(**params, hidden_sizes=(4,), max_epochs=1, random_state=0).fit(line)
        assert model.n_components_ == 2


def test_the_importance_weighted_one_is_that_bound(rows: np.ndarray, variational: MakeVariational) -> None:
    named = ImportanceWeightedAutoencoder(2, hidden_sizes=(8,), max_epochs=3, random_state=0).fit(rows)
    chosen = variational(bound="importance_weighted:k=5").fit(rows)
    assert np.array_equal(named.score_samples(rows), chosen.score_samples(rows))
    assert named.architecture_ == chosen.architecture_
