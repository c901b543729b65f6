"""Type hints to types. A type is a dictionary with a `kind`, as Rust reads it (`../analysis.rs`)
and as it is again in the component (`../guest/tarp_runtime`)."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import limits
from faults import Diagnostic
from modules import Local, Module, Outside

if TYPE_CHECKING:
    from classes import Classes

Type = dict[str, Any]

SUPPORTED = (
    "int, float, complex, bool, str, bytes, list[T], tuple[A, B], tuple[T, ...], set[T], "
    "dict[str, T], T | None, Literal, dataclasses, NamedTuple, TypedDict, Enum, Flag, unions, "
    "datetime, date, time, timedelta, Decimal, UUID, Path, array.array, and Any for JSON"
)

PLAIN = {
    "builtins.int": "int",
    "builtins.float": "float",
    "builtins.bool": "bool",
    "builtins.str": "str",
    "builtins.bytes": "bytes",
    "builtins.bytearray": "bytearray",
    "builtins.complex": "complex",
    "datetime.datetime": "datetime",
    "datetime.date": "date",
    "datetime.time": "time",
    "datetime.timedelta": "timedelta",
    "decimal.Decimal": "decimal",
    "pathlib.Path": "path",
    "pathlib.PurePath": "path",
    "typing.Any": "json",
    "uuid.UUID": "uuid",
    "tarp_guest.Request": "request",
    "tarp_guest.Response": "response",
}

#: What becomes a list, and what it is again in Python.
LISTS = {
    "builtins.list": "list",
    "builtins.set": "set",
    "builtins.frozenset": "frozenset",
    "typing.List": "list",
    "typing.Set": "set",
    "typing.FrozenSet": "frozenset",
    **{
        f"{module}.{name}": "list"
        for module in ("typing", "collections.abc")
        for name in ("Sequence", "MutableSequence", "Iterable", "Collection")
    },
}

DICTS = {
    "builtins.dict",
    "typing.Dict",
    *(
        f"{module}.{name}"
        for module in ("typing", "collections.abc")
        for name in ("Mapping", "MutableMapping")
    ),
}

#: Typecodes of `array.array`, by what is in it.
ARRAYS = {"float": "d", "int": "q"}

_TABLE = (
    "pandas cannot run in a component; use a list of a dataclass with the columns as its fields, "
    "or dict[str, list[float]]"
)

ADVICE = {
    "builtins.object": "a caller has to know what to send; name the type, or say Any for JSON",
    "builtins.dict": "say of what: dict[str, float]",
    "builtins.list": "say of what: list[float]",
    "builtins.set": "say of what: set[str]",
    "builtins.tuple": "say of what: tuple[float, float]",
    "collections.abc.Callable": "a function cannot be sent",
    "typing.Callable": "a function cannot be sent",
    "numpy.ndarray": "numpy cannot run in a component; use list[float]",
    "numpy.typing.NDArray": "numpy cannot run in a component; use list[float]",
    "numpy.typing.ArrayLike": "numpy cannot run in a component; use list[float]",
    "numpy.float64": "numpy cannot run in a component; use float",
    "numpy.int64": "numpy cannot run in a component; use int",
    "pandas.DataFrame": _TABLE,
    "polars.DataFrame": _TABLE.replace("pandas", "polars"),
    "pandas.Series": "pandas cannot run in a component; use list[float]",
    "typing.IO": "a file cannot be sent; use bytes",
    "typing.TextIO": "a file cannot be sent; use str",
    "typing.BinaryIO": "a file cannot be sent; use bytes",
}


class Hints:
    """Reads the hints of one module."""

    def __init__(self, module: Module, classes: Classes) -> None:
        self.module = module
        self.classes = classes

    def read(self, hint: ast.expr, name: str) -> Type:
        """The type that a hint stands for; `name` is for a type that has none of its own."""
        if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
            try:
                return self.read(ast.parse(hint.value.strip(), mode="eval").body, name)
            except SyntaxError:
                raise Diagnostic(f"the hint {hint.value!r} is no Python") from None
        if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
            return self.union(list(alternatives(hint)), name)
        if isinstance(hint, ast.Subscript):
            return self.subscript(hint, name)
        return self.bare(hint, name)

    def bare(self, hint: ast.expr, name: str) -> Type:
        meaning = self.module.meaning(hint)
        if isinstance(meaning, Local):
            return self.local(meaning, hint)
        full = known_as(meaning.name) if isinstance(meaning, Outside) else ""
        if full in PLAIN:
            return {"kind": PLAIN[full]}
        if full == "array.array":
            return array({"kind": "float"})
        if isinstance(meaning, Outside) and meaning.name.startswith("?."):
            raise Diagnostic(f"the hint `{ast.unparse(hint)}` is not defined in {self.module.file}")
        raise self.unsupported(hint, meaning)

    def local(self, meaning: Local, hint: ast.expr) -> Type:
        """Something of the author's: a class, or another name for a type."""
        node = meaning.node
        hints = self if meaning.module is self.module else Hints(meaning.module, self.classes)
        if isinstance(node, ast.ClassDef):
            return self.classes.read(hints, node)
        value = getattr(node, "value", None)
        if isinstance(value, ast.Call) and self.is_call_of(hints.module, value, "typing.NewType"):
            value = value.args[1] if len(value.args) == 2 else None
        if isinstance(value, ast.expr) and not isinstance(value, ast.Call) and not is_number(value):
            return self.classes.alias(meaning, lambda: hints.read(value, meaning.name))
        raise self.unsupported(hint, None)

    @staticmethod
    def is_call_of(module: Module, call: ast.Call, name: str) -> bool:
        return module.meaning(call.func) == Outside(name)

    def subscript(self, hint: ast.Subscript, name: str) -> Type:
        meaning = self.module.meaning(hint.value)
        if not isinstance(meaning, Outside):
            raise self.unsupported(hint, meaning)
        full = known_as(meaning.name)
        inner = hint.slice
        items = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        if full in LISTS and len(items) == 1:
            return {"kind": "list", "as": LISTS[full], "of": self.read(items[0], name)}
        if full == "array.array" and len(items) == 1:
            of = self.read(items[0], name)
            if of["kind"] in ARRAYS:
                return array(of)
        if full in ("builtins.tuple", "typing.Tuple"):
            return self.tuple(items, name)
        if full in DICTS and len(items) == 2:
            key = self.read(items[0], name)
            if key["kind"] not in ("str", "int"):
                raise Diagnostic(f"the keys of `{ast.unparse(hint)}` have to be str or int")
            return {"kind": "dict", "key": key, "of": self.read(items[1], name)}
        if full == "typing.Optional" and len(items) == 1:
            return self.union([items[0], ast.Constant(None)], name)
        if full == "typing.Union":
            return self.union(items, name)
        if full == "typing.Literal":
            return self.literal(items, hint, name)
        if full in (
            "typing.Annotated",
            "typing.Final",
            "typing.Required",
            "typing.NotRequired",
        ):
            return self.read(items[0], name)
        raise self.unsupported(hint, meaning)

    def tuple(self, items: list[ast.expr], name: str) -> Type:
        last = items[-1]
        if len(items) == 2 and isinstance(last, ast.Constant) and last.value is Ellipsis:
            return {"kind": "list", "as": "tuple", "of": self.read(items[0], name)}
        return {
            "kind": "tuple",
            "of": [self.read(item, f"{name}_{index}") for index, item in enumerate(items, 1)],
        }

    def literal(self, items: list[ast.expr], hint: ast.Subscript, name: str) -> Type:
        values: list[Any] = []
        for item in items:
            try:
                values.append(ast.literal_eval(item))
            except ValueError:
                values.append(object())
        if None in values:
            rest = [item for item, value in zip(items, values) if value is not None]
            if rest:
                return {"kind": "option", "of": self.literal(rest, hint, name)}
        if all(isinstance(value, str) for value in values):
            return self.classes.literal(name, values)
        for of, kind in ((bool, "bool"), (int, "int")):
            if all(type(value) is of for value in values):
                return {"kind": "choice", "of": {"kind": kind}, "values": values}
        raise Diagnostic(
            f"`{ast.unparse(hint)}`: a Literal is of texts, of whole numbers or of bool, and not "
            "of several kinds; use an Enum for others"
        )

    def union(self, members: list[ast.expr], name: str) -> Type:
        rest = [member for member in members if not is_none(member)]
        of = self.several(rest, name) if len(rest) > 1 else self.read(rest[0], name)
        if len(rest) == len(members) or of["kind"] == "option":
            return of
        return {"kind": "option", "of": of}

    def several(self, members: list[ast.expr], name: str) -> Type:
        types = [self.read(member, f"{name}_{index}") for index, member in enumerate(members, 1)]
        if all(of == {"kind": "int"} or of == {"kind": "float"} for of in types):
            return {"kind": "float"}
        labels = [self.classes.label(of) for of in types]
        if all(labels) and len(set(labels)) == len(labels):
            return self.classes.variant(name, types)
        text = " | ".join(ast.unparse(member) for member in members)
        raise Diagnostic(
            f"the union `{text}` is not supported: its members have to be classes of different "
            "names, by which one can tell its values apart, and none a Literal or a TypedDict"
        )

    def unsupported(self, hint: ast.expr, meaning: object) -> Diagnostic:
        full = known_as(meaning.name) if isinstance(meaning, Outside) else ""
        advice = ADVICE.get(full) or limits.advice(full)
        text = f"the hint `{ast.unparse(hint)}` is not supported"
        return Diagnostic(f"{text}: {advice}" if advice else f"{text}; what is: {SUPPORTED}")


def known_as(name: str) -> str:
    """The name under which the tables here have it."""
    return name.replace("typing_extensions.", "typing.")


def array(of: Type) -> Type:
    return {"kind": "list", "as": f"array {ARRAYS[of['kind']]}", "of": of}


def alternatives(hint: ast.expr) -> list[ast.expr]:
    if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
        return [*alternatives(hint.left), *alternatives(hint.right)]
    return [hint]


def is_number(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not isinstance(value.value, str)


def is_none(hint: ast.expr) -> bool:
    return isinstance(hint, ast.Constant) and hint.value is None
