"""Every exported estimator passes scikit-learn's checks, those too that `check_estimator` leaves out."""

from __future__ import annotations

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks as checks

from isthmus.estimators.registry import ESTIMATORS

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


@checks.parametrize_with_checks(
    [estimator() for estimator in ESTIMATORS.values()],
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
    check(name, clone(ESTIMATORS[name]()))
