"""Values that are no others' parts: what leaves is checked against the function's hint."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

Converter = Callable[[Any], Any]


class Mismatch(Exception):
    """A value that is not what the function's hint says."""

    def __init__(self, value: object, expected: str) -> None:
        shown = repr(value)
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        super().__init__(f"{shown} ({type(value).__name__}), but its hint says {expected}")


def same(value: Any) -> Any:
    return value


def looked_up(table: dict[Any, Any], expected: str) -> Converter:
    def write(given: Any) -> Any:
        try:
            return table[given]
        except (KeyError, TypeError):
            raise Mismatch(given, expected) from None

    return write


def write_int(value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise Mismatch(value, "int") from None
    if not -(2**63) <= number < 2**63:
        raise Mismatch(value, "int, of which 64 bits can be sent")
    return number


def write_ints(values: list[Any]) -> list[int]:
    numbers = list(map(operator.index, values))
    if numbers and not (min(numbers) >= -(2**63) and max(numbers) < 2**63):
        raise OverflowError
    return numbers


def write_float(value: Any) -> float:
    if isinstance(value, (str, bytes)):
        raise Mismatch(value, "float")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Mismatch(value, "float") from None


def write_floats(values: list[Any]) -> list[float]:
    # `float` would read text as well.
    if not {str, bytes}.isdisjoint(map(type, values)):
        raise TypeError
    return list(map(float, values))


def write_bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise Mismatch(value, "bytes")


def instance_of(expected: type) -> Converter:
    def write(value: Any) -> Any:
        if isinstance(value, expected):
            return value
        raise Mismatch(value, expected.__name__)

    return write


PLAIN: dict[str, Converter] = {
    "int": write_int,
    "float": write_float,
    "bool": instance_of(bool),
    "str": instance_of(str),
    "bytes": write_bytes,
    "bytearray": write_bytes,
}

#: For lists of what is plain: as a whole, at the speed of C.
BULK: dict[str, Callable[[list[Any]], list[Any]]] = {
    "int": write_ints,
    "float": write_floats,
}
