from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from isthmus.errors import InputError
from isthmus.estimators import Autoencoder, DenoisingAutoencoder, VariationalAutoencoder
from isthmus.parts import GaussianNoise, Masking, StudentT

MakeModel = Callable[..., Autoencoder]


@pytest.mark.parametrize(
    "corruption",
    ["masking:p=0.2", {"kind": "masking", "p": 0.2}, Masking(p=0.2)],
    ids=["text", "dict", "part"],
)
def test_the_fields_of_a_part_are_parameters(corruption: Any) -> None:
    model = DenoisingAutoencoder(corruption=corruption)
    assert model.get_params()["corruption__p"] == 0.2
    assert "corruption__p" not in model.get_params(deep=False)
    assert model.get_params()["corruption"] is corruption
    assert model.set_params(corruption__p=0.5).corruption == Masking(p=0.5)
    assert model.get_params()["corruption__p"] == 0.5
    assert clone(model).get_params() == model.get_params()


def test_a_part_and_its_field_can_be_set_at_once() -> None:
    model = DenoisingAutoencoder().set_params(
        corruption__sd=2.0, corruption="gaussian_noise:sd=1.0", max_epochs=7
    )
    assert (model.corruption, model.max_epochs) == (GaussianNoise(sd=2.0), 7)
    model.set_params(likelihood="student_t", likelihood__df=9.0)
    assert model.likelihood == StudentT(df=9.0)
    assert model.get_params()["likelihood__df"] == 9.0


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"corruption__q": 0.5}, r"corruption has no field 'q'; its fields are p\."),
        ({"likelihood": "laplace", "likelihood__scal": 1.0}, "no field 'scal'.*Did you mean \"scale\""),
        ({"corruption__p": 1.5}, "p must be a number from 0 to 1"),
        ({"likelihood__scale": 1.0}, "set likelihood to a part first"),
        ({"corruptoin__p": 0.5}, "Invalid parameter 'corruptoin'"),
        ({"hidden": 3}, "Invalid parameter 'hidden'"),
    ],
)
def test_what_cannot_be_set_is_refused(params: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        DenoisingAutoencoder().set_params(**params)


def test_a_part_without_fields_says_so() -> None:
    with pytest.raises(InputError, match=r"prior has no field 'q'; standard_normal has none\."):
        VariationalAutoencoder().set_params(prior__q=1)


def test_a_wrong_part_is_reported_by_fit(rows: np.ndarray) -> None:
    model = DenoisingAutoencoder(corruption="maskin")
    assert "corruption__p" not in model.get_params()
    with pytest.raises(InputError, match='Did you mean "masking"'):
        model.fit(rows)
    with pytest.raises(InputError, match="not a corruption"):
        DenoisingAutoencoder(corruption=StudentT()).fit(rows)
    with pytest.raises(ValueError, match="'corruption' parameter"):
        DenoisingAutoencoder(corruption=None).fit(rows)  # type: ignore[arg-type]


def test_clones_and_repr_need_no_fit() -> None:
    model = DenoisingAutoencoder(3, corruption=Masking(0.1), likelihood="laplace", random_state=4)
    assert "Masking(p=0.1)" in repr(model)
    assert repr(clone(model)) == repr(model)
    assert "DenoisingAutoencoder" in model._repr_html_()


@pytest.mark.filterwarnings("ignore:A worker stopped")
def test_a_grid_is_searched_in_processes_and_pipelines(rows: np.ndarray) -> None:
    model = DenoisingAutoencoder(hidden_sizes=(4,), max_epochs=2, random_state=0)
    grid = {
        "denoisingautoencoder__corruption__p": [0.1, 0.4],
        "denoisingautoencoder__n_components": [1, 2],
    }
    pipeline = make_pipeline(StandardScaler(), model)
    in_processes = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(rows)
    here = GridSearchCV(pipeline, grid, cv=2, n_jobs=1).fit(rows)
    np.testing.assert_array_equal(
        in_processes.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"]
    )
    assert len(set(here.cv_results_["mean_test_score"])) == 4
    best = in_processes.best_estimator_[-1]
    assert best.corruption == Masking(p=in_processes.best_params_["denoisingautoencoder__corruption__p"])
    assert in_processes.transform(rows).shape == (len(rows), best.n_components_)
