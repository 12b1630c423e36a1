from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from isthmus.errors import InputError
from isthmus.estimators.concern import Concern
from isthmus.estimators.health import Diagnosis, diagnose
from isthmus.estimators.health.concerns import concerns_of
from isthmus.report import warnings

Array = np.ndarray[Any, Any]


def gaussian(means: Array, sd: Any, seed: int = 0) -> dict[str, Array]:
    """Return the arguments that a model with these posteriors, and a standard normal prior, gives."""
    rng = np.random.default_rng(seed)
    sd = np.broadcast_to(sd, means.shape)
    return {
        "means": means,
        "draws": means + sd * rng.normal(size=means.shape),
        "prior_draws": rng.normal(size=means.shape),
        "kl": 0.5 * (means**2 + sd**2 - 1) - np.log(sd),
    }


def healthy(n: int = 400, width: int = 3) -> dict[str, Array]:
    means = np.random.default_rng(1).normal(size=(n, width))
    sd = 0.6
    return gaussian(np.sqrt(1 - sd**2) * means, sd)


def names(found: Diagnosis) -> list[str]:
    return [concern.name for concern in found.concerns]


def only(found: Diagnosis) -> Concern:
    assert len(found.concerns) == 1, found.concerns
    return found.concerns[0]


# Figures ---------------------------------------------------------------------------------------------


def test_kl_and_moments_are_means_over_rows() -> None:
    found = diagnose([[1.0, 2.0], [3.0, 2.0]], [[0.0, 1.0], [4.0, 1.0]], kl=[[1.0, 0.25], [3.0, 0.5]])
    np.testing.assert_array_equal(found.kl_per_latent, [2.0, 0.375])
    assert found.total_kl == 2.375
    np.testing.assert_array_equal(found.mean_variance, [1.0, 0.0])
    np.testing.assert_array_equal(found.latent_mean, [2.0, 1.0])
    np.testing.assert_array_equal(found.latent_sd, [2.0, 0.0])
    assert (found.n_rows, found.n_components) == (2, 2)


def test_a_divergence_of_all_latents_together_has_no_parts() -> None:
    found = diagnose([[1.0, 2.0], [3.0, 2.0]], kl=[[1.0], [3.0]])
    assert found.total_kl == 2
    assert found.kl_per_latent is None
    one = diagnose([[1.0], [3.0]], kl=[[1.0], [3.0]])
    np.testing.assert_array_equal(one.kl_per_latent, [2.0])


def test_a_latent_is_active_if_its_mean_varies_by_more_than_a_hundredth() -> None:
    means = np.array([1.0, -1.0])[:, None] * np.sqrt([0.0099, 0.0101, 1.0])
    found = diagnose(means, kl=np.ones((2, 3)))
    assert found.active_units.tolist() == [False, True, True]


def test_where_the_prior_is_narrow_a_latent_is_active_by_its_share_of_that() -> None:
    # Directions in 200 dimensions: each component has the variance 1/200.
    sphere = np.random.default_rng(0).normal(size=(300, 200))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    assert diagnose(sphere, prior_draws=sphere[::-1]).active_units.all()
    assert not diagnose(sphere, kl=np.ones((300, 1))).active_units.any()
    constant = np.where(np.arange(200) < 5, sphere.mean(axis=0), sphere)
    assert diagnose(constant, prior_draws=sphere).active_units.sum() == 195
    # A wide prior asks for no more than a standard normal one.
    wide = 100 * np.random.default_rng(0).normal(size=(300, 1))
    assert diagnose(np.linspace(0, 1, 300)[:, None], prior_draws=wide).active_units.all()


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_without_a_prior_the_code_is_its_own_scale(unit: float) -> None:
    means = unit * np.random.default_rng(0).normal(size=(300, 3)) * [1.0, 0.02, 0.005]
    assert diagnose(means).active_units.tolist() == [True, True, False]
    assert names(diagnose(unit * (1 + 1e-5 * means / unit))) == ["Posterior collapse"]


