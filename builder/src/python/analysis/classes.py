"""Classes to named types: dataclasses, named tuples and typed dictionaries to records, enumerations
to enums and flags; and the named types that no class stands for, literals and unions."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import limits
from faults import Diagnostic
from hints import Hints, Type
from modules import Local, Module, Outside

ENUMS = {"enum.Enum", "enum.IntEnum", "enum.StrEnum"}
FLAGS = {"enum.Flag", "enum.IntFlag"}
TYPED_DICTS = {"typing.TypedDict", "typing_extensions.TypedDict"}
NOT_REQUIRED = {"typing.NotRequired", "typing_extensions.NotRequired"}
#: Kinds of types whose values are all of one class, and no others'.
TOLD = {"int", "float", "bool", "str", "bytes", "complex", "dict", "tuple", "datetime", "date"}
TOLD |= {"time", "timedelta", "decimal", "uuid", "path"}
VALIDATED = {"pydantic.BaseModel", "pydantic.main.BaseModel", "pydantic.dataclasses.dataclass"}
REQUIRED = {"typing.Required", "typing_extensions.Required"}


class Classes:
    """Every named type that was met, each read once."""

    def __init__(self) -> None:
        self.definitions: list[dict[str, Any]] = []
        self._open: list[object] = []
        self._aliases: dict[tuple[str, str], Type] = {}

    def mark(self) -> tuple[int, set[tuple[str, str]]]:
        """What is known now, for `reset`."""
        return len(self.definitions), set(self._aliases)

    def reset(self, mark: tuple[int, set[tuple[str, str]]]) -> None:
        """Forgets what was read since, for a function that turned out not to be a procedure."""
        del self.definitions[mark[0] :]
        self._aliases = {key: of for key, of in self._aliases.items() if key in mark[1]}

    def read(self, hints: Hints, node: ast.ClassDef) -> Type:
        module = hints.module
        for known in self.definitions:
            if (known["name"], known["module"]) == (node.name, module.name):
                return {"kind": "named", "name": node.name, "module": module.name}
        if node in self._open:
            raise Diagnostic(f"the class `{node.name}` contains itself, which WIT types cannot")
        self._open.append(node)
        try:
            definition = self.define(hints, node)
        except Diagnostic as fault:
            if not fault.file:
                fault.message = f"the class `{node.name}`: {fault.message}"
                fault.file, fault.line = module.file, fault.line or node.lineno
            raise
        finally:
            self._open.pop()
        definition.update(
            name=node.name,
            module=module.name,
            line=node.lineno,
            file=module.file,
            docs=ast.get_docstring(node),
        )
        self.definitions.append(definition)
        return {"kind": "named", "name": node.name, "module": module.name}

    def define(self, hints: Hints, node: ast.ClassDef) -> dict[str, Any]:
        bases = {base.name for base in ancestors(hints.module, node)}
        if bases & FLAGS:
            return {"kind": "flags", "cases": members(node)}
        if bases & ENUMS:
            return {"kind": "enum", "cases": members(node)}
        if bases & TYPED_DICTS:
            return {
                "kind": "record",
                "python": "dict",
                "fields": self.fields(hints, node),
            }
        if "typing.NamedTuple" in bases or is_dataclass(hints.module, node):
            return {
                "kind": "record",
                "python": "class",
                "fields": self.fields(hints, node),
            }
        if bases & VALIDATED:
            raise Diagnostic(f"it is a model of pydantic: {limits.advice('pydantic')}")
        raise Diagnostic(
            "only dataclasses, NamedTuple, TypedDict, Enum and Flag can be sent; "
            "put @dataclass in front of it"
        )

    def fields(self, hints: Hints, node: ast.ClassDef) -> list[dict[str, Any]]:
        """Those of its bases first, as Python orders them."""
        found: dict[str, dict[str, Any]] = {}
        for base in node.bases:
            meaning = hints.module.meaning(base)
            if isinstance(meaning, Local) and isinstance(meaning.node, ast.ClassDef):
                for field in self.fields(Hints(meaning.module, self), meaning.node):
                    found[field["name"]] = field
        total = not any(word.arg == "total" and is_false(word.value) for word in node.keywords)
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                field = self.field(hints, node, statement, total)
                if field is not None:
                    found[field["name"]] = field
        if not found:
            raise Diagnostic("it has no fields")
        return list(found.values())

    def field(
        self, hints: Hints, node: ast.ClassDef, statement: ast.AnnAssign, total: bool
    ) -> dict[str, Any] | None:
        name, hint = statement.target.id, statement.annotation
        outer = hint.value if isinstance(hint, ast.Subscript) else hint
        full = getattr(hints.module.meaning(outer), "name", "")
        if full == "typing.ClassVar":
            return None
        optional = has_default(statement.value) or full in NOT_REQUIRED
        if not total and full not in REQUIRED and statement.value is None:
            optional = True
        try:
            of = hints.read(hint, f"{node.name}_{name}")
        except Diagnostic as fault:
            if not fault.file:
                fault.message = f"the field `{name}`: {fault.message}"
                fault.line = fault.line or statement.lineno
            raise
        return {
            "name": name,
            "type": of,
            "optional": optional,
            "line": statement.lineno,
        }

    def alias(self, meaning: Local, read: Callable[[], Type]) -> Type:
        """What another name stands for, read once."""
        key = (meaning.module.name, meaning.name)
        if key not in self._aliases:
            if key in self._open:
                raise Diagnostic(
                    f"the type `{meaning.name}` contains itself, which WIT types cannot"
                )
            self._open.append(key)
            try:
                self._aliases[key] = read()
            finally:
                self._open.pop()
        return self._aliases[key]

    def literal(self, name: str, cases: list[str]) -> Type:
        return self.nameless(name, {"kind": "literal", "cases": list(dict.fromkeys(cases))})

    def variant(self, name: str, types: list[Type]) -> Type:
        return self.nameless(name, {"kind": "variant", "cases": types})

    def nameless(self, name: str, definition: dict[str, Any]) -> Type:
        """A type that no class stands for. Another one may have its name: `f(x_y)` and `f_x(y)`."""
        taken = {known["name"] for known in self.definitions if not known["module"]}
        for number in itertools.count(1):
            own = name if number == 1 else f"{name}_{number}"
            definition.update(name=own, module="", line=None, file="", docs=None)
            if definition in self.definitions:
                break
            if own not in taken:
                self.definitions.append(definition)
                break
        return {"kind": "named", "name": own, "module": ""}

    def label(self, of: Type) -> str | None:
        """The name of the class that a type's values are of, where they can be told by it."""
        if of["kind"] == "list":
            return of["as"].split()[0]
        if of["kind"] != "named":
            return of["kind"] if of["kind"] in TOLD else None
        for known in self.definitions:
            if (of["name"], of["module"]) == (known["name"], known["module"]):
                by_class = known["kind"] == "record" and known["python"] == "class"
                return known["name"] if by_class or known["kind"] in ("enum", "flags") else None
        return None


def ancestors(module: Module, node: ast.ClassDef) -> Iterator[Outside]:
    """The classes outside that a class descends from."""
    for base in node.bases:
        meaning = module.meaning(base)
        if isinstance(meaning, Outside):
            yield meaning
        elif isinstance(meaning, Local) and isinstance(meaning.node, ast.ClassDef):
            yield from ancestors(meaning.module, meaning.node)


def is_dataclass(module: Module, node: ast.ClassDef) -> bool:
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if module.meaning(called) == Outside("dataclasses.dataclass"):
            return True
    return False


def members(node: ast.ClassDef) -> list[str]:
    """The members of an enumeration."""
    found: list[str] = []
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        found += [target.id for target in targets if isinstance(target, ast.Name)]
    found = [name for name in found if not name.startswith("_")]
    if not found:
        raise Diagnostic("it has no members")
    return found


def has_default(value: ast.expr | None) -> bool:
    """Whether a field may be left out; `field(...)` has a default only if it says so."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) in (
        "field",
        "dataclasses.field",
    ):
        return any(word.arg in ("default", "default_factory") for word in value.keywords)
    return value is not None


def is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False
