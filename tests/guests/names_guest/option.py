"""Names as people write them. The module is called as a word of WIT is, and its procedures as
symbols of the C library."""

# ruff: noqa: A001, B006

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Literal, TypedDict


def log(x: float) -> str:
    return f"log {x}"


def exp(x: float) -> str:
    return f"exp {x}"


def pow(x: float) -> str:
    return f"pow {x}"


def round(x: float) -> str:
    return f"round {x}"


def time(x: float) -> str:
    return f"time {x}"


def index(x: float) -> str:
    return f"index {x}"


def read(x: float) -> str:
    return f"read {x}"


def write(x: float) -> str:
    return f"write {x}"


def open(x: float) -> str:
    return f"open {x}"


def min(x: float) -> str:
    return f"min {x}"


def max(x: float) -> str:
    return f"max {x}"


def sum(x: float) -> str:
    return f"sum {x}"


def abs(x: float) -> str:
    return f"abs {x}"


def hash(x: float) -> str:
    return f"hash {x}"


def free(x: float) -> str:
    return f"free {x}"


def malloc(x: float) -> str:
    return f"malloc {x}"


def main(x: float) -> str:
    return f"main {x}"


def init(x: float) -> str:
    return f"init {x}"


def exit(x: float) -> str:
    return f"exit {x}"


def select(x: float) -> str:
    return f"select {x}"


def connect(x: float) -> str:
    return f"connect {x}"


def gas(n: float, V: float, T: float = 300.0) -> list[float]:
    """The parameters of a gas.

    Args:
        n: amount
        V: volume
        T: temperature
    """
    return [n, V, T]


def both(t: float, T: float) -> list[float]:
    return [t, T]


def fitPeak(halfWidth: float) -> float:
    return halfWidth


def odd(lambda_: int, type_: int, self: int, a__b: int, größe: int, λ: int) -> list[int]:
    return [lambda_, type_, self, a__b, größe, λ]


@dataclass
class Acid:
    pKa: float
    T: float = 298.0
    t: float = 0.0


@dataclass
class Result:
    V: float
    acids: list[Acid]


def titrate(acid: Acid) -> Result:
    return Result(acid.pKa * 2, [acid])


Unit = Literal["m", "M", "2d", "log-log", "größe", "", "two words"]


def unit(unit: Unit = "log-log") -> Unit:
    return unit


class Colour(Enum):
    RED = 1
    DARK_BLUE = 2


def colour(colour: Colour = Colour.DARK_BLUE) -> Colour:
    return colour


class Access(Flag):
    READ = auto()
    mayWrite = auto()


def access(access: Access) -> Access:
    return access


@dataclass
class Some:
    X: int


class Ok(TypedDict):
    x_Y: int


def either(either: Acid | Some) -> Acid | Some:
    return either


def typed(ok: Ok) -> Ok:
    return {"x_Y": ok["x_Y"] + 1}


def counts(words: dict[str, int], by: dict[int, list[Acid]]) -> dict[str, dict[int, float]]:
    """Dicts in and out, in one another too."""
    return {
        word: {key: acid.pKa * n for key in by for acid in by[key]} for word, n in words.items()
    }


def with_default(limits: dict[str, float] = {"low": 1.5}) -> dict[str, float]:
    return {**limits, "T": 2.0}


def distinct(
    numbers: set[int], points: frozenset[tuple[float, Unit]], rest: set[str] = {"b", "a"}
) -> tuple[set[int], set[float], list[str]]:
    kinds = [type(each).__name__ for each in (numbers, points, rest)]
    return numbers | {7}, {x for x, _ in points}, sorted([*kinds, *rest])
