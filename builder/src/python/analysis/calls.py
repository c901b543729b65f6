"""What a module does that a component cannot, or that a component does only once: found without
running it, and said at its line. None of it keeps a component from being built, for the function
may never be called; what makes a module useless is a fault, and elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import limits
from faults import Diagnostic
from modules import Module, Outside, is_main

#: The largest file that goes into a component because a module mentions it.
MAX_FILE = 64 << 20

FILES = "grant a folder, by `folders` under `[grants]` of the sidecar,"


class Calls(ast.NodeVisitor):
    """Looks at one module."""

    def __init__(self, module: Module, seeded: bool) -> None:
        self.module = module
        self.seeded = seeded
        self.warnings: list[Diagnostic] = []
        #: Files that it mentions.
        self.files: set[Path] = set()
        #: Whether what is visited runs when the module is imported.
        self._at_import = True

    def warn(self, node: ast.AST, text: str) -> None:
        self.warnings.append(Diagnostic(text, self.module.file, node.lineno))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        defaults = [*arguments.defaults, *(each for each in arguments.kw_defaults if each)]
        for each in [*node.decorator_list, *defaults]:
            self.visit(each)
        self.later(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.later([node.body])

    def later(self, nodes: list[ast.AST]) -> None:
        at_import, self._at_import = self._at_import, False
        for node in nodes:
            self.visit(node)
        self._at_import = at_import

    def visit_If(self, node: ast.If) -> None:
        if is_main(node.test):
            for each in node.orelse:
                self.visit(each)
        else:
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.mention(node.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Div):
            self.mention("/".join(constants(list(operands(node)))))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self._at_import and self.module.meaning(node.value) == Outside("os.environ"):
            self.warn(node, f"`{ast.unparse(node)}` {limits.VARIABLES}")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.mention("/".join(constants(node.args)))
        meaning = self.module.meaning(node.func)
        name = meaning.name if isinstance(meaning, Outside) else ""
        written = f"`{ast.unparse(node.func)}(...)`"
        if name in limits.CALLS:
            self.warn(node, f"{written} fails in a component: {limits.CALLS[name]}")
        elif name in ("builtins.open", "io.open"):
            self.open(node)
        elif self._at_import:
            if name in ("os.getenv", "os.environ.get"):
                self.warn(node, f"{written} {limits.VARIABLES}")
            elif name in limits.FRESH or (name in limits.RANDOM and not self.seeded):
                self.warn(node, f"{written} {limits.ONCE}")
        self.generic_visit(node)

    def open(self, node: ast.Call) -> None:
        """A path that is relative and known."""
        if not node.args or not isinstance(node.args[0], ast.Constant):
            return
        path, mode = node.args[0].value, mode_of(node)
        if not isinstance(path, str) or path.startswith("/"):
            return
        written = f"`open({path!r})`"
        if set(mode) & set("wax+"):
            self.warn(
                node,
                f"{written} writes, and a component has no files of its own: return the content "
                f"(as bytes, for one), or {FILES} that it may write to",
            )
        elif self.find(path) is None:
            self.warn(
                node,
                f"{written} finds no file: there is none of this name beside the module to put "
                f"into the component; put it there, take its content as a parameter (bytes), or "
                f"{FILES} that it may read",
            )

    def mention(self, text: str) -> None:
        found = self.find(text)
        if found is not None and not is_code(found):
            self.files.add(found)

    def find(self, text: str) -> Path | None:
        """The file that a text is the path of, beside the module or in its project."""
        if not 0 < len(text) < 200 or "\n" in text or "\0" in text or text.startswith("/"):
            return None
        project = self.module.modules.project
        for folder in (self.module.path.parent, project):
            path = folder / text
            hidden = any(part.startswith(".") for part in Path(text).parts)
            if not hidden and path.is_file() and path.stat().st_size <= MAX_FILE:
                path = path.resolve()
                if path.is_relative_to(project.resolve()):
                    return project / path.relative_to(project.resolve())
        return None


def is_code(path: Path) -> bool:
    return path.suffix in (".py", ".ipynb", ".wasm") or path.name == "pyproject.toml"


def mode_of(node: ast.Call) -> str:
    given = [word.value for word in node.keywords if word.arg == "mode"]
    mode = node.args[1] if len(node.args) > 1 else next(iter(given), None)
    return str(mode.value) if isinstance(mode, ast.Constant) else "r"


def operands(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield from operands(node.left)
        yield node.right
    else:
        yield node


def constants(nodes: list[ast.expr]) -> list[str]:
    """The texts at the end, which are the end of a path."""
    found: list[str] = []
    for node in reversed(nodes):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            break
        found.insert(0, node.value)
    return found


def seeds(module: Module) -> bool:
    """Whether it gives the module `random` a seed when it is imported."""
    for node in module.tree.body:
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and module.meaning(call.func) == Outside("random.seed"):
            return True
    return False
