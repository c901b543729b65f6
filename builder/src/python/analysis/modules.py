"""Modules as syntax trees, and what a name in one is bound to: something in the author's own
modules, or something of the world outside by its full name (`typing.Optional`)."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from faults import Diagnostic


@dataclass
class Local:
    """A statement of one of the author's modules: a class, a function, an assignment."""

    module: Module
    node: ast.stmt
    name: str


@dataclass
class LocalModule:
    """One of the author's modules itself."""

    module: Module


@dataclass
class Outside:
    """Something that is not the author's, by its full name."""

    name: str


Meaning = Union[Local, LocalModule, Outside]


@dataclass
class Module:
    """One module."""

    name: str
    #: As its author knows it, for messages.
    file: str
    tree: ast.Module
    modules: Modules
    bindings: dict[str, ast.stmt] = field(default_factory=dict)
    #: The modules of `from module import *`.
    stars: list[str] = field(default_factory=list)

    @property
    def docs(self) -> str | None:
        return ast.get_docstring(self.tree)

    def meaning(self, expression: ast.expr) -> Meaning | None:
        """What an expression made of names and dots speaks of; None for any other."""
        if isinstance(expression, ast.Name):
            return self.lookup(expression.id)
        if isinstance(expression, ast.Attribute):
            base = self.meaning(expression.value)
            if isinstance(base, Outside):
                return Outside(f"{base.name}.{expression.attr}")
            if isinstance(base, LocalModule):
                return base.module.lookup(expression.attr)
        return None

    def lookup(self, name: str, depth: int = 0) -> Meaning:
        node = self.bindings.get(name)
        if node is None or depth > 20:
            return self.unbound(name, depth)
        if isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.split(".")[0]) == name:
                    return self.modules.outside(alias.name if alias.asname else name)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return self.modules.member(node.module or "", alias.name, depth)
        return Local(self, node, name)

    def unbound(self, name: str, depth: int) -> Meaning:
        """A name that no statement here binds: from `from module import *`, or Python's own."""
        for star in self.stars if depth <= 20 else []:
            own = self.modules.find(star)
            if own is None and not hasattr(builtins, name):
                return Outside(f"{star}.{name}")
            if own is not None and name in own.bindings:
                return own.lookup(name, depth + 1)
        return Outside(f"builtins.{name}" if hasattr(builtins, name) else f"?.{name}")


class Modules:
    """The author's modules: all that lie beside the first one."""

    def __init__(self, folder: Path, shown: Path) -> None:
        self.folder = folder
        self.shown = shown
        self.known: dict[str, Module] = {}

    def load(self, path: Path) -> Module:
        name = path.stem if path.stem != "__init__" else path.parent.name
        if name in self.known:
            return self.known[name]
        file = str(self.shown / path.relative_to(self.folder))
        try:
            tree = ast.parse(path.read_bytes(), file)
        except SyntaxError as error:
            raise Diagnostic(f"not Python: {error.msg}", file, error.lineno) from None
        module = self.known[name] = Module(name, file, tree, self)
        for node in top_level(tree.body):
            for bound in names(node):
                if bound == "*":
                    module.stars.append(node.module or "")
                else:
                    module.bindings[bound] = node
        return module

    def find(self, name: str) -> Module | None:
        """The author's module of this name, if there is one. A copy of ours is not the author's."""
        parts = name.split(".")
        if not all(parts) or parts[0] == "tarp_guest":
            return None
        for path in (
            self.folder.joinpath(*parts).with_suffix(".py"),
            self.folder.joinpath(*parts, "__init__.py"),
        ):
            if path.is_file():
                return self.load(path)
        return None

    def outside(self, name: str) -> Meaning:
        module = self.find(name)
        return LocalModule(module) if module else Outside(name)

    def member(self, module: str, name: str, depth: int) -> Meaning:
        """What `from module import name` binds."""
        own = self.find(module)
        if own is not None and name in own.bindings:
            return own.lookup(name, depth + 1)
        inner = self.find(f"{module}.{name}" if module else name)
        return LocalModule(inner) if inner else Outside(f"{module}.{name}")

    def imports(self, name: str) -> bool:
        """Whether any of the author's modules imports this one, directly or not."""
        seen: set[str] = set()
        waiting = list(self.known.values())
        while waiting:
            module = waiting.pop()
            if module.name in seen:
                continue
            seen.add(module.name)
            for imported in imported_by(module.tree):
                if imported == name or imported.startswith(f"{name}."):
                    return True
                own = self.find(imported)
                if own is not None:
                    waiting.append(own)
        return False


def imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}".lstrip(".") for alias in node.names)


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, also those under `if TYPE_CHECKING` and `try`."""
    for node in body:
        if isinstance(node, ast.If):
            yield from top_level(node.body)
            yield from top_level(node.orelse)
        elif isinstance(node, ast.Try):
            yield from top_level(node.body)
            for handler in node.handlers:
                yield from top_level(handler.body)
        else:
            yield node


def names(node: ast.stmt) -> Iterator[str]:
    """The names that a statement binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Import):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif type(node).__name__ == "TypeAlias":
        yield node.name.id
