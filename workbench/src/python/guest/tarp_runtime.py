"""Between a component's exports and the author's functions. Part of every component that `tarp build`
makes from Python; no author imports it.

Everything here is prepared while the component is built and kept in its snapshot: a call only runs
the converters of its own arguments and result. A converter is a function, or None where the value
can go as it is, so that a list of a million numbers is not touched on its way in.
"""

from __future__ import annotations

import asyncio
import dataclasses
import linecache
import operator
import os
import sys
import time
import traceback
import typing
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from componentize_py_types import Err

Converter = Callable[[Any], Any]
Type = dict[str, Any]

LISTS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def world(description: dict[str, Any], generated: ModuleType, author: ModuleType) -> type:
    """The class that componentize-py looks for, with a method for each procedure."""
    types = Types(description["definitions"], generated)
    folder = os.path.dirname(author.__file__ or "")
    remember_sources(folder)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    methods = {}
    for function in description["functions"]:
        method = procedure(function, types, getattr(author, function["name"]), folder)
        methods[function["export"]] = methods[function["export"] + "_"] = method
    return type("WitWorld", (), methods)


def procedure(
    description: dict[str, Any], types: Types, function: Callable[..., Any], folder: str
) -> Callable[..., Any]:
    """The method for one function: arguments in, result or error out."""
    parameters = [
        (each["name"], each["keyword"], each.get("own_default", False), types.reader(each["type"]))
        for each in description["parameters"]
    ]
    result = description["result"]
    write = types.writer(result) if result is not None else None
    name, is_async = description["name"], description["async"]

    def method(_self: object, *arguments: Any) -> Any:
        positional, named = [], {}
        try:
            by_name = False
            for (key, keyword, own_default, read), value in zip(parameters, arguments):
                if own_default and value is None:
                    by_name = True  # What follows the gap no longer has a position.
                    continue
                if read is not None:
                    value = read(value)
                if keyword or by_name:
                    named[key] = value
                else:
                    positional.append(value)
            returned = function(*positional, **named)
            if is_async:
                returned = run(returned)
            if result is None:
                return None
            try:
                return returned if write is None else write(returned)
            except Mismatch as mismatch:
                raise TypeError(f"{name} returned {mismatch}") from None
        except Exception as error:
            raise Err(told(error, folder)) from None
        except SystemExit as error:
            raise Err(f"SystemExit: {error.code}") from None

    return method


def told(error: Exception, folder: str) -> str:
    """Writes the traceback, as the author would see it at home, and gives the message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, trace))
    sys.stderr.write(text.replace(f'File "{folder}/', 'File "'))
    return "".join(traceback.format_exception_only(error)).strip()


def remember_sources(folder: str) -> None:
    """A component has no files when it runs; the lines that a traceback shows are kept from now."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and os.path.dirname(file).startswith(folder):
            lines = linecache.getlines(file)
            linecache.cache[file] = (sum(map(len, lines)), None, lines, file)


class Mismatch(Exception):
    """A value that is not what the function's hint says."""

    def __init__(self, value: object, expected: str) -> None:
        shown = repr(value)
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        super().__init__(f"{shown} ({type(value).__name__}), but its hint says {expected}")


