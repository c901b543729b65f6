"""Arguments in the host's terms, by the types of their parameters.

Each value is taken exactly, or refused with the place in the argument, the reason and the cure.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import os
import sys
from collections.abc import Iterable, Iterator, KeysView, Mapping, Set, ValuesView
from typing import Any

from ._arrays import as_array, offers_array
from ._names import meant
from ._types import Type, kind_of

#: Values of exactly these types are sent as they are.
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, bytearray, range})

#: Types that say nothing: of a parameter that this version of the client does not know.
_ANY = ""


def parts_of(ty: Type) -> tuple[str, Any]:
    """As `kind_of`, also for the type that says nothing."""
    return kind_of(ty) if ty else (_ANY, None)


class ConversionError(Exception):
    """A value that cannot be sent: where it is in the argument, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = ""

    def at(self, step: str) -> ConversionError:
        """The same, one level further out."""
        self.place = step + self.place
        return self

    def __str__(self) -> str:
        return f"at {self.place}: {self.reason}" if self.place else self.reason


def refuse(value: object, cure: str) -> ConversionError:
    """Refuses a value by the name of its class."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return ConversionError(f"a {module}{kind.__qualname__} cannot be sent; {cure}")


def convert(value: Any, ty: Type) -> Any:
    """The value with everything in it converted that has to be.

    Raises ConversionError where that is not exact.
    """
    if type(value) in _PLAIN:
        return value
    try:
        return _convert(value, ty)
    except RecursionError:
        raise ConversionError("it holds itself, or is nested too deeply") from None


def _convert(value: Any, ty: Type) -> Any:
    name, inner = parts_of(ty)
    if name == "option" and kind_of(inner)[0] != "option":
        return None if is_missing(value) else convert(value, inner)
    if isinstance(value, enum.Enum):
        return convert(value.value, ty)
    if isinstance(value, (str, int, float, bytes, bytearray)) and not _is_numpy_scalar(value):
        return _without_subclass(value)
    if isinstance(value, complex):
        return _pair(value, name, inner)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _named_tuple(value, name, ty)
    if isinstance(value, (list, tuple, collections.deque)):
        return _sequence(value, ty, tuple if isinstance(value, tuple) else list)
    if isinstance(value, (KeysView, ValuesView)) or type(value).__name__ == "dict_items":
        return _sequence(value, ty, list)
    if isinstance(value, Mapping):
        return mapping(value.items(), ty)
    if isinstance(value, Set):
        return _set(value, inner if name == "set" else _ANY)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return mapping(fields, ty)
    if isinstance(value, memoryview):
        return _memory(value)
    if isinstance(value, os.PathLike):
        if name == "string":
            return os.fsdecode(value)
        raise refuse(value, "send what is in the file, such as path.read_bytes(), or str(path)")
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return _moment(value)
    return _of_libraries(value, ty)


def _pair(value: complex, name: str, inner: Any) -> tuple[float, float]:
    if name == "tuple" and len(inner) == 2:
        return value.real, value.imag
    raise ConversionError(
        "a complex number is taken for a tuple of two floats alone; send its .real and .imag"
    )


def _is_numpy_scalar(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def _without_subclass(value: Any) -> Any:
    """A number or a text of a subclass, as what it is a subclass of."""
    if isinstance(value, str):
        return "".join([value])
    if isinstance(value, (bytes, bytearray)):
        return b"".join([value])
    return int.__int__(value) if isinstance(value, int) else float.__float__(value)


def _named_tuple(value: Any, name: str, ty: Type) -> Any:
    if name in ("tuple", "list", "set", "map"):
        return _sequence(value, ty, tuple)
    return mapping(zip(value._fields, value), ty)


def _sequence(values: Iterable[Any], ty: Type, make: Any) -> Any:
    name, inner = parts_of(ty)
    types = inner if name == "tuple" else None
    item = inner if name in ("list", "set") else _ANY
    if name == "map":
        item = {"tuple": [inner["key"], inner["value"]]}
    made = []
    for index, value in enumerate(values):
        if types is not None:
            item = types[index] if index < len(types) else _ANY
        try:
            made.append(value if type(value) in _PLAIN else convert(value, item))
        except ConversionError as error:
            raise error.at(f"[{index}]") from None
    return make(made)


def mapping(entries: Iterable[tuple[Any, Any]], ty: Type) -> dict[Any, Any]:
    """A dict of keys and values; ConversionError where two keys are one for the host."""
    made: dict[Any, Any] = {}
    for key, value in entries:
        native = convert(key, _ANY)
        if native in made:
            raise ConversionError(f"two of its keys are {native!r}")
        try:
            made[native] = convert(value, _type_at(ty, native))
        except ConversionError as error:
            raise error.at(f"[{native!r}]") from None
    return made


def _type_at(ty: Type, key: Any) -> Type:
    """The type of what a mapping has at a key."""
    name, inner = parts_of(ty)
    if name in ("record", "variant"):
        part = meant(key, (entry["name"] for entry in inner)) if isinstance(key, str) else None
        return next((entry["type"] for entry in inner if entry["name"] == part), _ANY) or _ANY
    if name == "map":
        value: Type = inner["value"]
        return value
    if name == "result":
        return inner.get(key) or _ANY
    if name == "option" and key == "some":
        some: Type = inner
        return some
    if name == "list" and kind_of(inner)[0] == "tuple" and len(kind_of(inner)[1]) == 2:
        second: Type = kind_of(inner)[1][1]
        return second
    return _ANY


def _set(values: Set[Any], item: Type) -> Any:
    made = [convert(value, item) for value in values]
    try:
        native = set(made)
    except TypeError:
        raise ConversionError(
            "a set has no order, and its records no place in one; send a list"
        ) from None
    if len(native) != len(made):
        raise ConversionError("two of the values in the set are the same for the host")
    return native


def _memory(value: memoryview) -> Any:
    if value.format in ("B", "c") and value.ndim == 1:
        return bytes(value)
    try:
        return as_array(value) if "numpy" in sys.modules else value.tolist()
    except (NotImplementedError, ValueError, TypeError):
        raise refuse(value, f"its format {value.format!r} is none of numbers") from None


def _moment(value: Any) -> Any:
    """A date or a time, without a class that only this side knows."""
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        if value is pandas.NaT:
            raise _missing("NaT")
        if isinstance(value, pandas.Timestamp):
            return value.isoformat()
        if isinstance(value, pandas.Timedelta):
            if value.nanoseconds:
                raise ConversionError(
                    "a time difference is exact to microseconds, and this has more"
                )
            return value.to_pytimedelta()
    if isinstance(value, datetime.timedelta):
        return datetime.timedelta(value.days, value.seconds, value.microseconds)
    if isinstance(value, datetime.datetime):
        offset = value.utcoffset()
        zone = None if offset is None else datetime.timezone(offset)
        clock = (value.hour, value.minute, value.second, value.microsecond)
        return datetime.datetime(value.year, value.month, value.day, *clock, zone)
    if isinstance(value, datetime.date):
        return datetime.date(value.year, value.month, value.day)
    if value.tzinfo is not None:
        raise refuse(value, "a time of day with a zone is sent as .isoformat()")
    return datetime.time(value.hour, value.minute, value.second, value.microsecond)


def is_missing(value: object) -> bool:
    """Whether it is None, or what pandas has for a missing value."""
    if value is None:
        return True
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is pandas.NaT or value is pandas.NA)


def _missing(name: str) -> ConversionError:
    return ConversionError(
        f"{name} is a missing value, which the type here does not have; fill or drop it"
    )


def _of_libraries(value: Any, ty: Type) -> Any:
    """Values of numpy, of pandas, and of what offers itself as an array."""
    from . import _frames

    if is_missing(value):
        raise _missing(str(value))
    converted = _frames.convert_frame(value, ty)
    if converted is not _frames.NO_FRAME:
        return converted
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _array(value, ty, numpy)
    if numpy is not None and isinstance(value, numpy.generic):
        if value.dtype.kind == "c":
            return _pair(complex(value), *parts_of(ty))
        return value
    if hasattr(type(value), "to_pylist"):
        # Arrow's, which can have gaps that an array would hide.
        return convert(value.to_pylist(), ty)
    if offers_array(value):
        try:
            array = as_array(value)
        except Exception as error:
            raise refuse(value, f"it offers itself as an array, but: {error}") from None
        if array.ndim == 0 and array.dtype == object:
            raise refuse(value, _cure(value))
        return _array(array, ty, numpy)
    if type(value).__module__ in ("datetime", "decimal", "fractions", "uuid", "array"):
        return value
    raise refuse(value, _cure(value))


def _array(value: Any, ty: Type, numpy: Any) -> Any:
    if isinstance(value, numpy.ma.MaskedArray):
        raise ConversionError(
            "a masked array has no value where it is masked; say what to send there:"
            " .filled(numpy.nan), .filled(0) ... or .compressed()"
        )
    if value.dtype == object:
        return convert(value.tolist(), ty)
    if type(value) is numpy.ndarray:
        return value
    if isinstance(value, (numpy.memmap, numpy.matrix, numpy.recarray)):
        return value.view(numpy.ndarray)
    raise refuse(value, "it may mean more than its numbers; send numpy.asarray(...) of it")


def _cure(value: object) -> str:
    """What to send instead."""
    if isinstance(value, Iterator):
        return "it can be read only once; send list(...) of it"
    if isinstance(value, type) or callable(value):
        return "send what it gives, not the function or class itself"
    for method, call in _METHODS.items():
        if hasattr(value, method):
            return f"send {call}"
    return "send plain values, dicts, lists, dates, decimals, dataclasses or arrays"


#: Methods that give a value that can be sent, and how to call them.
_METHODS = {
    "model_dump": ".model_dump()",
    "toarray": ".toarray()",
    "read": "what .read() gives",
    "to_pydatetime": ".to_pydatetime()",
    "isoformat": ".isoformat()",
    "tolist": ".tolist()",
    "_asdict": "._asdict()",
    "__attrs_attrs__": "attrs.asdict(...)",
}
