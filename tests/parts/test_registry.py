from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import InputError
from isthmus.nets.activations import CODE_ACTIVATIONS
from isthmus.parts import (
    ELBO,
    KL,
    Adversarial,
    Autoregressive,
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Contractive,
    DiagonalGaussian,
    FiniteScalar,
    Flow,
    Gaussian,
    GaussianMixture,
    GaussianNoise,
    ImportanceWeighted,
    Laplace,
    Masking,
    MaximumMeanDiscrepancy,
    NegativeBinomial,
    NeighborEmbedding,
    Part,
    PerColumn,
    Places,
    Point,
    Poisson,
    SaltAndPepper,
    Sparsity,
    StandardNormal,
    StudentT,
    SwapNoise,
    SwissRoll,
    TotalCorrelation,
    UniformSphere,
    VampPrior,
    VectorQuantized,
    VonMisesFisher,
    members,
    parse,
    to_json,
    to_string,
)
from isthmus.parts.registry import kind_of, parse_as

positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
scales = st.sampled_from(["shared", "per_feature"]) | positive
shares = st.floats(0, 1)
one_column = st.one_of(
    st.builds(Gaussian, scales),
    st.builds(Laplace, scales),
    st.builds(StudentT, st.floats(0, 1e6, exclude_min=True), scales),
    st.builds(Bernoulli, st.sampled_from([None, "dynamic", "threshold"])),
    st.sampled_from([ContinuousBernoulli(), Categorical(), Poisson(), NegativeBinomial()]),
)
columns = st.lists(st.tuples(st.text(), one_column), unique_by=lambda pair: pair[0], max_size=4).map(tuple)
likelihoods = one_column | st.builds(PerColumn, columns, st.none() | one_column)
corruptions = st.one_of(
    st.builds(Masking, shares),
    st.builds(SaltAndPepper, shares),
    st.builds(SwapNoise, shares),
    st.builds(GaussianNoise, st.floats(0, allow_infinity=False)),
)
above = st.floats(0, exclude_min=True, allow_infinity=False)
at_least = st.floats(0, allow_infinity=False)
few, widths = st.integers(2, 2**14), st.integers(1, 2**14)
posteriors = st.one_of(
    st.builds(Point, st.sampled_from(CODE_ACTIVATIONS), st.none() | widths),
    st.sampled_from([DiagonalGaussian(), VonMisesFisher()]),
    st.builds(VectorQuantized, few, widths, at_least, shares),
    st.builds(FiniteScalar, few),
    st.builds(Places, few),
)
priors = st.one_of(
    st.sampled_from([StandardNormal(), UniformSphere()]),
    st.builds(GaussianMixture, widths, st.sampled_from(["learned", "ring"]), above, above, above),
    st.builds(SwissRoll, above, above, above),
    st.builds(VampPrior, widths),
    st.builds(Flow, st.integers(1, 64), widths),
    st.builds(Autoregressive, widths),
)
terms = st.one_of(
    st.builds(KL, at_least, shares, at_least),
    st.builds(MaximumMeanDiscrepancy, at_least, st.sampled_from(["inverse_multiquadric", "gaussian"])),
    st.builds(Adversarial, at_least, st.lists(widths, min_size=1, max_size=3).map(tuple), above),
    st.builds(TotalCorrelation, at_least),
    st.builds(NeighborEmbedding, at_least, widths, st.sampled_from(["euclidean", "cosine"]), at_least),
    st.builds(Contractive, at_least, st.integers(1, 2**10)),
    st.builds(Sparsity, st.sampled_from(["l1", "kl", "top_k"]), at_least, st.floats(1e-6, 0.999), widths),
)
STRATEGIES = {
    "likelihood": likelihoods,
    "corruption": corruptions,
    "posterior": posteriors,
    "prior": priors,
    "bound": st.just(ELBO()) | st.builds(ImportanceWeighted, widths),
    "term": terms,
}
family_and_part = st.sampled_from(sorted(STRATEGIES)).flatmap(
    lambda family: st.tuples(st.just(family), STRATEGIES[family])
)


