"""Between a component's exports and the author's functions. Part of every component that `tarp
build` makes from Python; no author imports it.

Everything here is prepared while the component is built and kept in its snapshot: a call only runs
the converters of its own arguments and result. What they are is in `types`, those of plain values
in `plain`, of web procedures in `web`; `loop` runs coroutines.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from componentize_py_types import Err

from .chance import renew
from .loop import run
from .plain import Mismatch
from .prepare import PROJECT
from .texts import Refused
from .types import Types


def world(description: dict[str, Any], generated: ModuleType, author: ModuleType) -> type:
    """The class that componentize-py looks for, with a method for each procedure."""
    types = Types(description["definitions"], generated)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    methods = {}
    for function in description["functions"]:
        method = procedure(function, types, getattr(author, function["name"]))
        methods[function["export"]] = methods[function["export"] + "_"] = method
    return type("WitWorld", (), methods)


def procedure(
    description: dict[str, Any], types: Types, function: Callable[..., Any]
) -> Callable[..., Any]:
    """The method for one function: arguments in, result or error out."""
    parameters = [
        (
            each["name"],
            each["keyword"],
            each.get("own_default", False),
            types.reader(each["type"]),
        )
        for each in description["parameters"]
    ]
    result = description["result"]
    write = types.writer(result) if result is not None else None
    name, is_async = description["name"], description["async"]

    def method(_self: object, *arguments: Any) -> Any:
        positional, named = [], {}
        renew()
        try:
            by_name = False
            for (key, keyword, own_default, read), value in zip(parameters, arguments):
                if own_default and value is None:
                    by_name = True  # What follows the gap no longer has a position.
                    continue
                if read is not None:
                    try:
                        value = read(value)
                    except Refused as refused:
                        text = f"`{name}`: the argument `{key}`: {refused}"
                        raise Refused(text) from None
                if keyword or by_name:
                    named[key] = value
                else:
                    positional.append(value)
            returned = function(*positional, **named)
            if is_async:
                returned = run(returned)
            if write is None:
                return None
            try:
                return write(returned)
            except Mismatch as mismatch:
                raise TypeError(f"{name} returned {mismatch}") from None
        except Refused as refused:
            raise Err(str(refused)) from None
        except Exception as error:
            raise Err(told(error)) from None
        except SystemExit as error:
            raise Err(f"SystemExit: {error.code}") from None

    return method


def told(error: Exception) -> str:
    """Writes the traceback, as the author would see it at home, and gives the message."""
    trace = error.__traceback__
    own = os.path.dirname(__file__)
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(own):
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, trace))
    sys.stderr.write(text.replace(f'File "{PROJECT}/', 'File "'))
    return "".join(traceback.format_exception_only(error)).strip()
