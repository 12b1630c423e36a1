"""Every exported estimator passes scikit-learn's checks, those too that `check_estimator` leaves out."""

from __future__ import annotations

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_checks as checks

from isthmus.estimators.registry import ESTIMATORS

# This one keeps its defaults, everything at "auto", as scikit-learn's own estimators do when they are
# checked. The others differ from it in parts, and in nothing that depends on how long they train; with
# default lengths each would take several minutes.
DEFAULT = "Autoencoder"
SHORTER = {"StackedAutoencoder": {"layer_epochs": 5}}

# Mini-batch learning: a row of weight 2 and the same row twice fall into different batches.
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": "mini-batches differ when rows are repeated",
    "check_sample_weight_equivalence_on_sparse_data": "mini-batches differ when rows are repeated",
}
FURTHER = (
    checks.check_dataframe_column_names_consistency,
    checks.check_transformer_get_feature_names_out,
    checks.check_transformer_get_feature_names_out_pandas,
    checks.check_get_feature_names_out_error,
    checks.check_set_output_transform,
    checks.check_set_output_transform_pandas,
    checks.check_set_output_transform_polars,
    checks.check_global_output_transform_pandas,
    checks.check_global_set_output_transform_polars,
    checks.check_param_validation,
    checks.check_inplace_ensure_writeable,
)


def short(name: str) -> BaseEstimator:
    return ESTIMATORS[name](**({"max_epochs": 20} | SHORTER.get(name, {})))


@checks.parametrize_with_checks(
    [ESTIMATORS[name]() if name == DEFAULT else short(name) for name in ESTIMATORS],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
    xfail_strict=True,
)
@pytest.mark.filterwarnings("ignore")
def test_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("check", FURTHER, ids=lambda check: check.__name__)
@pytest.mark.filterwarnings("ignore")
def test_further_check(check, name):
    check(name, short(name))
