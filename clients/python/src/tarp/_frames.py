"""DataFrames as arguments, by the type of the parameter that they are for."""

from __future__ import annotations

import sys
from typing import Any

from ._pickling import column
from ._types import Type, kind_of


def fit_frame(value: Any, wanted: Type) -> Any:
    """A DataFrame as the parameter wants it; all else as it is.

    A list of lists gets the rows as a matrix, a list of records gets a dict for each row; anything
    else, such as a record of lists, gets a dict of the columns.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(value, pandas.DataFrame):
        return value
    kind, inner = kind_of(wanted)
    if kind == "option":
        return fit_frame(value, inner)
    if kind == "list" and kind_of(inner)[0] == "list":
        return value.to_numpy()
    if kind == "list" and kind_of(inner)[0] == "record":
        columns = {str(name): column(value[name]) for name in value.columns}
        # As Python's own numbers, so that the rows are records of plain values.
        plain = [c.tolist() if hasattr(c, "tolist") else c for c in columns.values()]
        return [dict(zip(columns, row)) for row in zip(*plain)]
    return value
