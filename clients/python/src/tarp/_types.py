"""The types of procedures, as the host describes them, in words that Python programmers read.

A type is a word (`"f64"`) or an object with one key (`{"list": "f64"}`).
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from typing import Any, Literal, Optional, Union

Type = Union[str, dict[str, Any]]

_SCALARS = {
    "bool": "bool",
    **dict.fromkeys(("s8", "s16", "s32", "s64", "u8", "u16", "u32", "u64"), "int"),
    "f32": "float",
    "f64": "float",
    "char": "str",
    "string": "str",
}

#: The scalars whose lists are arrays.
NUMBERS = frozenset(name for name, python in _SCALARS.items() if python != "str")


def kind_of(ty: Type) -> tuple[str, Any]:
    """What a type is (`"list"`, `"record"`, or a scalar's own name) and what is inside it."""
    if isinstance(ty, str):
        return ty, None
    return next(iter(ty.items()))


def is_optional(ty: Type) -> bool:
    """Whether an argument of this type may be left out."""
    return kind_of(ty)[0] == "option"


def scalar(name: str) -> str:
    """Python's type for a scalar; `Any` for one that this version does not know."""
    return _SCALARS.get(name, "Any")


def names(choices: list[Any]) -> str:
    """`Literal[...]` of texts; of the names where a choice is an object with a name."""
    texts = [choice if isinstance(choice, str) else choice["name"] for choice in choices]
    return f"Literal[{', '.join(map(repr, texts))}]"


def spelled(names: Iterable[str]) -> dict[str, str]:
    """Parameters' names as Python can have them, all different: `in` is `in_`, `a$` is `a_`."""
    found: dict[str, str] = {}
    known = set(names := list(names))
    for name in names:
        spelling = name
        if not name.isidentifier():
            spelling = re.sub(r"\W", "_", name)
            spelling = spelling if spelling.isidentifier() else f"_{spelling}"
        while keyword.iskeyword(spelling) or (spelling != name and spelling in known):
            spelling += "_"
        known.add(spelling)
        found[name] = spelling
    return found


class Annotation:
    """An annotation of a signature: shown as its text, without quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Annotation) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def in_words(ty: Type | None) -> str:
    """A type as a person reads it: `list[float]`, `{'x': float, 'y': float}`, `int | None`."""
    if ty is None:
        return "None"
    kind, inner = kind_of(ty)
    if kind == "list":
        return "bytes" if inner == "u8" else f"list[{in_words(inner)}]"
    if kind == "option":
        if is_optional(inner):
            return f"{{'some': {in_words(kind_of(inner)[1])} | None}} | None"
        return f"{in_words(inner)} | None"
    if kind == "tuple":
        return f"tuple[{', '.join(map(in_words, inner)) or '()'}]"
    if kind == "set":
        return f"set[{in_words(inner)}]"
    if kind == "map":
        return f"dict[{in_words(inner['key'])}, {in_words(inner['value'])}]"
    if kind == "record":
        return f"{{{', '.join(_entry(field['name'], field['type']) for field in inner)}}}"
    if kind == "variant":
        return " | ".join(
            repr(case["name"])
            if case["type"] is None
            else f"{{{_entry(case['name'], case['type'])}}}"
            for case in inner
        )
    if kind == "enum":
        return names(inner)
    if kind == "flags":
        return f"set[{names(inner)}]"
    if kind == "result":
        return f"{{{_entry('ok', inner['ok'])}}} | {{{_entry('err', inner['err'])}}}"
    return scalar(kind)


def in_python(ty: Type | None) -> Any:
    """A type as an annotation that programs can look at, as with `typing.get_type_hints`."""
    if ty is None:
        return None
    kind, inner = kind_of(ty)
    if kind == "list":
        return bytes if inner == "u8" else list[in_python(inner)]  # type: ignore[misc]
    if kind == "option":
        return Any if is_optional(inner) else Optional[in_python(inner)]
    if kind == "tuple":
        return tuple[tuple(map(in_python, inner))]  # type: ignore[misc]
    if kind == "set":
        return set[in_python(inner)]  # type: ignore[misc]
    if kind == "map":
        return dict[in_python(inner["key"]), in_python(inner["value"])]  # type: ignore[misc]
    if kind == "record":
        return dict[str, Any]
    if kind in ("enum", "flags"):
        texts = [choice if isinstance(choice, str) else choice["name"] for choice in inner]
        literal: Any = Literal.__getitem__(tuple(texts))
        return literal if kind == "enum" else set.__class_getitem__(literal)
    return {"bool": bool, "int": int, "float": float, "str": str}.get(scalar(kind), Any)


def _entry(name: str, ty: Type | None) -> str:
    return f"{name!r}: {in_words(ty)}"


def returned(result: Type | None) -> Type | None:
    """The type that a call gives: of a result at the top, only what it is when all is well."""
    if result is not None and kind_of(result)[0] == "result":
        ok: Type | None = kind_of(result)[1]["ok"]
        return ok
    return result
