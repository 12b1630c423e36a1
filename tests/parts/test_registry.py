from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import InputError
from isthmus.parts import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Gaussian,
    GaussianNoise,
    Laplace,
    Masking,
    NegativeBinomial,
    Part,
    PerColumn,
    Point,
    Poisson,
    SaltAndPepper,
    StudentT,
    SwapNoise,
    members,
    parse,
    to_json,
    to_string,
)
from isthmus.parts.registry import kind_of

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
STRATEGIES = {"likelihood": likelihoods, "corruption": corruptions, "posterior": st.just(Point())}
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
    assert members("posterior") == {"point": Point}


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
