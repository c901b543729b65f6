"""Everything that a module's imports lead to, those within its functions too: the author's modules
and their data, and what is asked of the world outside."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import limits
from faults import Diagnostic
from modules import Module, Modules, Outside, is_main

#: What one finds beside modules, but not in a component.
HIDDEN = (".", "__pycache__", "node_modules")

#: Suffixes of what is no data of a package.
NO_DATA = (".pyc", ".pyo", ".pyd", ".so", ".pyi", ".wasm", ".c", ".h")


@dataclass
class Import:
    """A module that is imported somewhere."""

    name: str
    line: int
    #: Whether the module goes on without it.
    guarded: bool


class Imports(ast.NodeVisitor):
    """The imports of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.found: list[Import] = []
        self._guards = 0

    def add(self, name: str, node: ast.AST) -> None:
        if name:
            self.found.append(Import(name, node.lineno, self._guards > 0))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self.module.absolute(node)
        self.add(base, node)
        for alias in node.names:
            # Of what is outside nobody knows here whether it is a module.
            inner = f"{base}.{alias.name}".lstrip(".")
            if self.module.modules.find(inner) or inner in limits.ABSENT:
                self.add(inner, node)

    def visit_Call(self, node: ast.Call) -> None:
        meaning = self.module.meaning(node.func)
        names = ("importlib.import_module", "builtins.__import__")
        if isinstance(meaning, Outside) and meaning.name in names and len(node.args) == 1:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                self.add(name.value if not name.value.startswith(".") else "", node)
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        if any(catches_imports(handler) for handler in node.handlers):
            with_guard = [*node.body, *node.handlers]
            self.guarded(with_guard)
            self.visit_all([*node.orelse, *node.finalbody])
        else:
            self.generic_visit(node)

    def visit_With(self, node: ast.With) -> None:
        suppressed = (
            isinstance(item.context_expr, ast.Call)
            and self.module.meaning(item.context_expr.func) == Outside("contextlib.suppress")
            for item in node.items
        )
        if any(suppressed):
            self.guarded(node.body)
        else:
            self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        test = ast.unparse(node.test)
        if is_main(node.test):
            self.visit_all(node.orelse)
        elif "TYPE_CHECKING" in test:
            self.guarded(node.body)
            self.visit_all(node.orelse)
        elif any(word in test for word in ("sys.platform", "sys.version_info", "os.name")):
            self.guarded([*node.body, *node.orelse])
        else:
            self.generic_visit(node)

    def guarded(self, nodes: list[ast.stmt]) -> None:
        self._guards += 1
        self.visit_all(nodes)
        self._guards -= 1

    def visit_all(self, nodes: list[ast.stmt]) -> None:
        for node in nodes:
            self.visit(node)


def catches_imports(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    catching = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return any(ast.unparse(name) in catching for name in names)


class Reach:
    """What a module leads to."""

    def __init__(self, modules: Modules, first: Module) -> None:
        self.modules = modules
        #: The author's modules, the first one in front.
        self.own: list[Module] = []
        #: What is imported of the world outside, and where.
        self.outside: list[tuple[Import, Module]] = []
        self.faults: list[Diagnostic] = []
        waiting = [first]
        while waiting:
            module = waiting.pop(0)
            if module in self.own:
                continue
            self.own.append(module)
            imports = Imports(module)
            imports.visit(module.tree)
            for each in imports.found:
                waiting += self._of(each, module)
            # A package is there before what is in it.
            waiting += self._within(module.name)

    def _within(self, name: str) -> Iterator[Module]:
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            found = self.modules.find(".".join(parts[:end]))
            if found is not None:
                yield found

    def _of(self, each: Import, module: Module) -> list[Module]:
        try:
            found = list(self._within(each.name))
        except Diagnostic as fault:
            if fault not in self.faults:
                self.faults.append(fault)
            return []
        if not found and not self._is_folder(each.name):
            self.outside.append((each, module))
        return found

    def _is_folder(self, name: str) -> bool:
        """Whether it is a package without an `__init__.py`."""
        top = name.split(".")[0]
        return any((root / top).is_dir() for root in self.modules.roots) and (
            top not in limits.STDLIB
        )

    def imports(self, name: str) -> bool:
        """Whether anything of the author's imports this module."""
        names = (each.name for each, _ in self.outside)
        return any(each == name or each.startswith(f"{name}.") for each in names)

    def files(self) -> dict[str, Path]:
        """What of the author's goes into the component, by the path below the project."""
        found = {module.path for module in self.own}
        for module in self.own:
            if module.is_package:
                found.update(within(module.path.parent))
        project = self.modules.project
        files = {}
        for path in sorted(found):
            if path.is_relative_to(project):
                files[path.relative_to(project).as_posix()] = path
        first = self.own[0]
        if not first.is_package and first.path.name != f"{first.name.rpartition('.')[2]}.py":
            # Where `import` finds it.
            place = first.path.parent.relative_to(project)
            del files[first.path.relative_to(project).as_posix()]
            files[(place / f"{first.name.rpartition('.')[2]}.py").as_posix()] = first.path
        return files


def within(folder: Path) -> Iterator[Path]:
    """The modules and the data of a package."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(HIDDEN) and name != "tests"
        )
        for name in files:
            if not name.startswith(".") and not name.endswith(NO_DATA):
                yield Path(place, name)