class Types:
    """The converters of every type of a component."""

    def __init__(self, definitions: list[dict[str, Any]], generated: ModuleType) -> None:
        self.definitions = {(each["module"], each["name"]): each for each in definitions}
        self.generated = generated

    def reader(self, of: Type) -> Converter | None:
        """From what arrives to what the author's hint says."""
        kind = of["kind"]
        if kind == "bytearray":
            return bytearray
        if kind == "list":
            make, inner = LISTS[of["as"]], self.reader(of["of"])
            if inner is None:
                return None if make is list else make
            return lambda values: make(map(inner, values))
        if kind == "tuple":
            inners = [self.reader(each) for each in of["of"]]
            if not any(inners):
                return None
            return lambda values: tuple(
                value if inner is None else inner(value) for inner, value in zip(inners, values)
            )
        if kind == "dict":
            return self.read_dict(self.reader(of["key"]), self.reader(of["of"]))
        if kind == "option":
            inner = self.reader(of["of"])
            return None if inner is None else lambda v: None if v is None else inner(v)
        if kind == "named":
            return getattr(self, "read_" + self.of(of)["kind"])(self.of(of))
        if kind == "request":
            return read_request
        return None

    @staticmethod
    def read_dict(key: Converter | None, value: Converter | None) -> Converter:
        if key is None and value is None:
            return dict
        key, value = key or same, value or same
        return lambda pairs: {key(k): value(v) for k, v in pairs}

    def of(self, of: Type) -> dict[str, Any]:
        return self.definitions[of["module"], of["name"]]

    def theirs(self, definition: dict[str, Any]) -> Any:
        """What componentize-py made of a named type."""
        name = definition["generated"]
        return getattr(self.generated, name, None) or getattr(self.generated, f"{name}_")

    @staticmethod
    def ours(definition: dict[str, Any]) -> Any:
        """The author's own class."""
        return getattr(sys.modules[definition["module"]], definition["name"])

    def read_record(self, definition: dict[str, Any]) -> Converter:
        make = self.ours(definition) if definition["python"] == "class" else dict
        theirs = [field.name for field in dataclasses.fields(self.theirs(definition))]
        plan = [
            (attribute, field["name"], field["optional"], self.reader(field["type"]) or same)
            for attribute, field in zip(theirs, definition["fields"])
        ]

        def read(record: Any) -> Any:
            fields = {}
            for attribute, name, optional, inner in plan:
                value = getattr(record, attribute)
                if not (optional and value is None):
                    fields[name] = inner(value)
            return make(**fields)

        return read

    def read_enum(self, definition: dict[str, Any]) -> Converter:
        ours = self.ours(definition)
        members = zip(self.theirs(definition), definition["cases"])
        return {theirs: ours[name] for theirs, name in members}.__getitem__

    def read_literal(self, definition: dict[str, Any]) -> Converter:
        return dict(zip(self.theirs(definition), definition["cases"])).__getitem__

    def read_flags(self, definition: dict[str, Any]) -> Converter:
        ours = self.ours(definition)
        pairs = [
            (theirs, ours[name])
            for theirs, name in zip(self.theirs(definition), definition["cases"])
        ]

        def read(flags: Any) -> Any:
            found = ours(0)
            for theirs, member in pairs:
                if theirs in flags:
                    found |= member
            return found

        return read

    def read_variant(self, definition: dict[str, Any]) -> Converter:
        readers = {
            theirs: self.reader(case) or same
            for theirs, case in zip(typing.get_args(self.theirs(definition)), definition["cases"])
        }
        return lambda value: readers[type(value)](value.value)

    def writer(self, of: Type) -> Converter:
        """From what the author's function gave to what leaves; a Mismatch where that cannot be."""
        kind = of["kind"]
        if kind == "list":
            return self.write_list(of)
        if kind == "tuple":
            inners = [self.writer(each) for each in of["of"]]

            def write_tuple(values: Any) -> tuple[Any, ...]:
                if not isinstance(values, (tuple, list)) or len(values) != len(inners):
                    raise Mismatch(values, f"a tuple of {len(inners)}")
                return tuple(inner(value) for inner, value in zip(inners, values))

            return write_tuple
        if kind == "dict":
            key, value = self.writer(of["key"]), self.writer(of["of"])

            def write_dict(given: Any) -> list[tuple[Any, Any]]:
                if not hasattr(given, "items"):
                    raise Mismatch(given, "dict")
                return [(key(k), value(v)) for k, v in given.items()]

            return write_dict
        if kind == "option":
            inner = self.writer(of["of"])
            return lambda value: None if value is None else inner(value)
        if kind == "named":
            return getattr(self, "write_" + self.of(of)["kind"])(self.of(of))
        return PLAIN[kind]

    def write_list(self, of: Type) -> Converter:
        kind, inner = of["of"]["kind"], self.writer(of["of"])
        bulk = BULK.get(kind)

        def write(values: Any) -> list[Any]:
            if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
                raise Mismatch(values, of["as"])
            if bulk is not None:
                values = list(values)
                try:
                    return bulk(values)
                except (TypeError, ValueError, OverflowError):
                    pass  # One by one then, to find out which.
            return [inner(value) for value in values]

        return write

    def write_record(self, definition: dict[str, Any]) -> Converter:
        theirs, name = self.theirs(definition), definition["name"]
        plan = [
            (field["name"], field["optional"], self.writer(field["type"]))
            for field in definition["fields"]
        ]
        if definition["python"] == "dict":

            def write_dict(given: Any) -> Any:
                if not isinstance(given, dict):
                    raise Mismatch(given, name)
                for key, optional, _ in plan:
                    if not optional and key not in given:
                        raise Mismatch(given, f"{name}, which has `{key}`")
                return theirs(*(None if k not in given else w(given[k]) for k, _, w in plan))

            return write_dict
        ours = self.ours(definition)

        def write(given: Any) -> Any:
            if not isinstance(given, ours):
                raise Mismatch(given, name)
            return theirs(*(inner(getattr(given, key)) for key, _, inner in plan))

        return write

    def write_enum(self, definition: dict[str, Any]) -> Converter:
        ours = self.ours(definition)
        table = {ours[name]: each for each, name in zip(self.theirs(definition), definition["cases"])}
        return looked_up(table, definition["name"])

    def write_literal(self, definition: dict[str, Any]) -> Converter:
        cases = definition["cases"]
        return looked_up(dict(zip(cases, self.theirs(definition))), " or ".join(map(repr, cases)))

    def write_flags(self, definition: dict[str, Any]) -> Converter:
        ours, theirs = self.ours(definition), self.theirs(definition)
        pairs = [(ours[name], each) for each, name in zip(theirs, definition["cases"])]

        def write(given: Any) -> Any:
            if not isinstance(given, ours):
                raise Mismatch(given, definition["name"])
            found = theirs(0)
            for member, each in pairs:
                if member in given:
                    found |= each
            return found

        return write

    def write_variant(self, definition: dict[str, Any]) -> Converter:
        plan = [
            (self.ours(self.of(case)), theirs, self.writer(case))
            for theirs, case in zip(typing.get_args(self.theirs(definition)), definition["cases"])
        ]

        def write(given: Any) -> Any:
            for ours, theirs, inner in plan:
                if isinstance(given, ours):
                    return theirs(inner(given))
            raise Mismatch(given, " or ".join(case["name"] for case in definition["cases"]))

        return write


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
    if numbers and not (-(2**63) <= min(numbers) and max(numbers) < 2**63):
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


