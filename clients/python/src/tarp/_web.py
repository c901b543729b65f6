"""Calls of web procedures, which see the request itself: keywords are the query, and a positional
argument is the body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from ._converting import ConversionError, convert, refuse
from ._exceptions import BadArguments
from ._message import Buffer
from ._protocol import Call

_JSON = "application/json"


def web_call(
    name: str, methods: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Call:
    """The request that these arguments mean: GET without a body where that is answered, or POST."""
    if len(args) > 1:
        raise BadArguments(
            f"`{name}` is a web procedure: it takes one positional argument, the body of the"
            f" request, and keywords for its query, not {len(args)} positional ones"
        )
    pairs: list[tuple[str, str]] = []
    for key, value in kwargs.items():
        pairs += [(key, text) for text in _texts(key, value)]
    query = urlencode(pairs)
    if not args:
        method = "GET" if "GET" in methods else "POST"
        return Call(method, name, query, is_web=True)
    if "POST" not in methods:
        raise BadArguments(f"`{name}` answers GET alone, which has no body; name the argument")
    content_type, body = _body(args[0])
    return Call("POST", name, query, content_type, [body], is_web=True)


def _texts(key: str, value: Any) -> list[str]:
    """The values of a name in the query: several for a list."""
    try:
        native = convert(value, "")
        if hasattr(native, "tolist"):
            native = native.tolist()
        if isinstance(native, (list, tuple)):
            return [_text(item) for item in native]
        return [_text(native)]
    except ConversionError as error:
        raise BadArguments(f"the argument `{key}`{error.place}: {error.reason}") from None


def _text(value: Any) -> str:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if value is None:
        raise ConversionError("a query has no None; leave the argument out, or send a text")
    raise refuse(value, "a query has texts, numbers, True and False, and lists of those")


def _body(value: Any) -> tuple[str, Buffer]:
    """A body and its content type: bytes and texts as they are, all else as JSON."""
    try:
        native = convert(value, "")
        if isinstance(native, (bytes, bytearray)):
            return "application/octet-stream", native
        if isinstance(native, str):
            return "text/plain; charset=utf-8", native.encode()
        return _JSON, json.dumps(native, default=_for_json, allow_nan=False).encode()
    except ConversionError as error:
        raise BadArguments(f"the body{error.place}: {error.reason}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise BadArguments(f"the body cannot be sent as JSON: {error}") from None


def _for_json(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, range):
        return list(value)
    raise refuse(value, "JSON has nothing for it; send a text, or the whole body as bytes")
