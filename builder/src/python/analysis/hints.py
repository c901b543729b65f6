"""Type hints to types. A type is a dictionary with a `kind`, as Rust reads it (`../analysis.rs`)
and as it is again in the component (`../guest/tarp_runtime`)."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from faults import Diagnostic
from modules import Local, Module, Outside

if TYPE_CHECKING:
    from classes import Classes

Type = dict[str, Any]

SUPPORTED = (
    "int, float, bool, str, bytes, list[T], tuple[A, B], tuple[T, ...], set[T], dict[str, T], "
    "T | None, Literal of strings, dataclasses, NamedTuple, TypedDict, Enum, Flag, and unions "
    "of dataclasses"
)

PLAIN = {
    "builtins.int": "int",
    "builtins.float": "float",
    "builtins.bool": "bool",
    "builtins.str": "str",
    "builtins.bytes": "bytes",
    "builtins.bytearray": "bytearray",
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

ADVICE = {
    "builtins.object": "a caller has to know what to send; name the type",
    "typing.Any": "a caller has to know what to send; name the type",
    "builtins.complex": "use tuple[float, float]",
    "builtins.dict": "say of what: dict[str, float]",
    "builtins.list": "say of what: list[float]",
    "builtins.set": "say of what: set[str]",
    "builtins.tuple": "say of what: tuple[float, float]",
    "datetime.datetime": "use str, and datetime.fromisoformat",
    "datetime.date": "use str, and date.fromisoformat",
    "datetime.timedelta": "use float, in seconds",
    "decimal.Decimal": "use str, or float",
    "pathlib.Path": "a component sees no files of its caller; use bytes",
    "collections.abc.Callable": "a function cannot be sent",
    "typing.Callable": "a function cannot be sent",
    "numpy.ndarray": "numpy cannot run in a component; use list[float]",
    "numpy.typing.NDArray": "numpy cannot run in a component; use list[float]",
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
        if isinstance(meaning, Outside) and meaning.name in PLAIN:
            return {"kind": PLAIN[meaning.name]}
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
        full = meaning.name.replace("typing_extensions.", "typing.")
        inner = hint.slice
        items = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        if full in LISTS and len(items) == 1:
            return {"kind": "list", "as": LISTS[full], "of": self.read(items[0], name)}
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
            return self.classes.literal(name, [self.literal(item, hint) for item in items])
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

    def literal(self, item: ast.expr, hint: ast.expr) -> str:
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            return item.value
        raise Diagnostic(f"`{ast.unparse(hint)}`: only strings can be in a Literal here")

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
        if all(self.classes.is_instance(of) for of in types):
            return self.classes.variant(name, types)
        text = " | ".join(ast.unparse(member) for member in members)
        raise Diagnostic(
            f"the union `{text}` is not supported: only unions with None, of int and float, and "
            "of dataclasses are"
        )

    def unsupported(self, hint: ast.expr, meaning: object) -> Diagnostic:
        full = meaning.name if isinstance(meaning, Outside) else ""
        if full.startswith("pandas."):
            full = "numpy.ndarray"
        advice = ADVICE.get(full)
        text = f"the hint `{ast.unparse(hint)}` is not supported"
        return Diagnostic(f"{text}: {advice}" if advice else f"{text}; what is: {SUPPORTED}")


def alternatives(hint: ast.expr) -> list[ast.expr]:
    if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
        return [*alternatives(hint.left), *alternatives(hint.right)]
    return [hint]


def is_number(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not isinstance(value.value, str)


def is_none(hint: ast.expr) -> bool:
    return isinstance(hint, ast.Constant) and hint.value is None
