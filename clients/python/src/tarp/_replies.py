"""What replies mean: values, or the failures that they report.

A reply is a host's if it has the header that a host writes on all of them, or a content that only
hosts write. Anything else is of something on the way to the host, such as a proxy while the host
restarts or the login page of a network, and never an outcome.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, NamedTuple

from ._exceptions import (
    ConnectionFailed,
    InvalidReply,
    ProcedureError,
    RemoteError,
    UnreadableResult,
    failure_class,
)
from ._message import Reply
from ._receipt import Receipt
from ._unpickling import unpickle

PICKLE = "application/vnd.tarp.pickle"
JSON = "application/json"

#: On every reply of a host: the version of its catalog.
CATALOG_VERSION = "x-tarp-catalog"


class Outcome(NamedTuple):
    """What a call gave, and what it used."""

    value: Any
    receipt: Receipt | None


def outcome_of(reply: Reply) -> Outcome:
    """The result of a call and what it used; the exception for a failure."""
    return Outcome(value_of(reply), Receipt.of_headers(reply.headers))


def value_of(reply: Reply) -> Any:
    """The result of a call, in whichever form it came; the exception for a failure."""
    check(reply)
    if reply.content_type == PICKLE:
        return _unpickled(reply.body)
    # An envelope's content type is exactly this; with parameters it is a web procedure's own JSON.
    if reply.headers.get("content-type") == JSON:
        return _in_envelope(json_of(reply))
    if not _is_marked(reply):
        raise _not_of_a_host(reply)
    return _content(reply)


def _unpickled(body: Any) -> Any:
    # A pickle ends with this; one that does not was cut off on its way.
    is_whole = bytes(body[-1:]) == b"."
    try:
        return unpickle(body)
    except InvalidReply as error:
        if is_whole:
            raise UnreadableResult(str(error)) from error.__cause__
        raise


def _content(reply: Reply) -> Any:
    """What a web procedure answered as it is, by its content type."""
    kind = reply.content_type
    if kind == JSON or kind.endswith("+json"):
        return json_of(reply)
    if kind.startswith("text/"):
        try:
            return bytes(reply.body).decode(_charset(reply))
        except (LookupError, UnicodeDecodeError):
            # As bytes nothing is lost.
            return bytes(reply.body)
    return bytes(reply.body)


def _charset(reply: Reply) -> str:
    found = re.search(
        r"charset=\"?([\w.:-]+)", reply.headers.get("content-type", ""), re.IGNORECASE
    )
    return found[1] if found else "utf-8"


def _in_envelope(envelope: Any) -> Any:
    """The result in an envelope of success."""
    try:
        status, result, mimetype = envelope["status"], envelope["result"], envelope["mimetype"]
        if status != "success":
            raise InvalidReply(f"the reply's envelope has the status {status!r:.100}")
        if mimetype == "application/octet-stream":
            return base64.b64decode(result, validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise InvalidReply(f"the reply's envelope is damaged: {error!r}") from error
    return result


def json_of(reply: Reply) -> Any:
    """The body as JSON; InvalidReply where it is none."""
    try:
        return json.loads(bytes(reply.body))
    except (ValueError, RecursionError) as error:
        raise InvalidReply(f"the reply ({reply.status}) is not JSON: {error}") from error


def object_of(reply: Reply) -> dict[str, Any]:
    """The JSON object of a success under `/-/`; the exception for a failure."""
    check(reply)
    try:
        data = json_of(reply)
    except InvalidReply:
        if _is_marked(reply):
            raise
        raise _not_of_a_host(reply) from None
    if not isinstance(data, dict):
        raise InvalidReply("the reply is no JSON object")
    return data


def check(reply: Reply) -> None:
    """Raises what the reply reports, if it does not report a success."""
    if 200 <= reply.status < 300:
        return
    raise failure_of(reply)


def failure_of(reply: Reply) -> Exception:
    """The exception for the reply of a failure."""
    data = _failure_in(reply)
    if data is None:
        receipt = Receipt.of_headers(reply.headers)
        if receipt is None:
            return _not_of_a_host(reply)
        # A web procedure's own words.
        message = f"the procedure answered with the status {reply.status}"
        return ProcedureError(message, value=_content(reply), receipt=receipt)
    kind = str(data["type"])
    error = failure_class(kind)(
        str(data["message"]),
        type=kind,
        # A web procedure's is called `result`.
        value=data.get("value", data.get("result")),
        backtrace=data.get("backtrace"),
        stdout=data.get("stdout") or "",
        stderr=data.get("stderr") or "",
        retry_after=retry_after(reply),
        receipt=Receipt.of_headers(reply.headers),
    )
    _annotate(error)
    return error


def _failure_in(reply: Reply) -> dict[str, Any] | None:
    """The object that describes a failure; None where the reply has none."""
    if reply.status < 400:
        return None
    try:
        data = json_of(reply)
        is_one = data["status"] == "error" and "type" in data and "message" in data
    except (InvalidReply, KeyError, TypeError):
        return None
    return data if is_one else None


def _is_marked(reply: Reply) -> bool:
    return CATALOG_VERSION in reply.headers or Receipt.of_headers(reply.headers) is not None


def _not_of_a_host(reply: Reply) -> Exception:
    """The exception for a reply that no host wrote."""
    if 300 <= reply.status < 400:
        place = reply.headers.get("location", "elsewhere")
        return InvalidReply(f"the host sends its callers to {place}; connect to that address")
    text = bytes(reply.body[:4096]).decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    said = " ".join((title[1] if title else text[:300]).split())
    if reply.status >= 500:
        return ConnectionFailed(
            f"something on the way to the host answered in its place: {reply.status} {said}"
        )
    return InvalidReply(f"no TARP host answers so: {reply.status} {said}")


def retry_after(reply: Reply) -> int | None:
    """Seconds after which to try again, where the reply says so."""
    text = reply.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _annotate(error: RemoteError) -> None:
    """Lets an uncaught exception show what the procedure left behind, from Python 3.11 on."""
    if not hasattr(error, "add_note"):
        return
    for title, text in (("backtrace", error.backtrace), ("standard error", error.stderr)):
        if text:
            error.add_note(f"{title} of the procedure:\n{text.rstrip()}")
