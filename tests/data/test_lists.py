from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.data.lists import as_column, as_entries

DAY = datetime(2020, 1, 2)


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ([1, 2], [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        ([True, False], [True, False]),
        ([1, None, 3], [1, None, 3]),
        (["a", 1, 2.5], ["a", "1", "2.5"]),
        (["a", float("nan"), None, pd.NA, np.datetime64("NaT")], ["a", None, None, None, None]),
        (["nan", "None"], ["nan", "None"]),
        ([np.int64(3), np.float32(0.5)], [3.0, 0.5]),
        ([pd.Timestamp(DAY), pd.NaT], [DAY, None]),
        (np.array([DAY, "NaT"], dtype="datetime64[ns]"), [DAY, None]),
        (np.array(["a", "-1"]), ["a", "-1"]),
        (np.array([2, 3], dtype=np.uint8), [2, 3]),
    ],
    ids=str,
)
def test_a_list_becomes_a_column_of_one_type_whose_gaps_stay_gaps(values: Any, column: list[Any]) -> None:
    found = as_column(as_entries(values)).tolist()
    assert found == column
    assert all(isinstance(one, type(other)) for one, other in zip(found, column, strict=True))


def test_rows_of_unlike_entries_keep_their_columns_types() -> None:
    matrix = as_entries([("a", 1), ("b", 2)])
    assert as_column(matrix[:, 1]).dtype.kind == "i"
