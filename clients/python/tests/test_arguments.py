"""Python's values as arguments: each is taken exactly, or refused by name with a cure."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import pathlib
import re
import threading
import typing
import uuid
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tarp
from tarp._converting import convert


class Color(enum.Enum):
    GREEN = "green"


class Mood(enum.Enum):
    NOISY = "noisy"


class Level(enum.IntEnum):
    HIGH = 3


class Marks(typing.NamedTuple):
    count: int
    word: str
    flag: bool


class Number(int):
    def __int__(self) -> int:
        return 0


class Word(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "another"


class Bytes(bytes):
    pass


class Ratio(float):
    pass


class Words(list):  # type: ignore[type-arg]
    pass


class Flags(set):  # type: ignore[type-arg]
    pass


class Day(datetime.datetime):
    pass


class Quantity(np.ndarray):  # type: ignore[type-arg]
    """As astropy's: numbers with a unit."""


@dataclasses.dataclass
class Place:
    x: float
    y: float


@dataclasses.dataclass(frozen=True)
class Mark:
    x: float
    y: float


class Zone(datetime.tzinfo):
    def utcoffset(self, _: Any) -> datetime.timedelta:
        return datetime.timedelta(hours=2)

    def dst(self, _: Any) -> None:
        return None


POINT = {"x": 1.0, "y": 2.0}
NOON = datetime.datetime(2030, 1, 31, 12)
FRAME = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
POINTS = [{"x": 1.0, "y": 3.0}, {"x": 2.0, "y": 4.0}]
LOOP: list[Any] = []
LOOP.append(LOOP)
GAPS = pd.Series([1, None, 3], dtype="Int64")


def as_matrix() -> Any:
    with warnings.catch_warnings():
        # numpy would rather have arrays.
        warnings.simplefilter("ignore")
        return np.matrix([[1.0, 2.0]])


#: The procedure, an argument, and what comes back.
TAKEN: list[tuple[str, Any, Any]] = [
    ("echo_marks", {Mood.NOISY}, {"noisy"}),
    ("echo_marks", frozenset({"noisy"}), {"noisy"}),
    ("echo_marks", Flags({"noisy"}), {"noisy"}),
    ("echo_marks", {"noisy": 1}.keys(), {"noisy"}),
    ("echo_marks", {Word("noisy")}, {"noisy"}),
    ("echo_list_string", collections.deque(["a", "b"]), ["a", "b"]),
    ("echo_list_string", Words(["a", Word("b")]), ["a", "b"]),
    ("echo_list_string", {"a": 1, "b": 2}.keys(), ["a", "b"]),
    ("echo_list_f64", {"a": 1.0, "b": 2}.values(), [1.0, 2.0]),
    ("echo_pairs", {"a": 1.0}.items(), [("a", 1.0)]),
    ("echo_pairs", collections.Counter("aab"), [("a", 2.0), ("b", 1.0)]),
    ("echo_list_point", collections.deque([Place(1.0, 2.0), POINT]), [POINT, POINT]),
    ("echo_point", collections.ChainMap({"x": 1.0}, {"y": 2.0}), POINT),
    ("echo_s64", Number(7), 7),
    ("echo_s64", Level.HIGH, 3),
    ("echo_f64", Ratio(0.5), 0.5),
    ("echo_string", Word("text"), "text"),
    ("echo_string", pathlib.PurePosixPath("a/b"), "a/b"),
    ("echo_color", Color.GREEN, "green"),
    ("echo_bytes", Bytes(b"ab"), b"ab"),
    ("echo_bytes", memoryview(b"ab"), b"ab"),
    ("echo_bytes", memoryview(b"abcd")[::2], b"ac"),
    ("echo_list_f64", memoryview(array.array("d", [1.5, 2.5])), [1.5, 2.5]),
    ("echo_list_s16", memoryview(np.array([1, 2], ">i2")), [1, 2]),
    ("echo_list_f64", np.array([1.5, 2.5]).view(np.recarray), [1.5, 2.5]),
    ("echo_matrix", as_matrix(), [[1.0, 2.0]]),
    ("echo_list_string", np.array(["a", Word("b")], dtype=object), ["a", "b"]),
    ("echo_tuple", Marks(-1, "x", True), (-1, "x", True)),
    ("echo_point", Mark(1.0, 2.0), POINT),
    ("echo_point", pd.Series({"x": 1.0, "y": 2.0}), POINT),
    ("echo_option", pd.NA, None),
    ("echo_option", pd.NaT, None),
    ("echo_list_option", GAPS, [1, None, 3]),
    ("echo_list_option", GAPS.array, [1, None, 3]),
    ("echo_list_option", [1, pd.NA], [1, None]),
    ("echo_list_s64", pd.Series([1, 2], dtype="Int64"), [1, 2]),
    ("echo_list_bool", pd.Series([True, False], dtype="boolean"), [True, False]),
    ("echo_list_string", pd.Series(["a", "b"], dtype="string"), ["a", "b"]),
    ("echo_list_string", pd.Categorical(["a", "b"]), ["a", "b"]),
    ("echo_list_f64", pd.Series([0.0, 1.5], dtype="Sparse[float]"), [0.0, 1.5]),
    ("echo_list_point", FRAME, POINTS),
    ("echo_list_point", FRAME[FRAME.x > 1], POINTS[1:]),
    ("echo_matrix", FRAME, [[1.0, 3.0], [2.0, 4.0]]),
    ("echo_matrix_s32", FRAME.astype("Int32"), [[1, 3], [2, 4]]),
    ("echo_option_list", pd.Series([1.5]), [1.5]),
    ("echo_string", NOON, "2030-01-31T12:00:00"),
    ("echo_string", Day(2030, 1, 31, 12), "2030-01-31T12:00:00"),
    ("echo_string", NOON.replace(tzinfo=Zone()), "2030-01-31T12:00:00+02:00"),
    ("echo_string", pd.Timestamp(NOON, tz="Europe/Berlin"), "2030-01-31T12:00:00+01:00"),
    ("echo_string", pd.Timestamp("2030-01-31T12:00:00.000000001Z"), re.compile(r".*0001\+00:00")),
    (
        "echo_list_string",
        pd.Series(pd.to_datetime(["2030-01-31T12:00:00Z"])),
        ["2030-01-31T12:00:00+00:00"],
    ),
]


