"""A procedure for every type hint, giving back what came; and every way to fail."""

from __future__ import annotations

import asyncio
import random
import sys
from array import array
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag, auto
from pathlib import Path
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict
from uuid import UUID

import humanize

Colour = Literal["red", "dark_blue"]


class Grade(Enum):
    FIRST = 1
    SECOND_ONE = "two"


class Access(Flag):
    READ = auto()
    WRITE = auto()


@dataclass
class Point:
    x: float
    y: float = 7.5


@dataclass(frozen=True)
class Circle:
    centre: Point
    radius: float


class Options(TypedDict):
    width: int
    label: NotRequired[str]


class Peak(NamedTuple):
    position: int
    height: float


def identity_int(value: int) -> int:
    return value


def identity_float(value: float) -> float:
    return value


def identity_bool(value: bool) -> bool:
    return value


def identity_str(value: str) -> str:
    return value


def identity_bytes(value: bytes) -> bytes:
    return value


def identity_bytearray(value: bytearray) -> bytearray:
    value.extend(b"")
    return value


def identity_list(value: list[float]) -> list[float]:
    return value


def identity_matrix(value: list[list[float]]) -> list[list[float]]:
    return value


def identity_tuple(value: tuple[int, str]) -> tuple[int, str]:
    return value


def identity_vector(value: tuple[float, ...]) -> tuple[float, ...]:
    return value


def identity_set(value: set[int]) -> set[int]:
    return value


def identity_dict(value: dict[str, int]) -> dict[str, int]:
    return value


def identity_option(value: int | None) -> int | None:
    return value


def identity_literal(value: Colour) -> Colour:
    return value


def identity_enum(value: Grade) -> Grade:
    return value


def identity_flags(value: Access) -> Access:
    return value


def identity_dataclass(value: Point) -> Point:
    return value


def identity_typed_dict(value: Options) -> Options:
    return value


def identity_named_tuple(value: Peak) -> Peak:
    return value


def identity_union(value: Point | Circle) -> Point | Circle:
    return value


def identity_nested(value: list[dict[str, list[Point]]]) -> list[dict[str, list[Point]]]:
    return value


def identity_complex(value: list[complex]) -> list[complex]:
    return [each + 0j for each in value]


def identity_datetime(value: datetime) -> datetime:
    return value + timedelta()


def identity_date(value: date) -> date:
    return value.replace()


def identity_time(value: time) -> time:
    return value.replace()


def identity_timedelta(value: timedelta) -> timedelta:
    return value + timedelta()


def identity_decimal(value: Decimal) -> Decimal:
    return value.normalize()


def identity_uuid(value: UUID) -> UUID:
    return UUID(int=value.int)


def identity_path(value: Path) -> Path:
    return value / "x"


def identity_json(value: Any) -> Any:
    return value


def identity_array(value: array[float]) -> array[float]:
    assert value.typecode == "d"
    return value


def identity_choice(value: Literal[1, 2]) -> Literal[1, 2]:
    return value


def identity_scalars(
    value: int | str | bool | date | list[int],
) -> int | str | bool | date | list[int]:
    return value


def kinds(value: int | str | bool | date | list[int], other: float | str = 2) -> str:
    return f"{type(value).__name__} {other!r}"


def loses_time() -> date:
    return datetime(2026, 1, 31, 12)


def number_as_key() -> Any:
    return {1: 2}


def third_choice() -> Literal[1, 2]:
    return 3  # type: ignore[return-value]


def seen(
    point: Point,
    grade: Grade,
    colour: Colour,
    some: tuple[float, ...],
    few: set[int],
    by: dict[str, int],
) -> str:
    return f"{point} {grade} {colour!r} {some} {few} {by}"


def own_default(value: int, at: Point = Point(3.0, 9.0)) -> float:  # noqa: B008
    return value + at.x + at.y


async def gathers(count: int) -> list[int]:
    async def one(index: int) -> int:
        await asyncio.sleep(0.001 * (count - index))
        return index

    return list(await asyncio.gather(*(one(index) for index in range(count))))


def uses_a_package(size: int) -> str:
    return humanize.naturalsize(size)


def throws() -> float:
    return random.random()


def fails(message: str) -> None:
    print("about to fail")
    raise ValueError(message)


def wrong_result() -> list[float]:
    return [1.0, "2"]  # type: ignore[list-item]


def wrong_class() -> Point:
    return Peak(1, 2.0)  # type: ignore[return-value]


def too_large() -> int:
    return 2**63


def leaves() -> None:
    sys.exit(3)


def recurses() -> int:
    return 1 + recurses()
