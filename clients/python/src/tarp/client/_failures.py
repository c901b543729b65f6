"""How the original client fails: in its own words, and as `requests`, which it was built on.

Its own exceptions are ours (`tarp.OperationInProgress`, `tarp.InvalidServerState`), and what it
raised as a bare `Exception` is a subclass with the same message.
"""

from __future__ import annotations

import ssl
import sys

from .._exceptions import (
    ConnectionFailed,
    InvalidReply,
    InvalidServerState,
    NotFound,
    OperationInProgress,
    TarpError,
    TimedOut,
)
from .._message import Reply
from .._replies import failure_of

__all__ = ["InvalidServerState", "OperationInProgress", "as_from_requests", "failure"]

#: Seconds after which to ask again, where the server does not say.
_RETRY_AFTER = 5


def failure(reply: Reply) -> Exception:
    """The exception for a reply with another status than 200."""
    if reply.status == 404:
        return NotFound("API endpoint not found.")
    error = failure_of(reply)
    if isinstance(error, (ConnectionFailed, InvalidReply)) and reply.status >= 400:
        text = bytes(reply.body[:300]).decode("utf-8", "replace")
        return InvalidReply(f"API Error: {reply.status} - {text}")
    if isinstance(error, OperationInProgress) and error.retry_after is None:
        error.retry_after = _RETRY_AFTER
    return error


def as_from_requests(error: TarpError) -> TarpError:
    """The failure of a connection, which is one of `requests` as well if the program uses that.

    A program that was written for the original client may well catch
    `requests.exceptions.ConnectionError`.
    """
    exceptions = sys.modules.get("requests.exceptions")
    if exceptions is None or not isinstance(error, (ConnectionFailed, TimedOut)):
        return error
    own = type(error)
    if isinstance(error, TimedOut):
        theirs = exceptions.ReadTimeout
    elif isinstance(error.__cause__, ssl.SSLError):
        theirs = exceptions.SSLError
    else:
        theirs = exceptions.ConnectionError
    both: type[TarpError] = type(own.__name__, (own, theirs), {"__module__": own.__module__})
    return both(*error.args)
