"""The converters of every type of a component, in both directions.

A converter is a function, or None where a value can go as it is, so that a list of a million
numbers is not touched on its way in.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import typing
from array import array
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from . import texts
from .plain import BULK, PLAIN, Converter, Mismatch, looked_up, same
from .web import read_request, write_response

Type = dict[str, Any]

LISTS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}

#: The classes of the values of a type that is a case of a union.
CLASSES: dict[str, tuple[type, ...]] = {
    **{name: (make,) for name, make in LISTS.items()},
    **{make.__name__: (make,) for make in (array, bool, bytes, complex, dict, float, int, str)},
}


def maker(of: str) -> Callable[[Iterable[Any]], Any]:
    """What makes a list of this kind: `list`, `set`, `array d`."""
    name, _, typecode = of.partition(" ")
    return functools.partial(array, typecode) if name == "array" else LISTS[name]


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
            make, inner = maker(of["as"]), self.reader(of["of"])
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
        if kind == "complex":
            return lambda pair: complex(*pair)
        if kind == "choice":
            return texts.choice(of)[0]
        return texts.reader(kind) if kind in texts.READ else None

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
            (
                attribute,
                field["name"],
                field["optional"],
                self.reader(field["type"]) or same,
            )
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
        if kind == "complex":
            return texts.write_complex
        if kind == "choice":
            return texts.choice(of)[1]
        if kind in texts.READ:
            return texts.writer(kind)
        return write_response if kind == "response" else PLAIN[kind]

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
        table = {
            ours[name]: each for each, name in zip(self.theirs(definition), definition["cases"])
        }
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
            (self.told_by(case, definition["cases"]), theirs, self.writer(case))
            for theirs, case in zip(typing.get_args(self.theirs(definition)), definition["cases"])
        ]

        def write(given: Any) -> Any:
            for is_one, theirs, inner in plan:
                if is_one(given):
                    return theirs(inner(given))
            names = (case.get("name", case["kind"]) for case in definition["cases"])
            raise Mismatch(given, " or ".join(names))

        return write

    def told_by(self, case: Type, cases: list[Type]) -> Callable[[Any], bool]:
        """How a value shows that it is of this case of a union."""
        kind = case["kind"]
        if kind == "named":
            ours = self.ours(self.of(case))
            return lambda given: isinstance(given, ours)
        if kind in texts.WRITE:
            return lambda given: texts.is_of(kind, given)
        classes: tuple[type, ...] = CLASSES[case["as"].split()[0] if kind == "list" else kind]
        if kind == "float" and {"kind": "int"} not in cases:
            classes = (float, int)
        if bool in classes:
            return lambda given: isinstance(given, bool)
        return lambda given: isinstance(given, classes) and not isinstance(given, bool)