def read_request(request: Any) -> Any:
    """What came, as `tarp_guest.Request`."""
    from tarp_guest import Request

    body = request.body
    kind = type(body).__name__.removeprefix("Body_").rstrip("_").lower()
    return Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=dict(request.headers),
        kind=kind,
        body=getattr(body, "value", None),
    )


def write_response(given: Any) -> Any:
    """A `tarp_guest.Response`, or what it would be made from."""
    from tarp_guest import Response
    from wit_world.imports import web

    if not isinstance(given, Response):
        raise Mismatch(given, "Response")
    return web.Response(given.status, given.content_for(web))


PLAIN: dict[str, Converter] = {
    "int": write_int,
    "float": write_float,
    "bool": instance_of(bool),
    "str": instance_of(str),
    "bytes": write_bytes,
    "bytearray": write_bytes,
    "response": write_response,
}

#: For lists of what is plain: as a whole, at the speed of C.
BULK: dict[str, Callable[[list[Any]], list[Any]]] = {"int": write_ints, "float": write_floats}


class Loop(asyncio.BaseEventLoop):
    """An event loop without sockets, of which a component has none: it sleeps until the next timer."""

    class _Selector:
        def select(self, timeout: float | None) -> list[Any]:
            if timeout is None:
                raise RuntimeError("every task waits for something that cannot happen here")
            time.sleep(timeout)
            return []

    def __init__(self) -> None:
        super().__init__()
        self._selector = self._Selector()

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def run(coroutine: Any) -> Any:
    """What the coroutine gives in the end."""
    loop = Loop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(coroutine)
    finally:
        asyncio.set_event_loop(None)
