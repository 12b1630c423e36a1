"""The classifier passes scikit-learn's checks, those too that `check_estimator` leaves out."""

from __future__ import annotations

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks as checks

from isthmus.estimators import AutoencoderClassifier, StackedAutoencoder

# Mini-batch learning: a row of weight 2 and the same row twice fall into different batches.
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": "mini-batches differ when rows are repeated",
    "check_sample_weight_equivalence_on_sparse_data": "mini-batches differ when rows are repeated",
}
FURTHER = (
    checks.check_dataframe_column_names_consistency,
    checks.check_param_validation,
    checks.check_inplace_ensure_writeable,
)
# With its defaults it passes too, in minutes.
QUICK = AutoencoderClassifier(
    StackedAutoencoder(max_epochs=3, layer_epochs=3), max_epochs=60, learning_rate=0.01
)


@checks.parametrize_with_checks(
    [QUICK], expected_failed_checks=lambda estimator: EXPECTED_FAILURES, xfail_strict=True
)
@pytest.mark.filterwarnings("ignore")
def test_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", FURTHER, ids=lambda check: check.__name__)
@pytest.mark.filterwarnings("ignore")
def test_further_check(check):
    check("AutoencoderClassifier", clone(QUICK))
