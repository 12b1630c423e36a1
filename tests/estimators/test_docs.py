from __future__ import annotations

import doctest
import inspect
import re

import pytest

from isthmus.estimators.registry import ESTIMATORS


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_parameter_is_documented(name: str) -> None:
    text = inspect.getdoc(ESTIMATORS[name]) or ""
    assert "{parameters}" not in text
    assert "{attributes}" not in text
    listed = {
        word.strip()
        for line in re.findall(r"^([\w, ]+) : ", text, flags=re.MULTILINE)
        for word in line.split(",")
    }
    assert set(ESTIMATORS[name]().get_params(deep=False)) <= listed


@pytest.mark.parametrize("name", ESTIMATORS)
def test_examples_run(name: str) -> None:
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    for example in finder.find(ESTIMATORS[name], name):
        assert runner.run(example).failed == 0
    assert runner.tries > 3