def test_codes_that_follow_the_prior_cannot_be_told_from_it() -> None:
    found = diagnose(**healthy())
    assert found.prior_accuracy == pytest.approx(0.5, abs=3 * found.prior_accuracy_error)
    far = diagnose(**healthy() | {"prior_draws": np.full((400, 3), 9.0)})
    assert far.prior_accuracy == 1


def test_too_few_rows_are_not_compared_with_the_prior() -> None:
    means = np.random.default_rng(0).normal(size=(19, 2))
    found = diagnose(means, prior_draws=np.ones((500, 2)))
    assert found.prior_accuracy is found.prior_accuracy_error is None


def test_the_seed_is_of_the_comparison() -> None:
    first, again, other = (diagnose(**healthy(), random_state=seed).prior_accuracy for seed in (0, 0, 1))
    assert first == again != other


def test_perplexity_counts_codes_in_even_use() -> None:
    indices = np.array([[0, 1], [2, 3], [0, 1], [2, 3]])
    found = diagnose(indices.astype(float), indices=indices, vocabulary=[6, 6])
    assert (found.n_tokens, found.n_codes, found.dead_codes) == (2, 6, 2)
    assert found.perplexity == pytest.approx(4)
    uneven = np.array([[0, 0], [0, 1], [0, 0], [0, 1]])  # three quarters and one quarter
    found = diagnose(uneven.astype(float), indices=uneven, vocabulary=2)
    assert found.perplexity == pytest.approx(0.75**-0.75 * 0.25**-0.25)


# Concerns --------------------------------------------------------------------------------------------


def test_a_healthy_code_gives_no_concern() -> None:
    found = diagnose(**healthy(), figures={"squared_error": 2.0, "mean_squared_error": 10.0})
    assert found.concerns == ()
    assert found.reconstruction_gain == pytest.approx(0.8)
    assert found.active_units.all()


def test_a_collapsed_posterior_is_the_prior_for_every_row() -> None:
    means = 0.01 * np.random.default_rng(0).normal(size=(300, 4))
    found = diagnose(**gaussian(means, 1.0), figures={"squared_error": 10.0, "mean_squared_error": 10.0})
    concern = only(found)
    assert concern.name == "Posterior collapse"
    assert "0 of 4 latents tell rows apart, and the divergence" in concern.sentence
    assert "beta" in concern.advice
    assert "free_bits" in concern.advice


def test_a_tenth_of_a_nat_is_a_collapse_though_a_mean_varies() -> None:
    means = np.array([[0.2], [-0.2]])
    assert names(diagnose(means, kl=[[0.09], [0.09]])) == ["Posterior collapse"]
    assert names(diagnose(means, kl=[[0.11], [0.11]])) == []


def test_a_code_without_noise_collapses_too_and_is_not_told_of_beta() -> None:
    concern = only(diagnose(np.ones((30, 2))))
    assert concern.name == "Posterior collapse"
    assert "beta" not in concern.advice


def test_unused_latents_are_counted_named_and_could_be_left_out() -> None:
    arguments = healthy(width=5)
    means, sd = arguments["means"].copy(), np.full((400, 5), 0.6)
    means[:, [1, 4]], sd[:, [1, 4]] = 0, 1
    concern = only(diagnose(**gaussian(means, sd)))
    assert concern.name == "Unused latents"
    assert "2 of 5 latents do not tell rows apart (number 1, 4," in concern.sentence
    assert concern.advice.startswith("n_components=3 would do. To use more: a smaller beta")


def test_of_many_unused_latents_eight_are_named() -> None:
    means = np.zeros((50, 12))
    means[::2, 11] = 1
    assert "(number 0, 1, 2, 3, 4, 5, 6, 7, ...," in only(diagnose(means)).sentence