@given(family_and_part)
def test_every_part_survives_a_string_json_and_pickle(drawn: tuple[str, Part]) -> None:
    family, part = drawn
    assert parse(to_string(part), family) == part
    assert parse(json.loads(json.dumps(to_json(part))), family) == part
    assert pickle.loads(pickle.dumps(part)) == part
    assert parse(part, family) is part
    assert hash(parse(to_string(part), family)) == hash(part)


def test_the_strategies_reach_every_member() -> None:
    assert set(members("likelihood")) == {
        "bernoulli",
        "categorical",
        "continuous_bernoulli",
        "gaussian",
        "laplace",
        "negative_binomial",
        "per_column",
        "poisson",
        "student_t",
    }
    assert set(members("corruption")) == {"gaussian_noise", "masking", "salt_and_pepper", "swap_noise"}
    assert set(members("posterior")) == {
        "diagonal_gaussian",
        "finite_scalar",
        "places",
        "point",
        "vector_quantized",
        "von_mises_fisher",
    }
    assert set(members("prior")) == {
        "autoregressive",
        "flow",
        "gaussian_mixture",
        "standard_normal",
        "swiss_roll",
        "uniform_sphere",
        "vamp_prior",
    }
    assert set(members("bound")) == {"elbo", "importance_weighted"}
    assert set(members("term")) == {
        "adversarial",
        "contractive",
        "kl",
        "maximum_mean_discrepancy",
        "neighbor_embedding",
        "sparsity",
        "total_correlation",
    }


@pytest.mark.parametrize(
    ("said", "family", "meant"),
    [
        ("masking", "corruption", Masking()),
        ("masking:p=0.3", "corruption", Masking(p=0.3)),
        (" masking : p = .5 ", "corruption", Masking(p=0.5)),
        ("masking:p=1", "corruption", Masking(p=1.0)),
        ({"kind": "masking", "p": 0.3}, "corruption", Masking(p=0.3)),
        ("gaussian:scale=per_feature", "likelihood", Gaussian(scale="per_feature")),
        ("gaussian:scale=2", "likelihood", Gaussian(scale=2.0)),
        ("student_t:df=3,scale=shared", "likelihood", StudentT(df=3.0)),
        ("bernoulli:binarize=None", "likelihood", Bernoulli()),
        ("bernoulli:binarize=dynamic", "likelihood", Bernoulli(binarize="dynamic")),
        (
            "per_column:columns=(('a, b', 'student_t:df=3,scale=2'), ('c', 'poisson')),otherwise=gaussian",
            "likelihood",
            PerColumn({"a, b": StudentT(3, 2), "c": "poisson"}, otherwise={"kind": "gaussian"}),
        ),
    ],
)
def test_known_spellings(said: Any, family: str, meant: Part) -> None:
    assert parse(said, family) == meant


@pytest.mark.parametrize(
    ("said", "family", "meant"),
    [
        ("point:activation=sigmoid", "posterior", Point("sigmoid")),
        ("gaussian_mixture:layout=ring", "prior", GaussianMixture(layout="ring")),
        ("importance_weighted:k=50", "bound", ImportanceWeighted(50)),
        ("kl:beta=4,warmup=0", "term", KL(4.0, 0.0)),
        ({"kind": "adversarial", "hidden_sizes": [8, 4]}, "term", Adversarial(hidden_sizes=(8, 4))),
    ],
)
def test_known_spellings_of_the_codes_parts(said: Any, family: str, meant: Part) -> None:
    assert parse(said, family) == meant


