"""The procedures of a module: its public, typed functions."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Any, Union

import defaults
from classes import Classes
from faults import Diagnostic
from hints import Hints, Type, is_none
from modules import Module, Outside, top_level

#: Modules of Python itself (its older versions do not tell) and of what is put around the author's.
RESERVED = {
    *getattr(sys, "stdlib_module_names", ()),
    *("tarp_app", "tarp_guest", "tarp_runtime", "wit_world", "componentize_py_types"),
}

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


class Analysis:
    """Reads one module, and collects what is wrong instead of stopping at the first fault."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.classes = Classes()
        self.hints = Hints(module, self.classes)
        self.functions: list[dict[str, Any]] = []
        self.faults: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []

    @property
    def definitions(self) -> list[dict[str, Any]]:
        return self.classes.definitions

    def run(self) -> None:
        if self.module.name in RESERVED:
            text = f"a module with procedures cannot be called `{self.module.name}`: another is"
            self.faults.append(Diagnostic(f"{text}; rename the file", self.module.file))
        public = self.public()
        latest = {node.name: node for node in functions(self.module.tree)}
        for name, node in latest.items():
            if name not in public if public is not None else name.startswith("_"):
                continue
            if is_untyped(node):
                if not name.startswith("test"):
                    text = f"`{name}` has no type hints, so it is no procedure"
                    self.warnings.append(Diagnostic(text, self.module.file, node.lineno))
                continue
            try:
                self.functions.append(self.function(node))
            except Diagnostic as fault:
                if not fault.file:
                    fault.message = f"`{name}`: {fault.message}"
                    fault.file, fault.line = self.module.file, fault.line or node.lineno
                if fault.as_json() not in [known.as_json() for known in self.faults]:
                    self.faults.append(fault)

    def public(self) -> set[str] | None:
        """The names in `__all__`, if the module has one."""
        node = self.module.bindings.get("__all__")
        if isinstance(node, ast.Assign):
            try:
                return set(ast.literal_eval(node.value))
            except (TypeError, ValueError):
                return None
        return None

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


def functions(tree: ast.Module) -> Iterator[Function]:
    for node in top_level(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


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
