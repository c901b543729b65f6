"""What replies mean: values, or the failures that they report."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NamedTuple

from ._exceptions import InvalidReply, RemoteError, failure_class
from ._message import Reply
from ._receipt import Receipt
from ._unpickling import unpickle

PICKLE = "application/vnd.tarp.pickle"
JSON = "application/json"


class Outcome(NamedTuple):
    """What a call gave, and what it used."""

    value: Any
    receipt: Receipt | None


def outcome_of(reply: Reply) -> Outcome:
    """The result of a call, in whichever form it came; the exception for a failure."""
    check(reply)
    receipt = Receipt.of_headers(reply.headers)
    if reply.content_type == PICKLE:
        return Outcome(unpickle(reply.body), receipt)  # type: ignore[arg-type]
    # An envelope's content type is exactly this; with parameters it is a web procedure's own JSON.
    if reply.headers.get("content-type") == JSON:
        return Outcome(in_envelope(json_of(reply)), receipt)
    if reply.content_type == JSON:
        return Outcome(json_of(reply), receipt)
    if reply.content_type.startswith("text/"):
        return Outcome(bytes(reply.body).decode("utf-8", "replace"), receipt)
    return Outcome(bytes(reply.body), receipt)


def in_envelope(envelope: Any) -> Any:
    """The result in an envelope of success."""
    try:
        result, mimetype = envelope["result"], envelope["mimetype"]
        if mimetype == "application/octet-stream":
            return base64.b64decode(result)
        if isinstance(result, dict) and result.keys() == {"payload"}:
            return unpickle(base64.b64decode(result["payload"]))
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
    data = json_of(reply)
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
    if 300 <= reply.status < 400:
        place = reply.headers.get("location", "elsewhere")
        return InvalidReply(f"the host sends its callers to {place}; connect to that address")
    try:
        data = json_of(reply)
        message, kind = data["message"], data["type"]
    except (InvalidReply, KeyError, TypeError):
        text = bytes(reply.body[:300]).decode("utf-8", "replace").strip()
        return InvalidReply(f"no TARP host answers so: {reply.status} {text}")
    error = failure_class(kind)(
        str(message),
        type=str(kind),
        value=data.get("value"),
        backtrace=data.get("backtrace"),
        stdout=data.get("stdout") or "",
        stderr=data.get("stderr") or "",
        retry_after=retry_after(reply),
        receipt=Receipt.of_headers(reply.headers),
    )
    _annotate(error)
    return error


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
