"""Default values to JSON, in the mapping that callers use."""

from __future__ import annotations

import ast
import base64
import json
import math
from typing import Any

from faults import Diagnostic
from hints import Type
from modules import Local, Module, Outside

CONSTANTS = {f"math.{name}": getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")}


class NotConstant(Exception):
    """A default that only running the module would tell."""


def value(module: Module, expression: ast.expr, depth: int = 0) -> Any:
    """The value of an expression that needs no running."""
    try:
        return ast.literal_eval(expression)
    except ValueError:
        pass
    if isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.USub):
        return -value(module, expression.operand, depth)
    if isinstance(expression, ast.Call):
        return number(module, expression)
    meaning = module.meaning(expression)
    if isinstance(meaning, Outside) and meaning.name in CONSTANTS:
        return CONSTANTS[meaning.name]
    if isinstance(meaning, Local) and depth < 10:
        assigned = getattr(meaning.node, "value", None)
        if isinstance(assigned, ast.expr):
            return value(meaning.module, assigned, depth + 1)
    if isinstance(expression, ast.Attribute):
        owner = module.meaning(expression.value)
        if isinstance(owner, Local) and isinstance(owner.node, ast.ClassDef):
            return Case(owner.name, expression.attr)
    raise NotConstant


def number(module: Module, call: ast.Call) -> float:
    """`float("inf")` and its like."""
    if module.meaning(call.func) == Outside("builtins.float") and len(call.args) == 1:
        try:
            return float(ast.literal_eval(call.args[0]))
        except (TypeError, ValueError):
            pass
    raise NotConstant


class Case:
    """A member of an enumeration."""

    def __init__(self, owner: str, name: str) -> None:
        self.owner = owner
        self.name = name


def as_json(given: Any, of: Type, definitions: list[dict[str, Any]]) -> Any:
    """A value as a caller would send it; a Diagnostic where it does not fit its hint."""
    kind = of["kind"]
    if kind == "option":
        return None if given is None else as_json(given, of["of"], definitions)
    if kind == "bool" and isinstance(given, bool):
        return given
    if kind == "int" and isinstance(given, int) and not isinstance(given, bool):
        return given
    if kind == "float" and isinstance(given, (int, float)) and not isinstance(given, bool):
        return json_float(float(given))
    if kind == "str" and isinstance(given, str):
        return given
    if kind == "complex" and isinstance(given, (int, float, complex)):
        number = complex(given)
        return [json_float(number.real), json_float(number.imag)]
    if kind == "choice" and (type(given), given) in [(type(it), it) for it in of["values"]]:
        return given
    if kind == "json" and is_json(given):
        return json.dumps(given, ensure_ascii=False)
    if kind in ("bytes", "bytearray") and isinstance(given, bytes):
        return base64.b64encode(given).decode()
    if kind == "list" and isinstance(given, set):
        # Sets of texts have another order in each process.
        given = sorted(given, key=repr)
    if kind == "list" and isinstance(given, (list, tuple)):
        return [as_json(item, of["of"], definitions) for item in given]
    if kind == "tuple" and isinstance(given, tuple) and len(given) == len(of["of"]):
        return [as_json(item, inner, definitions) for item, inner in zip(given, of["of"])]
    if kind == "dict" and isinstance(given, dict):
        # As pairs, which keep their order.
        items = given.items()
        return [
            [as_json(k, of["key"], definitions), as_json(v, of["of"], definitions)]
            for k, v in items
        ]
    if kind == "named":
        return named(given, of, definitions)
    raise Diagnostic(f"the default {given!r} does not fit its hint")


def named(given: Any, of: Type, definitions: list[dict[str, Any]]) -> Any:
    for known in definitions:
        if (known["name"], known["module"]) == (of["name"], of["module"]):
            break
    else:
        raise NotConstant
    if known["kind"] == "literal" and given in known["cases"]:
        return given
    if known["kind"] == "enum" and isinstance(given, Case) and given.name in known["cases"]:
        return given.name
    if known["kind"] == "flags" and isinstance(given, Case) and given.name in known["cases"]:
        return [given.name]
    if known["kind"] == "literal":
        raise Diagnostic(f"the default {given!r} is none of {', '.join(map(repr, known['cases']))}")
    raise NotConstant


def is_json(given: Any) -> bool:
    if isinstance(given, dict):
        return all(isinstance(key, str) and is_json(value) for key, value in given.items())
    if isinstance(given, list):
        return all(map(is_json, given))
    return given is None or isinstance(given, (bool, int, float, str))


def json_float(number: float) -> float | str:
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number
