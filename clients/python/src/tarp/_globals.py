"""What the pickle of a reply may name, and the values that are made of it.

A host names only bytearrays and arrays. The original's own servers pickle whatever their functions
return: numpy's arrays and scalars as numpy pickles them, times, decimals and the like. Nothing here
is called with arguments that have not been checked.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import uuid
from typing import Any, Callable

from . import _numpy_pickles
from ._arrays import make_array
from ._exceptions import InvalidReply


class Name:
    """A global that a pickle may name. It cannot be called; REDUCE knows what it stands for."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make


def _checked(make: Callable[..., Any], *kinds: tuple[type, ...], least: int | None = None) -> Name:
    """Makes a value of arguments of these types, of which only the first `least` must be there."""

    def checked(*arguments: object) -> Any:
        fits = (len(kinds) if least is None else least) <= len(arguments) <= len(kinds)
        if not fits or not all(type(a) in kind for a, kind in zip(arguments, kinds)):
            raise InvalidReply(f"the pickle in the reply has a damaged {make.__name__}")
        return make(*arguments)

    return Name(checked)


def _no_value(*_: object) -> Any:
    raise InvalidReply("the pickle in the reply calls a class that it only may build")


_INTEGER = (int,)
_MAY_BE_NONE = (int, type(None))
_ZONE = (datetime.timezone, type(None))

#: The class of UUIDs, whose pickles make an empty one and fill it.
UUID = Name(_no_value)

#: By module and name.
NAMES: dict[tuple[object, object], Name] = {
    ("builtins", "bytearray"): _checked(bytearray, (bytes,)),
    ("builtins", "complex"): _checked(complex, (float,), (float,)),
    ("builtins", "range"): _checked(range, _INTEGER, _INTEGER, _INTEGER),
    ("builtins", "slice"): _checked(slice, _MAY_BE_NONE, _MAY_BE_NONE, _MAY_BE_NONE),
    ("collections", "Counter"): _checked(collections.Counter, (dict,)),
    ("collections", "OrderedDict"): _checked(collections.OrderedDict),
    ("collections", "deque"): _checked(collections.deque, (tuple,), _INTEGER, least=0),
    ("datetime", "date"): _checked(datetime.date, (bytes,)),
    ("datetime", "datetime"): _checked(datetime.datetime, (bytes,), _ZONE, least=1),
    ("datetime", "time"): _checked(datetime.time, (bytes,), _ZONE, least=1),
    ("datetime", "timedelta"): _checked(datetime.timedelta, _INTEGER, _INTEGER, _INTEGER),
    ("datetime", "timezone"): _checked(datetime.timezone, (datetime.timedelta,), (str,), least=1),
    ("decimal", "Decimal"): _checked(decimal.Decimal, (str,)),
    ("fractions", "Fraction"): _checked(fractions.Fraction, (str, int), _INTEGER, least=1),
    ("uuid", "UUID"): UUID,
    ("numpy", "ndarray"): Name(make_array),
    ("numpy", "dtype"): Name(_numpy_pickles.dtype),
    # The first are the names before numpy 2.
    ("numpy.core.multiarray", "_reconstruct"): Name(_numpy_pickles.reconstruct),
    ("numpy._core.multiarray", "_reconstruct"): Name(_numpy_pickles.reconstruct),
    ("numpy.core.multiarray", "scalar"): Name(_numpy_pickles.scalar),
    ("numpy._core.multiarray", "scalar"): Name(_numpy_pickles.scalar),
    ("numpy.core.numeric", "_frombuffer"): Name(_numpy_pickles.frombuffer),
    ("numpy._core.numeric", "_frombuffer"): Name(_numpy_pickles.frombuffer),
}


def make_new(name: object, arguments: object) -> Any:
    """What NEWOBJ makes: something empty that BUILD fills."""
    if name is not UUID or arguments != ():
        raise InvalidReply("the pickle in the reply makes an object of a class that is not known")
    return uuid.UUID.__new__(uuid.UUID)


def build(value: object, state: object) -> None:
    """Fills what REDUCE or NEWOBJ made."""
    if type(value) is not uuid.UUID:
        _numpy_pickles.build(value, state)
        return
    if type(state) is not dict or not {"int"} <= state.keys() <= {"int", "is_safe"}:
        raise InvalidReply("the pickle in the reply has a damaged UUID")
    number, is_safe = state["int"], state.get("is_safe", uuid.SafeUUID.unknown.value)
    if type(number) is not int or not 0 <= number < 1 << 128:
        raise InvalidReply("the pickle in the reply has a damaged UUID")
    # A UUID refuses to be changed, as its own unpickling would do here.
    object.__setattr__(value, "int", number)
    object.__setattr__(value, "is_safe", uuid.SafeUUID(is_safe))
