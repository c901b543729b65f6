"""The procedures of a module: its public, typed functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Union

import defaults
import limits
from classes import Classes
from faults import Diagnostic
from hints import Hints, Type, is_none
from modules import Local, LocalModule, Module, Outside, top_level

#: Modules of Python itself, and of what is put around the author's.
RESERVED = {
    *limits.STDLIB,
    *("tarp_app", "tarp_guest", "tarp_runtime", "wit_world", "componentize_py_types"),
}

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


class Analysis:
    """Reads one module, and collects what is wrong instead of stopping at the first fault."""

    def __init__(self, module: Module) -> None:
        self.first = module
        self.classes = Classes()
        self.of_module(module)
        self.functions: list[dict[str, Any]] = []
        self.faults: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []

    def of_module(self, module: Module) -> None:
        """Takes up a module: the first one, or one that a package has its functions from."""
        self.module = module
        self.hints = Hints(module, self.classes)

    @property
    def definitions(self) -> list[dict[str, Any]]:
        return self.classes.definitions

    def run(self) -> None:
        if self.module.name in RESERVED:
            text = f"a module with procedures cannot be called `{self.module.name}`: another is"
            self.faults.append(Diagnostic(f"{text}; rename the file", self.module.file))
        listed = listed_names(self.module)
        left_out: list[Diagnostic] = []
        for name, module, node in self.candidates(listed):
            asked_for = listed is not None or is_decorated(module, node)
            if is_untyped(node) and not is_decorated(module, node):
                if not name.startswith("test"):
                    text = f"`{name}` has no type hints, so it is no procedure"
                    self.warnings.append(Diagnostic(text, module.file, node.lineno))
                continue
            self.of_module(module)
            before = self.classes.mark()
            try:
                self.functions.append({**self.function(node), "name": name})
            except Diagnostic as fault:
                if not fault.file:
                    fault.message = f"`{name}`: {fault.message}"
                    fault.file, fault.line = module.file, fault.line or node.lineno
                self.classes.reset(before)
                faults = self.faults if asked_for else left_out
                if fault.as_json() not in [known.as_json() for known in faults]:
                    faults.append(fault)
        self.of_module(self.first)
        if self.functions or self.faults:
            for fault in left_out:
                fault.message += "; it is left out, and `__all__` says which functions must not be"
                self.warnings.append(fault)
        else:
            self.faults += left_out

    def candidates(self, listed: set[str] | None) -> Iterator[tuple[str, Module, Function]]:
        """The public functions: those in `__all__`, or all that the module defines whose names do
        not begin with `_`. Those that it imports count in a package, and where they are listed."""
        for name, statement in self.first.bindings.items():
            if name not in listed if listed is not None else name.startswith("_"):
                continue
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield name, self.first, statement
            elif isinstance(statement, ast.ImportFrom) and (self.first.is_package or listed):
                meaning = self.first.lookup(name)
                functions = (ast.FunctionDef, ast.AsyncFunctionDef)
                if isinstance(meaning, Local) and isinstance(meaning.node, functions):
                    yield name, meaning.module, meaning.node
        for star in self.first.stars:
            own = self.first.modules.find(star)
            if own is not None and (self.first.is_package or listed):
                names = listed_names(own)
                for name, statement in own.bindings.items():
                    public = name in names if names is not None else not name.startswith("_")
                    wanted = listed is None or name in listed
                    known = name in self.first.bindings
                    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
                    if public and wanted and not known and isinstance(statement, functions):
                        yield name, own, statement

    def function(self, node: Function) -> dict[str, Any]:
        arguments = node.args
        for star in (arguments.vararg, arguments.kwarg):
            if star is not None:
                raise Diagnostic(
                    f"the parameter `*{star.arg}` takes any number of arguments, which WIT cannot; "
                    "name each, or take a list",
                    line=star.lineno,
                )
        if any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in own_nodes(node)):
            raise Diagnostic("a generator cannot be a procedure; return a list")
        positional = [*arguments.posonlyargs, *arguments.args]
        missing = [None] * (len(positional) - len(arguments.defaults))
        pairs = [
            *zip(positional, [*missing, *arguments.defaults]),
            *zip(arguments.kwonlyargs, arguments.kw_defaults),
        ]
        keywords = {parameter.arg for parameter in arguments.kwonlyargs}
        return {
            "name": node.name,
            "line": node.lineno,
            "docs": ast.get_docstring(node),
            "async": isinstance(node, ast.AsyncFunctionDef),
            "parameters": [
                {
                    **self.parameter(node, parameter, default),
                    "keyword": parameter.arg in keywords,
                }
                for parameter, default in pairs
            ],
            "result": self.result(node),
            "options": self.options(node),
        }

    def parameter(
        self, node: Function, parameter: ast.arg, default: ast.expr | None
    ) -> dict[str, Any]:
        name = parameter.arg
        try:
            if parameter.annotation is None:
                raise Diagnostic("it has no type hint, and all others have one")
            of = self.hints.read(parameter.annotation, f"{node.name}_{name}")
            return {"name": name, "line": parameter.lineno, **self.default(default, of)}
        except Diagnostic as fault:
            if not fault.file:
                fault.message = f"the parameter `{name}`: {fault.message}"
                fault.line = fault.line or parameter.lineno
            raise

    def default(self, default: ast.expr | None, of: Type) -> dict[str, Any]:
        """The parameter's type, and its default where JSON has it. Any other is left to the
        function itself: the parameter is an option then, and not passed on where there is none."""
        if default is None:
            return {"type": of}
        if is_none(default):
            return {"type": of if of["kind"] == "option" else {"kind": "option", "of": of}}
        try:
            value = defaults.value(self.module, default)
            return {
                "type": of,
                "default": {"value": defaults.as_json(value, of, self.definitions)},
            }
        except defaults.NotConstant:
            return {"type": of, "own_default": True}

    def result(self, node: Function) -> Type | None:
        hint = node.returns
        if hint is None:
            returns = [inner for inner in own_nodes(node) if isinstance(inner, ast.Return)]
            valued = [inner for inner in returns if inner.value is not None]
            if valued:
                raise Diagnostic(
                    "what it returns has no type hint: `-> float`",
                    line=valued[0].lineno,
                )
            return None
        if is_none(hint) or ast.unparse(hint) in ("'None'", "NoReturn", "Never"):
            return None
        try:
            return self.hints.read(hint, f"{node.name}_result")
        except Diagnostic as fault:
            if not fault.file:
                fault.message = f"what it returns: {fault.message}"
            raise

    def options(self, node: Function) -> dict[str, Any]:
        """What `@tarp_guest.procedure(...)` says."""
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and self.module.meaning(decorator.func) == Outside(
                "tarp_guest.procedure"
            ):
                try:
                    return {
                        str(word.arg): ast.literal_eval(word.value) for word in decorator.keywords
                    }
                except ValueError:
                    text = "what is said in @procedure(...) has to be plain values"
                    raise Diagnostic(text, line=decorator.lineno) from None
        return {}


def listed_names(module: Module) -> set[str] | None:
    """The names in `__all__`, if the module has one that can be read."""
    found: set[str] | None = None
    for node in top_level(module.tree.body):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if not any(isinstance(each, ast.Name) and each.id == "__all__" for each in targets):
            continue
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
            names = listed_in(module, node.value)
            if names is None:
                return None
            found = names | (found or set() if isinstance(node, ast.AugAssign) else set())
    return found


def listed_in(module: Module, value: ast.expr) -> set[str] | None:
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        left, right = listed_in(module, value.left), listed_in(module, value.right)
        return None if left is None or right is None else left | right
    if isinstance(value, ast.Attribute) and value.attr == "__all__":
        meaning = module.meaning(value.value)
        return listed_names(meaning.module) if isinstance(meaning, LocalModule) else None
    if isinstance(value, (ast.List, ast.Tuple)):
        names: set[str] = set()
        for item in value.elts:
            inner = item.value if isinstance(item, ast.Starred) else None
            more = {item.value} if isinstance(item, ast.Constant) else None
            more = listed_in(module, inner) if inner is not None else more
            if more is None:
                return None
            names |= more
        return names
    return None


def is_decorated(module: Module, node: Function) -> bool:
    """Whether `@tarp_guest.procedure` asks for it."""
    called = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return any(module.meaning(each) == Outside("tarp_guest.procedure") for each in called)


def is_untyped(node: Function) -> bool:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [star for star in (arguments.vararg, arguments.kwarg) if star is not None]
    return node.returns is None and all(parameter.annotation is None for parameter in every)


def own_nodes(node: Function) -> Iterator[ast.AST]:
    """What is in a function, but not in the functions and classes within it."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        current = waiting.pop(0)
        yield current
        if not isinstance(current, inner):
            waiting.extend(ast.iter_child_nodes(current))
