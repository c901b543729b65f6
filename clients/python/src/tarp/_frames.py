"""pandas' objects as arguments, by the type of the parameter that they are for.

Rows are told from columns by the parameter's type; the index is not sent.
"""

from __future__ import annotations

import sys
from typing import Any

from ._converting import ConversionError, convert, mapping, parts_of
from ._types import Type, kind_of

#: What `convert_frame` gives for a value that is none of pandas'.
NO_FRAME = object()


def convert_frame(value: Any, ty: Type) -> Any:
    """A DataFrame, Series, Index or array of pandas as the parameter wants it.

    Of a DataFrame, a list of lists gets the rows as a matrix, a list of records gets a dict for
    each row; anything else, such as a record of lists, gets a dict of the columns.
    """
    if hasattr(type(value), "to_dicts") and hasattr(type(value), "to_dict"):
        # A DataFrame of polars.
        is_rows = _item(ty) is not None and kind_of(_item(ty) or "")[0] == "record"
        if _is_matrix(ty):
            # One array only where no value has to change its type for that, nor has a gap.
            one_type = len(set(map(str, value.dtypes))) == 1
            has_gaps = any(value.null_count().row(0))
            if one_type and not has_gaps:
                return convert(value.to_numpy(), ty)
            return convert([list(row) for row in value.rows()], ty)
        plain = value.to_dicts() if is_rows else value.to_dict(as_series=False)
        return convert(plain, ty)
    if hasattr(type(value), "to_list") and hasattr(type(value), "null_count"):
        # A Series of polars, whose gaps would be NaN in an array.
        return convert(value.to_list() if value.null_count() else value.to_numpy(), ty)
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return NO_FRAME
    if isinstance(value, pandas.DataFrame):
        return _frame(value, ty, pandas)
    if isinstance(value, (pandas.MultiIndex,)):
        raise ConversionError(
            "a MultiIndex has several values at each place; send .to_frame() of it"
        )
    if isinstance(value, pandas.Series) and kind_of(ty or "?")[0] == "record":
        names = _names(value.index, pandas)
        return convert(dict(zip(names, value.tolist())), ty)
    if (
        isinstance(value, pandas.Series)
        and kind_of(ty or "?")[0] == "map"
        and not isinstance(value.index, pandas.MultiIndex)
    ):
        return mapping(zip(value.index.tolist(), value.tolist()), ty)
    if isinstance(value, (pandas.Index, pandas.api.extensions.ExtensionArray)):
        value = pandas.Series(value)
    if isinstance(value, pandas.Series):
        if isinstance(value.index, pandas.MultiIndex):
            raise ConversionError(
                "a Series with a MultiIndex would lose it; send .reset_index() for records, or"
                " .to_numpy() for the values alone"
            )
        return column(value, _item(ty))
    return NO_FRAME


def _item(ty: Type | None) -> Type | None:
    """The type of a list's items; None where it is no list."""
    if not ty:
        return None
    kind, inner = kind_of(ty)
    return inner if kind == "list" else None


def _is_matrix(ty: Type) -> bool:
    item = _item(ty)
    return item is not None and kind_of(item)[0] == "list"


def _frame(frame: Any, ty: Type, pandas: Any) -> Any:
    names = _names(frame.columns, pandas)
    if isinstance(frame.index, pandas.MultiIndex):
        raise ConversionError(
            "a DataFrame with a MultiIndex would lose it; send .reset_index() to make columns of"
            " it, or .reset_index(drop=True)"
        )
    item = _item(ty)
    if item is not None and kind_of(item)[0] == "list":
        return _matrix(frame, names, kind_of(item)[1])
    if item is not None and kind_of(item)[0] == "record":
        types = {field["name"]: field["type"] for field in kind_of(item)[1]}
        columns = [_column(frame, n, name, types.get(name)) for n, name in enumerate(names)]
        # As Python's own numbers, so that the rows are records of plain values.
        plain = [c.tolist() if hasattr(c, "tolist") else c for c in columns]
        return [dict(zip(names, row)) for row in zip(*plain)]
    kind, inner = parts_of(ty)
    types = {field["name"]: field["type"] for field in inner} if kind == "record" else {}
    if item is not None and kind_of(item)[0] == "tuple" and len(kind_of(item)[1]) == 2:
        types = dict.fromkeys(names, kind_of(item)[1][1])
    if kind == "map":
        types = dict.fromkeys(names, inner["value"])
    return {name: _column(frame, n, name, _item(types.get(name))) for n, name in enumerate(names)}


def _names(index: Any, pandas: Any) -> list[str]:
    """The names of columns, all different."""
    if isinstance(index, pandas.MultiIndex):
        raise ConversionError(
            "its columns have a MultiIndex; give each one name first, such as"
            " frame.columns = ['_'.join(map(str, names)) for names in frame.columns]"
        )
    names = [str(name) for name in index]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConversionError(f"two of its columns are called {twice!r}; rename or drop one")
    return names


def _column(frame: Any, n: int, name: str, item: Type | None) -> Any:
    try:
        return column(frame.iloc[:, n], item)
    except ConversionError as error:
        raise error.at(f"[{name!r}]") from None


def _matrix(frame: Any, names: list[str], item: Type) -> Any:
    # Of one kind, so that no integer becomes a float in the array.
    kinds = {getattr(dtype, "kind", "O") for dtype in frame.dtypes}
    plain = len(kinds) == 1 and kinds <= set("biuf")
    has_gaps = kind_of(item)[0] == "option" and bool(frame.isna().any(axis=None))
    if plain and not has_gaps and not any(hasattr(dtype, "na_value") for dtype in frame.dtypes):
        return frame.to_numpy()
    columns = [_column(frame, n, name, item) for n, name in enumerate(names)]
    listed = [c.tolist() if hasattr(c, "tolist") else c for c in columns]
    return [list(row) for row in zip(*listed)]


def column(series: Any, item: Type | None) -> Any:
    """A column of pandas for a list of items: an array of numbers, or a list of anything else.

    What is missing is None where the items have an option. NaN in a column of plain floats is a
    number like any other there. Other gaps are refused.
    """
    import pandas

    gaps = series.isna().to_numpy()
    dtype = series.dtype
    is_extension = pandas.api.types.is_extension_array_dtype(dtype)
    if gaps.any():
        is_float = not is_extension and dtype.kind == "f"
        if item is None or kind_of(item)[0] == "option":
            if not (item is None and is_float):
                return [
                    None if gap else convert(value, item or "")
                    for value, gap in zip(series.tolist(), gaps)
                ]
        elif not is_float:
            first = int(gaps.argmax())
            cure = "fill it (.fillna), drop it (.dropna)"
            if pandas.api.types.is_numeric_dtype(dtype):
                cure += ", or make it NaN with .astype('float64')"
            raise ConversionError(f"the value is missing; {cure}").at(f"[{first}]")
    if pandas.api.types.is_bool_dtype(dtype) and getattr(dtype, "kind", "") == "b":
        return series.to_numpy(dtype="bool")
    if pandas.api.types.is_numeric_dtype(dtype):
        # Of a dtype of pandas' own, the one of numpy that it stands for.
        return series.to_numpy(dtype=getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", None)))
    return convert(series.tolist(), {"list": item} if item else "")