class Model:
    def model_dump(self) -> Any:
        return {}


class Sparse:
    def toarray(self) -> Any:
        return []


def itself() -> Any:
    made: list[Any] = [Color.GREEN]
    made.append(made)
    return made


def masked() -> Any:
    return np.ma.masked_array([1.0, 2.0], [False, True])


#: The procedure, an argument, and what is said of it.
REFUSED: list[tuple[str, Any, str]] = [
    ("echo_list_f64", (n for n in range(3)), r"a generator cannot be sent; .*list\(\.\.\.\)"),
    ("echo_list_f64", map(float, "12"), r"a map cannot be sent; .*list\(\.\.\.\)"),
    ("echo_list_f64", iter([1.0]), r"list_iterator.*list\(\.\.\.\)"),
    ("echo_list_f64", [1.0, (n for n in range(3))], r"value`\[1\]: a generator"),
    ("echo_s64", lambda: 1, "a function cannot be sent; .*not the function"),
    ("echo_s64", Color, "EnumMeta|EnumType"),
    ("echo_s64", int, "a type cannot be sent"),
    ("echo_s64", np.sin, "ufunc cannot be sent"),
    ("echo_s64", threading.Lock(), "lock cannot be sent"),
    ("echo_s64", object(), "a object cannot be sent; send plain values"),
    ("echo_s64", re, "a module cannot be sent"),
    ("echo_bytes", io.BytesIO(b"x"), r"BytesIO cannot be sent; .*list|\.read\(\)"),
    ("echo_bytes", pathlib.Path("data.bin"), r"Path cannot be sent; .*path\.read_bytes\(\)"),
    ("echo_point", Model(), r"Model cannot be sent; send \.model_dump\(\)"),
    ("echo_matrix", Sparse(), r"Sparse cannot be sent; send \.toarray\(\)"),
    ("echo_list_string", itself(), "holds itself"),
    ("echo_list_point", {Mark(1.0, 2.0)}, "a set has no order.*send a list"),
    ("echo_list_string", {"a"}, r"a set has no order, send sorted\(...\)"),
    ("echo_u8", 1.0, r"expected u8, got a float \(1\.0\)"),
    ("echo_pairs", {Color.GREEN: 1, "green": 2}, "two of its keys are 'green'"),
    ("echo_marks", {Color.GREEN, "green"}, "the same for the host"),
    ("echo_list_f64", masked(), r"masked array.*\.filled\("),
    ("echo_list_point", [POINT, masked()], r"value`\[1\]: a masked array"),
    ("echo_f64", np.ma.masked, r"masked"),
    ("echo_list_f64", np.array([1.0]).view(Quantity), r"Quantity cannot be sent; .*asarray"),
    ("echo_s64", pd.NA, "<NA> is a missing value"),
    ("echo_string", pd.NaT, "NaT is a missing value"),
    ("echo_list_s64", GAPS, r"value`\[1\]: the value is missing; fill it"),
    ("echo_list_f64", GAPS, r"value`\[1\]: the value is missing; .*astype\('float64'\)"),
    ("echo_list_s64", [1, pd.NA], r"value`\[1\]: <NA>"),
    ("echo_list_string", pd.Series(["a", None]), r"value`\[1\]: the value is missing"),
    ("echo_list_string", pd.Series(["a", pd.NA], dtype="string"), r"value`\[1\]"),
    (
        "echo_list_point",
        pd.DataFrame({"x": pd.Series([1, None], dtype="Int64"), "y": [1, 2]}),
        r"value`\['x'\]\[1\]: the value is missing",
    ),
    (
        "echo_matrix",
        pd.DataFrame({"x": pd.Series([1, None], dtype="Int64"), "y": [1, 2]}),
        r"value`\['x'\]\[1\]: the value is missing",
    ),
    ("echo_list_point", pd.concat([FRAME, FRAME[["x"]]], axis=1), "two of its columns.*'x'"),
    ("echo_matrix", pd.concat([FRAME, FRAME], axis=1), "two of its columns.*'x'"),
    ("echo_list_point", FRAME.T.rename({"x": 1, "y": "1"}).T, "two of its columns.*'1'"),
    ("echo_list_point", pd.concat({"a": FRAME}, axis=1), "columns have a MultiIndex"),
    ("echo_list_point", pd.concat({"a": FRAME}), r"MultiIndex.*reset_index\(\)"),
    ("echo_list_f64", pd.concat({"a": FRAME["x"]}), r"MultiIndex.*reset_index\(\)"),
    ("echo_list_f64", pd.MultiIndex.from_arrays([[1], [2]]), r"MultiIndex.*to_frame\(\)"),
    ("echo_matrix", pd.DataFrame({"x": [2**53 + 1], "y": [0.5]}), r"value\[0\]\[0\]`.*exactly"),
    (
        "echo_matrix",
        pd.DataFrame({"x": np.array([2**63 + 1], "u8"), "y": [-1]}),
        r"value\[0\]\[0\]`.*exactly",
    ),
    ("echo_list_f64", 1 + 2j, r"a complex number is taken for a tuple.*\.real"),
    ("echo_f64", np.complex128(1j), r"a complex number .*\.real"),
    ("echo_matrix", [[np.complex64(1j)]], r"value`\[0\]\[0\]: a complex number"),
    ("echo_list_f64", np.array([1j]), r"complex numbers\) cannot be sent; send \.real"),
    ("echo_list_string", np.array(["2020-01-01"], "M8[D]"), r"datetime64.*astype"),
    ("echo_list_f64", np.zeros(2, [("a", "f8")]), "structured records"),
    ("echo_f64", np.longdouble(1), "extended floats"),
    ("echo_list_string", ["a", "\ud800"], r"value`\[1\]: .*not valid Unicode"),
    ("echo_list_f64", LOOP, "contains itself"),
    ("echo_s64", 10**400_000, "an integer takes"),
    ("echo_f64", fractions.Fraction(1, 10**6000 + 1), "Fraction (has more than|cannot be sent)"),
    ("echo_string", pd.Period("2030-01"), "Period cannot be sent"),
    ("echo_string", pd.Timedelta(1, "ns"), "exact to microseconds"),
    ("echo_s64", decimal.Context(), "Context cannot be sent"),
]


