"""Modules as syntax trees, and what a name in one is bound to: something in the author's own
modules, or something of the world outside by its full name (`typing.Optional`)."""

from __future__ import annotations

import ast
import builtins
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

import notebook
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

#: How deep names are followed from module to module.
MAX_DEPTH = 20


@dataclass(eq=False)
class Module:
    """One module."""

    name: str
    path: Path
    #: As its author knows it, for messages.
    file: str
    tree: ast.Module
    modules: Modules
    #: Its text, where the file has another form.
    text: str | None = None
    bindings: dict[str, ast.stmt] = field(default_factory=dict)
    #: The modules of `from module import *`.
    stars: list[str] = field(default_factory=list)

    @property
    def docs(self) -> str | None:
        return ast.get_docstring(self.tree)

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def absolute(self, node: ast.ImportFrom) -> str:
        """The full name of the module in `from module import ...`."""
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        up = node.level - self.is_package
        package = package[: len(package) - up] if up else package
        return ".".join([*package, *([node.module] if node.module else [])])

    def meaning(self, expression: ast.expr) -> Meaning | None:
        """What an expression made of names and dots speaks of; None for any other."""
        if isinstance(expression, ast.Name):
            return self.lookup(expression.id)
        if isinstance(expression, ast.Attribute):
            base = self.meaning(expression.value)
            if isinstance(base, Outside):
                return self.modules.outside(f"{base.name}.{expression.attr}")
            if isinstance(base, LocalModule):
                return base.module.attribute(expression.attr)
        return None

    def attribute(self, name: str) -> Meaning:
        """What `module.name` speaks of: something in it, or a module within the package."""
        found = self.lookup(name)
        if isinstance(found, Outside) and name not in self.bindings:
            inner = self.modules.find(f"{self.name}.{name}")
            if inner is not None:
                return LocalModule(inner)
        return found

    def lookup(self, name: str, depth: int = 0) -> Meaning:
        node = self.bindings.get(name)
        if node is None or depth > MAX_DEPTH:
            return self.unbound(name, depth)
        if isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.split(".")[0]) == name:
                    return self.modules.outside(alias.name if alias.asname else name)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return self.modules.member(self.absolute(node), alias.name, depth)
        return Local(self, node, name)

    def unbound(self, name: str, depth: int) -> Meaning:
        """A name that no statement here binds: from `from module import *`, or Python's own."""
        for star in self.stars if depth <= MAX_DEPTH else []:
            own = self.modules.find(star)
            if own is None and not hasattr(builtins, name):
                return Outside(f"{star}.{name}")
            if own is not None and own is not self:
                found = own.lookup(name, depth + 1)
                if not (isinstance(found, Outside) and found.name.startswith(("?.", "builtins."))):
                    return found
        return Outside(f"builtins.{name}" if hasattr(builtins, name) else f"?.{name}")


class Modules:
    """The author's modules: all that can be imported from where the first one is."""

    def __init__(self, first: Path, shown: str, project: Path) -> None:
        self.folder = first.parent
        self.shown = os.path.dirname(shown)
        root = first.parent
        while (root / "__init__.py").is_file():
            root = root.parent
        #: The folder whose files keep their places in the component.
        self.project = project if root.is_relative_to(project) else root
        #: Where modules are looked for, in this order.
        self.roots = [root]
        for other in (self.project / "src", self.project):
            if other.is_dir() and other not in self.roots:
                self.roots.append(other)
        self.known: dict[Path, Module] = {}
        self.found: dict[str, Module | None] = {}

    def label(self, path: Path) -> str:
        """A file as its author knows it."""
        relative = os.path.relpath(path, self.folder)
        return os.path.normpath(os.path.join(self.shown, relative))

    def name(self, path: Path) -> str:
        """The full name of the module in a file."""
        root = next((root for root in self.roots if path.is_relative_to(root)), path.parent)
        parts = list(path.relative_to(root).with_suffix("").parts)
        # A dot would be that of a package.
        parts = [part.replace(".", "_") for part in parts]
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        return ".".join(parts)

    def load(self, path: Path) -> Module:
        if path in self.known:
            return self.known[path]
        file, text, source = self.label(path), None, path.read_bytes()
        if path.suffix == ".ipynb":
            source = text = notebook.read(source, file)
        try:
            tree = ast.parse(source, file)
        except SyntaxError as error:
            raise Diagnostic(f"not Python: {error.msg}", file, error.lineno) from None
        module = self.known[path] = Module(self.name(path), path, file, tree, self, text)
        for node in top_level(tree.body):
            for bound in names(node):
                if bound == "*":
                    module.stars.append(module.absolute(node))
                elif not is_fallback(node) or bound not in module.bindings:
                    module.bindings[bound] = node
        return module

    def text_of(self, path: Path) -> str | None:
        """The module's text, where it is not what the file has."""
        module = self.known.get(path)
        return module.text if module is not None else None

    def find(self, name: str) -> Module | None:
        """The author's module of this name, if there is one. A copy of ours is not the author's."""
        if name not in self.found:
            self.found[name] = self._find(name)
        return self.found[name]

    def _find(self, name: str) -> Module | None:
        parts = name.split(".")
        if not all(parts) or parts[0] == "tarp_guest":
            return None
        for root in self.roots:
            place = root.joinpath(*parts)
            for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
                if path.is_file():
                    return self.load(path)
        return None

    def outside(self, name: str) -> Meaning:
        module = self.find(name)
        return LocalModule(module) if module else Outside(name)

    def member(self, module: str, name: str, depth: int) -> Meaning:
        """What `from module import name` binds."""
        own = self.find(module)
        if own is not None:
            found = own.lookup(name, depth + 1)
            if not (isinstance(found, Outside) and found.name.startswith(("?.", "builtins."))):
                return found
        inner = self.find(f"{module}.{name}" if module else name)
        return LocalModule(inner) if inner else Outside(f"{module}.{name}")


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, also those under `if TYPE_CHECKING` and `try`, but not what runs
    only where the module is the program."""
    for node in body:
        if isinstance(node, ast.If):
            if not is_main(node.test):
                yield from top_level(node.body)
            yield from top_level(node.orelse)
        elif isinstance(node, ast.Try):
            yield from top_level(node.body)
            for handler in node.handlers:
                yield from top_level(handler.body)
            yield from top_level(node.orelse)
            yield from top_level(node.finalbody)
        elif isinstance(node, ast.With):
            yield from top_level(node.body)
        else:
            yield node


def is_fallback(node: ast.stmt) -> bool:
    """`name = None`, for an import that fails."""
    return isinstance(node, ast.Assign) and (
        isinstance(node.value, ast.Constant) and node.value.value is None
    )


def is_main(test: ast.expr) -> bool:
    """`__name__ == "__main__"`"""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
    )


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
