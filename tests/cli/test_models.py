"""Every estimator from the command line: listed, fitted, resumed, encoded and scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isthmus
from isthmus import parts
from isthmus.cli.fit_options import ESTIMATORS as NAMES
from isthmus.cli.models import default_parts, first_sentence
from isthmus.estimators.generative import Generative
from isthmus.estimators.registry import ESTIMATORS
from isthmus.parts.registry import parse, to_string

from .conftest import Workshop, call, digest, succeed

FAMILY = {"corruption": "corruption", "posterior": "posterior", "prior": "prior", "bound": "bound"}


def options(name: str, data: str) -> list[str]:
    """Return what some estimators need."""
    if name == "ConditionalVariationalAutoencoder":
        return ["--condition", "town" if data == "csv" else "y"]
    return []


def test_help_and_list_name_all_that_are_registered() -> None:
    assert sorted(ESTIMATORS) == sorted(NAMES)
    text = " ".join(call("fit", "--help").out.replace("│", " ").split())
    out = succeed("models")
    for name, estimator in ESTIMATORS.items():
        assert name in text
        kind = " (generative)" if issubclass(estimator, Generative) else ""
        assert f"{name}{kind}\n  {first_sentence(estimator)[:60]}" in out
        assert f"paper       {estimator.paper}\n" in out
    assert "AutoencoderClassifier: for labels, in Python" in out


def test_every_estimator_names_its_own_paper() -> None:
    papers = [estimator.paper for estimator in ESTIMATORS.values()]
    assert all(vars(estimator).get("paper") for estimator in ESTIMATORS.values())
    assert len(set(papers)) == len(papers)


def test_first_sentences_end_where_they_end() -> None:
    described = type("Described", (), {"__doc__": "One of ``two`` (Rifai et al. 2011). Another.\n\nMore."})
    assert first_sentence(described) == "One of two (Rifai et al. 2011)."


@pytest.mark.parametrize("name", ESTIMATORS)
def test_parts_are_listed_as_the_options_take_them(name: str) -> None:
    estimator: Any = ESTIMATORS[name]
    listed = dict(default_parts(estimator))
    for family in FAMILY.keys() & listed:
        assert to_string(parse(listed[family], family)) == listed[family]
        if family in estimator.part_families:
            again = estimator(**{family: listed[family]})
            assert getattr(again, f"_{family}")() == getattr(estimator(), f"_{family}")()
    assert ("bound" in listed) == any(isinstance(term, parts.KL) for term in estimator()._terms())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_is_fitted_encoded_and_scored(shop: Workshop, tmp_path: Path, name: str) -> None:
    model, short = tmp_path / "m", ("--latent", 4, "--seed", 1, "--set", "max_epochs=1")
    words = ("--model", name, "--ignore", "name", *options(name, "csv"), *short)
    done = call("fit", shop.csv, "-o", model, *words)
    assert done.status == 0, done.err
    fitted = isthmus.load(model)
    assert type(fitted).__name__ == name
    succeed("encode", model, shop.csv, "-o", tmp_path / "z.npy")
    assert_array_equal(np.load(tmp_path / "z.npy"), fitted.transform(shop.table))
    mean = fitted.score(shop.table)
    assert f"{mean:.6g} nats per row, over 60 rows" in succeed("score", model, shop.csv)
    assert name in succeed("info", model)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_resumes_to_the_same_bits(shop: Workshop, tmp_path: Path, name: str) -> None:
    words = ("--model", name, *options(name, "npz"), "--latent", 4, "--seed", 1, "--quiet")
    words = (*words, "--set", "max_epochs=2", "--set", "hidden_sizes=(6,)")
    assert call("fit", shop.npz, "-o", tmp_path / "whole", *words).status == 0
    # What is left of a run that ended after its first step, without being saved.
    given = {"checkpoint": tmp_path / "m.checkpoint", "checkpoint_seconds": 0, "hidden_sizes": (6,)}
    estimator = ESTIMATORS[name](4, max_epochs=2, random_state=1, **given)
    told = {"condition": {"y": shop.classes}} if options(name, "npz") else {}
    estimator.set_callbacks(Stopping())
    estimator.fit(isthmus.read(shop.npz), **told)
    assert estimator.n_iter_ == 1
    done = call("fit", shop.npz, "-o", tmp_path / "m", *words, "--resume")
    assert done == (0, "", "")
    assert digest(tmp_path / "m") == digest(tmp_path / "whole")


class Stopping:
    """A callback that stops after the first epoch."""

    def setup(self, estimator: Any, context: Any) -> None: ...

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None: ...

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        return True

    def teardown(self, estimator: Any, context: Any) -> None: ...