def name_of(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize(("procedure", "value", "back"), TAKEN, ids=name_of)
def test_what_is_taken_is_taken_exactly(
    host: tarp.Host, procedure: str, value: Any, back: Any
) -> None:
    given = host[procedure].options(arrays="list")(value)
    if isinstance(back, re.Pattern):
        assert back.match(given)
        return
    assert given == back
    assert type(given) is type(back)
    assert host[procedure].options(arrays="list")(value=value) == back


@pytest.mark.parametrize(("procedure", "value", "words"), REFUSED, ids=name_of)
def test_what_is_refused_is_named_with_a_cure(
    host: tarp.Host, procedure: str, value: Any, words: str
) -> None:
    for call in (host[procedure], host[procedure].submit):
        with pytest.raises(tarp.BadArguments, match=words) as caught:
            call(value)
        assert str(caught.value).startswith("the argument `value")
        assert isinstance(caught.value, TypeError)
    with pytest.raises(tarp.BadArguments, match=words):
        host[procedure](value=value)
    assert host.add(1, 2) == 3


def test_the_culprit_is_named_among_others(host: tarp.Host) -> None:
    with pytest.raises(tarp.BadArguments, match=r"^the argument `y`: a function"):
        host.add(1, lambda: 1)
    with pytest.raises(tarp.BadArguments, match=r"^the argument `z`: a function"):
        host.add(1, 2, z=lambda: 1)
    with pytest.raises(tarp.BadArguments, match=r"^argument 3: a function"):
        host.add(1, 2, lambda: 1)
    with pytest.raises(tarp.BadArguments, match=r"^the argument `y`: an integer takes"):
        host.add(1, y=10**400_000)
    with pytest.raises(tarp.BadArguments, match=r"^argument 3\['a'\]: .*Unicode"):
        host.add(1, 2, {"a": "\ud800"})


def test_a_complex_number_is_a_pair_where_that_is_wanted() -> None:
    pairs = {"list": {"tuple": ["f64", "f64"]}}
    given = convert([1 + 2j, (3.0, 4.0), np.complex64(5)], pairs)
    assert given == [(1.0, 2.0), (3.0, 4.0), (5.0, 0.0)]


class PolarsFrame:
    """As much of a DataFrame of polars as is looked at."""

    def __init__(self, **columns: list[Any]) -> None:
        self.columns = columns
        self.dtypes = [
            "Int64" if isinstance(next(x for x in column if x is not None), int) else "Float64"
            for column in columns.values()
        ]

    def rows(self) -> list[tuple[Any, ...]]:
        return list(zip(*self.columns.values()))

    def null_count(self) -> PolarsFrame:
        return PolarsFrame(**{name: [xs.count(None)] for name, xs in self.columns.items()})

    def row(self, index: int) -> tuple[Any, ...]:
        return self.rows()[index]

    def to_numpy(self) -> Any:
        return np.array(self.rows(), dtype="f8" if "Float64" in self.dtypes else None)

    def to_dict(self) -> None: ...

    def to_dicts(self) -> None: ...


def test_a_frame_of_polars_is_taken_exactly_or_refused(host: tarp.Host) -> None:
    matrix = host.echo_matrix.options(arrays="list")
    assert matrix(PolarsFrame(x=[1.5, 2.0], y=[3.0, 4.0])) == [[1.5, 3.0], [2.0, 4.0]]
    assert matrix(PolarsFrame(x=[1, 2], y=[3.0, 4.0])) == [[1.0, 3.0], [2.0, 4.0]]
    with pytest.raises(tarp.BadArguments, match=r"\[0\]\[0\].*exactly"):
        matrix(PolarsFrame(x=[2**53 + 1], y=[0.5]))
    with pytest.raises(tarp.BadArguments, match=r"\[0\]\[1\].*got None"):
        matrix(PolarsFrame(x=[1.0, 2.0], y=[None, 0.5]))


def test_memory_mapped_arrays_are_sent_as_they_are(host: tarp.Host, tmp_path: Any) -> None:
    mapped = np.memmap(tmp_path / "values", dtype="f8", mode="w+", shape=(3,))
    mapped[:] = [1.0, 2.0, 3.0]
    assert host.sum(mapped) == 6.0
    assert host.echo_list_f64(mapped[::2]).tolist() == [1.0, 3.0]
    del mapped


def test_values_that_go_straight_go_on_doing_so(host: tarp.Host) -> None:
    key = uuid.UUID(int=7)
    assert host.echo_string(key) == str(key)
    assert host.echo_f64(decimal.Decimal("0.5")) == 0.5
    # As `str` writes them, where text is wanted.
    for value in (
        decimal.Decimal("2.50"),
        fractions.Fraction(1, 3),
        datetime.timedelta(days=-1, seconds=5),
    ):
        assert host.echo_string(value) == str(value)
    assert host.echo_list_f64(np.array([0.5]))[0] == 0.5
    assert host.echo_pairs([("a", np.float32(0.5))]) == [("a", 0.5)]