@pytest.mark.parametrize(
    ("kl", "error", "expected"),
    [
        (0.9, 9.5, ["Held too close to the prior"]),
        (0.9, 8.5, []),  # so little is enough
        (1.1, 9.5, []),  # noisy data
        (0.05, 9.5, ["Posterior collapse"]),  # said once
    ],
)
def test_few_nats_are_too_few_where_the_reconstruction_is_poor(
    kl: float, error: float, expected: list[str]
) -> None:
    figures = {"squared_error": error, "mean_squared_error": 10.0}
    found = diagnose([[1.0], [-1.0]], kl=[[kl], [kl]], figures=figures)
    assert names(found) == expected


def test_without_figures_nothing_is_said_of_the_reconstruction() -> None:
    for figures in (None, {}, {"accuracy": 0.9}, {"squared_error": 0.0, "mean_squared_error": 0.0}):
        found = diagnose([[1.0], [-1.0]], kl=[[0.5], [0.5]], figures=figures)
        assert (found.reconstruction_gain, names(found)) == (None, [])


def test_codes_in_clusters_are_unlike_a_normal_prior() -> None:
    rng = np.random.default_rng(0)
    means = np.where(rng.random((400, 1)) < 0.5, -3.0, 3.0) + 0.1 * rng.normal(size=(400, 2))
    found = diagnose(**gaussian(means, 0.1))
    concern = only(found)
    assert concern.name == "Codes unlike the prior"
    assert found.prior_accuracy is not None
    assert f"{found.prior_accuracy:.1%}" in concern.sentence
    assert "A larger beta" in concern.advice
    for kind in ("vamp_prior", "flow", "gaussian_mixture"):
        assert kind in concern.advice


def test_the_remedy_is_one_that_the_model_has() -> None:
    arguments = gaussian(np.random.default_rng(0).normal(size=(100, 2)) + 9, 0.1)
    del arguments["kl"]
    assert "discrepancy or adversarial" in only(diagnose(**arguments)).advice
    tokens = np.random.default_rng(0).integers(0, 4, (100, 3))
    concern = only(diagnose(**arguments, indices=tokens, vocabulary=4))
    assert "autoregressive" in concern.advice


def test_a_difference_within_two_standard_errors_of_the_threshold_is_none() -> None:
    found = diagnose(**healthy())
    near = replace(found, prior_accuracy=0.79, prior_accuracy_error=0.1)
    assert concerns_of(near) == ()
    far = replace(found, prior_accuracy=0.81, prior_accuracy_error=0.1)
    assert [concern.name for concern in concerns_of(far)] == ["Codes unlike the prior"]


def test_more_than_half_of_the_codes_dead_is_a_concern() -> None:
    tokens = np.arange(400).reshape(100, 4) % 49
    concern = only(diagnose(tokens.astype(float), indices=tokens, vocabulary=100))
    assert concern.name == "Dead codes"
    assert "51 of 100 codes are used by no row; the other 49 are as varied as 4" in concern.sentence
    assert concern.advice.startswith("n_codes=49 would do")
    assert names(diagnose(tokens.astype(float), indices=tokens, vocabulary=98)) == []


def test_of_fewer_tokens_than_codes_nothing_is_said() -> None:
    tokens = np.arange(8).reshape(4, 2)
    assert names(diagnose(tokens.astype(float), indices=tokens, vocabulary=9)) == []
    even = np.random.default_rng(0).integers(0, 2000, (1000, 2))  # as many tokens as codes
    found = diagnose(even.astype(float), indices=even, vocabulary=2000)
    assert found.dead_codes == pytest.approx(2000 / np.e, rel=0.05)
    assert names(found) == []


# Table and JSON --------------------------------------------------------------------------------------


