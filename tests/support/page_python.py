"""Runs the Python blocks of a page, as lines of JSON on standard input name them, in one namespace.

A comment behind an expression is compared if it says what comes of it: a literal, or
`raises TYPE: MESSAGE`. `…` in a message stands for anything.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import re
import sys
import traceback
from typing import Any

RAISES = re.compile(r"raises ([\w.]+)(?:: (.*))?")


def comment(node: ast.stmt, lines: list[str]) -> str | None:
    """The comment behind the last line of a statement."""
    assert node.end_lineno
    line = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
    return line.partition("#")[2].strip() if "#" in line else None


def evaluate(node: ast.stmt, names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> Any:
    """Runs a statement; gives its value where it is an expression."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    if isinstance(node, ast.Expr):
        code = compile(ast.Expression(node.value), "<page>", "eval", flags)
    else:
        code = compile(ast.Module([node], []), "<page>", "exec", flags)
    value = eval(code, names)
    if code.co_flags & inspect.CO_COROUTINE:
        value = loop.run_until_complete(value)
    return value


def check(
    node: ast.stmt, said: str | None, names: dict[str, Any], loop: asyncio.AbstractEventLoop
) -> None:
    """Runs a statement and compares what comes of it with the comment behind it."""
    if said and (raises := RAISES.fullmatch(said)):
        raised = None
        try:
            evaluate(node, names, loop)
        except Exception as error:
            raised = error
        assert raised, f"did not raise {raises.group(1)}"
        assert isinstance(raised, eval(raises.group(1), names)), f"raised {raised!r}"
        wanted = ".*".join(map(re.escape, (raises.group(2) or "…").split("…")))
        assert re.fullmatch(wanted, str(raised).partition("\n")[0]), f"raised {raised}"
        return
    value = evaluate(node, names, loop)
    if said and isinstance(node, ast.Expr):
        try:
            wanted = ast.literal_eval(said)
        except (SyntaxError, ValueError):
            return
        assert value == wanted, f"gave {value!r}, not {said}"
        assert type(value) is type(wanted), f"gave {value!r}, not {said}"


def run(source: str, names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> str | None:
    """Runs a block; gives what is wrong with it."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                check(node, comment(node, lines), names, loop)
        except Exception:
            return f"{ast.unparse(node)}\n{traceback.format_exc()}"
    return None


def main() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line)["source"], names, loop)), flush=True)


if __name__ == "__main__":
    main()
