"""A module with everything.

Of every kind, one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from typing import ClassVar, Literal, NamedTuple, TypedDict

from tarp_guest import Request, Response, procedure, progress

WIDTH = 5
Window = Literal["flat", "hann_wide"]


class Colour(Enum):
    """What it looks like."""

    RED = 1
    DARK_BLUE = "b"


class Marks(Flag):
    PEAK = auto()
    NOISE = auto()


@dataclass
class Point:
    """A point in the plane."""

    unit: ClassVar[str] = "mm"
    x: float
    y: float = 0.0
    tags: list[str] = field(default_factory=list)


@dataclass
class Circle:
    centre: Point
    radius: float


class Options(TypedDict, total=False):
    width: int


class Peak(NamedTuple):
    position: int
    list: float


def smooth(
    values: list[float],
    width: int = WIDTH,
    *,
    window: Window = "hann_wide",
    limit: float = math.inf,
) -> list[float]:
    """The moving average.

    Of `width` values.
    """
    return values


def draw(
    shape: Point | Circle, colour: Colour = Colour.DARK_BLUE, marks: Marks = Marks.PEAK
) -> bytes:
    return b""


def find(
    values: list[float],
    at: Point = Point(1.0),
    data: bytes = b"\x00\x01",
    top: int | None = None,
) -> Peak | None:
    return None


@procedure(suggested_wait=5, arrays="numpy")
async def simulate(
    steps: int, labels: dict[str, int] = {"a": 1}, pair: tuple[int, str] = (1, "x")
) -> None:
    """Takes long."""
    progress(0, steps)


@procedure(methods=["GET"], aliases=["showPage", "old/page"])
def page(request: Request) -> Response:
    return Response("hello")


def _private(x: int) -> int:
    return x


def test_page():
    assert page