def test_the_table_says_figures_with_units_and_the_busiest_latents_first() -> None:
    means = np.array([1.0, -1.0])[:, None] * np.array([0.0, 1.0, 2.0])
    figures = {"squared_error": 3.0, "mean_squared_error": 4.0}
    found = diagnose(means, kl=[[0.0, 1.0, 2.5]] * 2, figures=figures, rows="held-out")
    lines = str(found).splitlines()
    assert lines[0] == "Codes of 2 held-out rows"
    assert lines[1].split() == ["active", "latents", "2", "of", "3"]
    assert lines[2].split() == ["KL", "to", "the", "prior", "3.5", "nats", "per", "row"]
    assert lines[3].split() == ["squared", "error", "75.0%", "of", "the", "training", "means'"]
    assert [line.split() for line in lines[6:9]] == [
        ["2", "2.500", "0.000", "2.000", "4.000", "yes"],
        ["1", "1.000", "0.000", "1.000", "1.000", "yes"],
        ["0", "0.000", "0.000", "0.000", "0.000", "no"],
    ]
    assert lines[10].startswith("Unused latents. 1 of 3 latents")


def test_the_table_of_discrete_codes_against_a_prior() -> None:
    tokens = np.arange(120).reshape(60, 2) % 5
    draws = np.random.default_rng(0).normal(size=(60, 2)) + 50
    text = str(diagnose(tokens.astype(float), prior_draws=draws, indices=tokens, vocabulary=8))
    assert "codes in use           5 of 8, perplexity 5.0" in text
    assert "100.0% ± " in text
    assert "of cases (guessing: 50%)" in text
    assert "nats" not in text


def test_many_latents_fit_a_screen() -> None:
    means = np.random.default_rng(0).normal(size=(50, 300)) * (np.arange(300) % 2)
    text = str(diagnose(means))
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 88
    assert "and 288 more, which say less" in text


def test_it_is_written_as_json() -> None:
    found = diagnose(**healthy(width=2), rows="held-out")
    read = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert read["kl_per_latent"] == found.kl_per_latent.tolist()  # type: ignore[union-attr]
    assert read["active_units"] == [True, True]
    assert (read["rows"], read["n_rows"], read["dead_codes"], read["concerns"]) == ("held-out", 400, None, [])
    concern = diagnose(np.ones((5, 1))).to_json()["concerns"][0]
    assert concern["name"] == "Posterior collapse"
    assert set(concern) == {"name", "sentence", "advice"}


def test_the_report_has_the_same_concern() -> None:
    assert warnings.Concern is Concern


# Refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"means": [[1.0]]}, "a diagnosis of 1 rows"),
        ({"means": [1.0, 2.0]}, r"means have shape \(2,\); give \(n, D\)"),
        ({"means": np.ones((3, 0))}, r"means have shape \(3, 0\)"),
        ({"means": [[1.0], [np.nan]]}, "means hold NaN"),
        ({"means": np.ones((3, 2)), "draws": np.ones((3, 1))}, r"draws have shape \(3, 1\); give \(n, 2\)"),
        ({"means": np.ones((3, 2)), "prior_draws": np.ones((3, 3))}, r"prior_draws have shape \(3, 3\)"),
        (
            {"means": np.ones((3, 2)), "kl": np.ones((3, 3))},
            r"kl has shape \(3, 3\); give \(3, 2\) or \(3, 1\)",
        ),
        ({"means": np.ones((3, 2)), "kl": np.ones((2, 1))}, r"kl has shape \(2, 1\)"),
        ({"means": np.ones((2, 1)), "kl": [[np.inf], [1]]}, "values of kl hold NaN or infinity"),
        ({"means": np.ones((2, 1)), "indices": [[0], [1]]}, "vocabulary is None"),
        ({"means": np.ones((2, 1)), "indices": [[0, 1], [1, 0]], "vocabulary": (2, 3)}, "the one number"),
        ({"means": np.ones((2, 1)), "indices": [[0], [2]], "vocabulary": 2}, "integers from 0 to 1"),
        ({"means": np.ones((2, 1)), "indices": [[0], [-1]], "vocabulary": 2}, "integers from 0 to 1"),
        ({"means": np.ones((2, 1)), "indices": [[0.0], [1.0]], "vocabulary": 2}, "integers from 0 to 1"),
        ({"means": np.ones((2, 1)), "indices": [[0]], "vocabulary": 2}, r"indices have shape \(1, 1\)"),
    ],
)
def test_what_it_cannot_use_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        diagnose(**arguments)
