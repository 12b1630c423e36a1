from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from isthmus import Autoencoder, DenoisingAutoencoder
from isthmus.errors import InputError
from isthmus.parts import Gaussian, Masking


def test_fields_of_parts_are_parameters() -> None:
    model = DenoisingAutoencoder(corruption="masking:p=0.2")
    assert model.get_params()["corruption__p"] == 0.2
    assert "corruption__p" not in model.get_params(deep=False)
    assert model.set_params(corruption__p=0.5).corruption == Masking(p=0.5)
    assert clone(model).corruption == Masking(p=0.5)


def test_a_part_and_its_field_can_be_set_at_once() -> None:
    model = DenoisingAutoencoder().set_params(corruption="gaussian_noise:sd=1.0", corruption__sd=2.0)
    assert model.get_params()["corruption__sd"] == 2.0


def test_a_field_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="corruption has no field 'q'"):
        DenoisingAutoencoder().set_params(corruption__q=1)
    with pytest.raises(InputError, match="likelihood"):
        Autoencoder().set_params(likelihood__scale=1.0)


def test_strings_dicts_and_parts_say_the_same(rows: np.ndarray) -> None:
    said = ["gaussian:scale=2.0", {"kind": "gaussian", "scale": 2.0}, Gaussian(scale=2.0)]
    fitted = [
        Autoencoder(2, hidden_sizes=(), likelihood=likelihood, max_epochs=2, random_state=0).fit(rows)
        for likelihood in said
    ]
    codes = [model.transform(rows) for model in fitted]
    np.testing.assert_array_equal(codes[0], codes[1])
    np.testing.assert_array_equal(codes[0], codes[2])


@pytest.mark.parametrize("likelihood", ["gausian", "gaussian:skale=1", "categorical", "bernoulli"])
def test_a_likelihood_that_cannot_be_is_refused(rows: np.ndarray, likelihood: str) -> None:
    with pytest.raises(InputError):
        Autoencoder(2, likelihood=likelihood, max_epochs=1).fit(rows)


def test_a_grid_reaches_the_parts_through_a_pipeline(rows: np.ndarray) -> None:
    pipeline = make_pipeline(
        StandardScaler(), DenoisingAutoencoder(2, hidden_sizes=(4,), max_epochs=2, random_state=0)
    )
    grid = {"denoisingautoencoder__corruption__p": [0.1, 0.9], "denoisingautoencoder__n_components": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(rows)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
