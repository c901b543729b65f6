"""Writes the pickles of requests: arguments as the host reads them, arrays without a copy.

Plain values go to Python's own pickler. What the host does not know but can be said in its terms
is said so: pandas' objects and whatever else offers itself as an array, dataclasses, named tuples,
enums. Such values are looked for only where a pickle names their class, so ordinary calls do not
pay for it.
"""

from __future__ import annotations

import dataclasses
import enum
import pickle
import sys
from collections.abc import Mapping
from typing import Any

from ._arrays import as_array, offers_array
from ._message import Buffer


def pickle_arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Buffer]:
    """The pickle of `(args, kwargs)`; see `pickle_value`."""
    return pickle_value((args, dict(kwargs)))


def pickle_value(value: Any) -> list[Buffer]:
    """A pickle in pieces; those of large arrays are the arrays' own memory.

    Raises TypeError for what cannot be pickled.
    """
    try:
        return _pieces(value)
    except _Foreign:
        return _pieces(_native(value))


def _pieces(value: object) -> list[Buffer]:
    pieces = _Pieces()
    try:
        _Pickler(pieces, protocol=5).dump(value)
    except (pickle.PicklingError, AttributeError, RecursionError) as error:
        raise TypeError(f"the arguments cannot be sent: {error}") from None
    return pieces.pieces


class _Pieces:
    """The file that the pickler writes to."""

    def __init__(self) -> None:
        self.pieces: list[Buffer] = []

    def write(self, piece: Buffer | pickle.PickleBuffer) -> None:
        if isinstance(piece, pickle.PickleBuffer):
            self.pieces.append(piece.raw())
        else:
            self.pieces.append(piece)


class _Foreign(Exception):
    """There is a value that has to be converted first."""


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        # Only called for what is not of a built-in type.
        if _is_foreign(value):
            raise _Foreign
        return NotImplemented


def _is_foreign(value: Any) -> bool:
    return (
        isinstance(value, (enum.Enum, Mapping))
        or (isinstance(value, tuple) and hasattr(value, "_fields"))
        or (dataclasses.is_dataclass(value) and not isinstance(value, type))
        or offers_array(value)
    )


def _native(value: Any) -> Any:
    """The value with everything in it that has to be converted converted."""
    kind = type(value)
    if kind in (list, tuple):
        return kind(map(_native, value))
    if isinstance(value, Mapping):
        return {_native(key): _native(item) for key, item in value.items()}
    if isinstance(value, enum.Enum):
        return _native(value.value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _native(item) for name, item in zip(value._fields, value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: _native(getattr(value, field.name)) for field in fields}
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return {str(name): column(value[name]) for name in value.columns}
    if pandas is not None and isinstance(value, (pandas.Series, pandas.Index)):
        return column(value)
    if offers_array(value):
        array = as_array(value)
        return array.tolist() if array.dtype == object else array
    return value


def column(series: Any) -> Any:
    """A column of pandas: an array where it is of numbers, with NaN for what is missing; a list
    with None for what is missing otherwise."""
    import pandas

    if pandas.api.types.is_bool_dtype(series.dtype) and not series.hasnans:
        return series.to_numpy(dtype="bool")
    if pandas.api.types.is_numeric_dtype(series.dtype):
        if series.hasnans:
            return series.to_numpy(dtype="float64", na_value=float("nan"))
        plain = getattr(series.dtype, "numpy_dtype", series.dtype)
        return series.to_numpy(dtype=plain)
    return [None if missing else item for item, missing in zip(series.tolist(), series.isna())]