@pytest.mark.parametrize(
    ("said", "family", "told"),
    [
        ("point:activation=sigmod", "posterior", 'Did you mean "sigmoid"'),
        ("vector_quantized:n_codes=1", "posterior", "from 2 to 65536"),
        ("swiss_roll:turns=0", "prior", "above 0"),
        ("gaussian_mixture:layout=rings", "prior", 'Did you mean "ring"'),
        ("importance_weighted:k=0", "bound", "from 1 to"),
        ("adversarial:hidden_sizes=()", "term", "at least 1"),
        ("sparsity:penalty=l2", "term", "one of"),
        ("kl:warmup=1.5", "term", "from 0 to 1"),
    ],
)
def test_fields_out_of_range_are_told(said: str, family: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse(said, family)


def test_written_as_the_design_has_it() -> None:
    assert to_string(Masking(p=0.3)) == str(Masking(p=0.3)) == "masking:p=0.3"
    assert to_json(Masking(p=0.3)) == {"kind": "masking", "p": 0.3}
    assert to_json(PerColumn({"a": "poisson"})) == {
        "kind": "per_column",
        "columns": [["a", {"kind": "poisson"}]],
        "otherwise": None,
    }
    assert kind_of(ContinuousBernoulli()) == "continuous_bernoulli"


def test_numbers_become_plain_python() -> None:
    part = Masking(p=np.float32(0.5))
    assert type(part.p) is float
    assert to_string(part) == "masking:p=0.5"
    assert type(GaussianNoise(sd=np.int64(2)).sd) is float


@pytest.mark.parametrize(
    ("said", "family", "hints"),
    [
        ("maskin", "corruption", ["'maskin'", 'Did you mean "masking"?', "swap_noise"]),
        ("Gausian", "likelihood", ['Did you mean "gaussian"?']),
        ("masking:q=0.3", "corruption", ["no field 'q'", "fields are: p"]),
        ("gaussian:scal=2", "likelihood", ['Did you mean "scale"?']),
        ("poisson:rate=2", "likelihood", ["no field 'rate'", "it has none"]),
        ("masking:0.3", "corruption", ["'0.3' is not field=value"]),
        ("masking:p=0.3,p=0.4", "corruption", ["'p' is given twice"]),
        ("masking:p=1.5", "corruption", ["p must be a number from 0 to 1, not 1.5"]),
        ("masking:p=often", "corruption", ["p must be a number from 0 to 1, not 'often'"]),
        ("masking:p=True", "corruption", ["not True"]),
        ("gaussian_noise", "corruption", ["needs sd", '"gaussian_noise:sd=..."']),
        ("gaussian:scale=per_featur", "likelihood", ['Did you mean "per_feature"?', "a number above 0"]),
        ("gaussian:scale=0", "likelihood", ["scale must be a number above 0, not 0"]),
        ("student_t:df=-1", "likelihood", ["df must be a number above 0, up to 1e+06, not -1"]),
        ("bernoulli:binarize=thresold", "likelihood", ['Did you mean "threshold"?']),
        ("per_column:columns=age", "likelihood", ["(name, likelihood) pairs"]),
        ("per_column:columns=(('a', 'gausian'),)", "likelihood", ['Did you mean "gaussian"?']),
        ("per_column:otherwise=per_column", "likelihood", ["cannot hold another"]),
        ("per_column:columns=(('a', 'poisson'), ('a', 'poisson'))", "likelihood", ["two likelihoods"]),
        ("", "corruption", ["no corruption is called ''"]),
        ({"p": 0.3}, "corruption", ["is not a corruption", "masking"]),
        ({"kind": 3}, "corruption", ["is not a corruption"]),
        (0.3, "corruption", ["0.3 is not a corruption"]),
        (Gaussian(), "corruption", ["a likelihood, not a corruption"]),
        ("masking", "corupt", ["'corupt'", 'Did you mean "corruption"?']),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(said: Any, family: str, hints: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse(said, family)
    assert "\n" not in str(caught.value)
    for hint in hints:
        assert hint in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1, "0.3", None, True])
@pytest.mark.parametrize("kind", [Masking, SaltAndPepper, SwapNoise])
def test_probabilities_are_checked(kind: type[Part], value: Any) -> None:
    with pytest.raises(InputError, match="p must be a number from 0 to 1"):
        kind(p=value)  # type: ignore[call-arg]


@given(
    st.sampled_from(["", "masking:", "masking:p=", "masking:p='", "masking:p=(", "per_column:"]), st.text()
)
def test_any_text_is_read_or_refused_in_one_line(start: str, text: str) -> None:
    try:
        parse(start + text, "likelihood" if start.startswith("per") else "corruption")
    except InputError as error:
        message = str(error)
    else:
        message = ""
    assert len(message.splitlines()) < 2


def test_a_part_of_another_kind_is_refused_by_the_parameters_name() -> None:
    assert parse_as("kl:beta=2", "term", (KL,), "divergence") == KL(2.0)
    with pytest.raises(InputError, match=r"divergence='sparsity': expected \"kl\""):
        parse_as("sparsity", "term", (KL,), "divergence")
