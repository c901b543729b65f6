"""Writes the pickles of requests: arguments as the host reads them, arrays without a copy.

Plain values go to Python's own pickler. What the host does not know but can be said in its terms
is converted first (`_converting`); such values are looked for only where a pickle names their
class, so ordinary calls do not pay for it.
"""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import pickle
import sys
import uuid
from collections.abc import Mapping, Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any

from ._converting import ConversionError, convert, refuse
from ._exceptions import BadArguments
from ._message import Buffer
from ._types import Type

#: The parameters of a procedure: their names and types.
Parameters = Sequence[tuple[str, Type]]


#: Types whose values any pickler writes as hosts read them, and without a large buffer.
_SMALL = frozenset({type(None), bool, int, float})


def pickle_arguments(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], parameters: Parameters = ()
) -> list[Buffer]:
    """The pickle of `(args, kwargs)` in pieces; those of large arrays are the arrays' own memory.

    Raises BadArguments for what cannot be sent, with the name of the argument.
    """
    if not kwargs and all(type(arg) in _SMALL for arg in args):
        return [pickle.dumps((args, {}), protocol=5)]
    try:
        return _pieces((args, dict(kwargs)))
    except (_Foreign, *_UNPICKLABLE):
        pass
    types = [*parameters, *[(str(n), "") for n in range(len(parameters), len(args))]]
    named = dict(parameters)
    positional = tuple(_converted(arg, name, ty) for arg, (name, ty) in zip(args, types))
    by_name = {name: _converted(arg, name, named.get(name, "")) for name, arg in kwargs.items()}
    return _pieces((positional, by_name))


def pickle_value(value: Any) -> list[Buffer]:
    """A pickle in pieces of a value of any type. Raises BadArguments for what cannot be sent."""
    try:
        return _pieces(value)
    except (_Foreign, *_UNPICKLABLE):
        pass
    try:
        native = convert(value, "")
        return _pieces(native)
    except ConversionError as error:
        raise BadArguments(f"the arguments cannot be sent: {error}") from None
    except (_Foreign, *_UNPICKLABLE) as error:
        raise BadArguments(f"the arguments cannot be sent: {error}") from None


def _converted(value: Any, name: str, ty: Type) -> Any:
    try:
        native = convert(value, ty)
        try:
            _pieces(native)
        except (_Foreign, *_UNPICKLABLE) as error:
            raise refuse(value, str(error)) from None
        return native
    except ConversionError as error:
        title = f"argument {int(name) + 1}" if name.isdigit() else f"the argument `{name}`"
        raise BadArguments(f"{title}{error.place}: {error.reason}") from None


#: What the pickler itself raises.
_UNPICKLABLE = (pickle.PicklingError, AttributeError, RecursionError, TypeError, ValueError)


def _pieces(value: object) -> list[Buffer]:
    pieces = _Pieces()
    _Pickler(pieces, protocol=5).dump(value)
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


#: Classes of the standard library that hosts read as they are pickled, but not their subclasses.
_KNOWN = frozenset(
    {
        array.array,
        collections.deque,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        datetime.timezone,
        decimal.Decimal,
        fractions.Fraction,
        range,
        uuid.UUID,
    }
)

#: Where the functions and classes are with which those, and numpy's, are pickled.
_MAKERS = frozenset(
    {
        "_codecs",
        "_decimal",
        "_pydecimal",
        "array",
        "builtins",
        "collections",
        "copyreg",
        "datetime",
        "decimal",
        "fractions",
        "numpy",
        "uuid",
        "zoneinfo",
    }
)


class _Pickler(pickle.Pickler):
    #: Whether there has been a value that is made with a function or a class.
    _has_made = False

    def reducer_override(self, value: Any) -> Any:
        # Only called for what is not of a built-in type.
        kind = type(value)
        if kind in _KNOWN or _is_of_numpy(value, kind) or _is_zone(kind):
            self._has_made = True
        elif not (self._has_made and _is_maker(value, kind)):
            raise _Foreign
        return NotImplemented


def _is_of_numpy(value: Any, kind: type) -> bool:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return False
    if isinstance(value, numpy.complexfloating):
        return False
    return kind is numpy.ndarray or isinstance(value, (numpy.generic, numpy.dtype))


def _is_zone(kind: type) -> bool:
    return kind.__module__ == "zoneinfo" and kind.__name__ == "ZoneInfo"


def _is_maker(value: Any, kind: type) -> bool:
    if not issubclass(kind, (type, FunctionType, BuiltinFunctionType)):
        return False
    return (getattr(value, "__module__", None) or "").partition(".")[0] in _MAKERS
