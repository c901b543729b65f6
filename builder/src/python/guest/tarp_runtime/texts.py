"""Values that travel as text: moments, numbers of any precision, identifiers, paths, JSON."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from .plain import Converter, Mismatch


class Refused(Exception):
    """A text that a caller sent and that is none of what the hint says."""


#: A duration in ISO 8601, without years and months, which have no fixed length.
DURATION = re.compile(
    r"([+-]?)P(?:([\d.]+)W)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?"
)
UNITS = ("weeks", "days", "hours", "minutes", "seconds")
MICROSECOND = timedelta(microseconds=1)


def read_duration(text: str) -> timedelta:
    match = DURATION.fullmatch(text)
    if match is None or not any(match.groups()[1:]) or text.endswith("T"):
        raise ValueError("it is no duration without years and months")
    parts = {unit: Decimal(part) for unit, part in zip(UNITS, match.groups()[1:]) if part}
    microseconds = sum(
        part * (timedelta(**{unit: 1}) // MICROSECOND) for unit, part in parts.items()
    )
    if microseconds != int(microseconds):
        raise ValueError("it is finer than a microsecond")
    length = timedelta(microseconds=int(microseconds))
    return -length if match[1] == "-" else length


def write_duration(length: timedelta) -> str:
    sign, length = ("-", -length) if length < timedelta() else ("", length)
    days = f"{length.days}D" if length.days else ""
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    rest = f"{hours}H" if hours else ""
    rest += f"{minutes}M" if minutes else ""
    if seconds or fraction or not (days or rest):
        rest += f"{seconds}{fraction}S"
    return f"{sign}P{days}{'T' if rest else ''}{rest}"


def read_decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("it is no decimal number") from None


def write_json(value: Any) -> str:
    check_json(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def check_json(value: Any) -> None:
    """Refuses what JSON would change in silence."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Mismatch(key, "Any, which is sent as JSON, whose keys are texts")
            check_json(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            check_json(inner)
    elif isinstance(value, float) and value - value != 0:
        raise Mismatch(value, "Any, which is sent as JSON, where this is no number")
    elif value is not None and not isinstance(value, (bool, int, float, str)):
        raise Mismatch(value, "Any, which is sent as JSON")


#: By the kind of the type: what reads the text, and an example of one.
READ: dict[str, tuple[Converter, str]] = {
    "date": (date.fromisoformat, "a date such as 2026-01-31"),
    "datetime": (datetime.fromisoformat, "a date and time such as 2026-01-31T12:30:00+01:00"),
    "decimal": (read_decimal, "a decimal number such as 12.50"),
    "json": (json.loads, "JSON"),
    "path": (Path, "a path"),
    "time": (time.fromisoformat, "a time such as 12:30:00"),
    "timedelta": (read_duration, "a duration such as P1DT2H30M or PT0.5S"),
    "uuid": (UUID, "a UUID such as 12345678-1234-5678-1234-567812345678"),
}

#: The class that the function has to return, and what makes the text.
WRITE: dict[str, tuple[type, Converter]] = {
    "date": (date, date.isoformat),
    "datetime": (datetime, datetime.isoformat),
    "decimal": (Decimal, str),
    "path": (PurePath, str),
    "time": (time, time.isoformat),
    "timedelta": (timedelta, write_duration),
    "uuid": (UUID, str),
}


def reader(kind: str) -> Converter:
    convert, expected = READ[kind]

    def read(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            shown = text if len(text) <= 80 else f"{text[:77]}..."
            raise Refused(f"{shown!r} is not {expected}: {error}") from None

    return read


def writer(kind: str) -> Converter:
    if kind == "json":
        return write_json
    expected, convert = WRITE[kind]

    def write(value: Any) -> str:
        if not is_of(kind, value):
            raise Mismatch(value, expected.__name__)
        return convert(value)

    return write


def is_of(kind: str, value: Any) -> bool:
    # A datetime is a date to Python, and would lose its time as one.
    return isinstance(value, WRITE[kind][0]) and not (
        kind == "date" and isinstance(value, datetime)
    )


def choice(of: dict[str, Any]) -> tuple[Converter, Converter]:
    """A Literal of numbers: what reads it, and what writes it."""
    values = of["values"]
    expected = " or ".join(map(repr, values))

    def read(value: Any) -> Any:
        if value not in values:
            raise Refused(f"expected {expected}, got {value!r}")
        return value

    def write(value: Any) -> Any:
        if type(value) is not type(values[0]) or value not in values:
            raise Mismatch(value, expected)
        return value

    return read, write


def write_complex(value: Any) -> tuple[float, float]:
    if isinstance(value, (str, bytes)):
        raise Mismatch(value, "complex")
    try:
        number = complex(value)
    except (TypeError, ValueError):
        raise Mismatch(value, "complex") from None
    return number.real, number.imag
