"""Every way in which this package fails.

    TarpError
    ├── ConnectionFailed            (ConnectionError)    no connection, or it broke
    ├── TimedOut                    (TimeoutError)       this side stopped waiting
    ├── InvalidReply                (ValueError)         what came is no reply of a host
    │   └── UnreadableResult                             a result came whole and cannot be read
    ├── InvalidOption               (ValueError)         a URL, a time-out ... that cannot be
    ├── NoSuchProcedure   (AttributeError, KeyError)     no procedure has that name
    ├── HostClosed                  (RuntimeError)       `close` has been called
    ├── NotConnected                (RuntimeError)       a host of `tarp.aio` before `await`
    └── RemoteError                                      the host said that it failed:
        ├── BadRequest              (ValueError)         the host could not read the request
        ├── BadArguments            (TypeError)          wrong, missing or unknown arguments
        ├── Unauthorized            (PermissionError)    no token, or a bad one
        ├── Forbidden               (PermissionError)    the token lacks the right
        ├── NotFound                (LookupError)        no such procedure or job
        ├── MethodNotAllowed                             the address does not answer that method
        ├── Gone                    (LookupError)        the job's result has expired
        ├── Conflict                                     the idempotency key has another request
        ├── PreconditionFailed                           another version is served by now
        ├── NotAcceptable                                the result has no form that `Accept` names
        ├── UnsupportedMediaType    (TypeError)          the body's type is not taken for that
        ├── RequestTimeout          (TimeoutError)       the request's body came too slowly
        ├── TooLarge                (ValueError)         request or result over its limit
        ├── TooManyRequests                              the caller's limit is used up; try again
        ├── ProcedureError          (RuntimeError)       the procedure returned its error
        ├── Trap                    (RuntimeError)       the procedure crashed
        ├── OutOfFuel               (RuntimeError)       the call used up its fuel
        ├── OutOfMemory             (MemoryError)        the call used up its memory
        ├── DeadlineExceeded        (TimeoutError)       the call took longer than it may
        ├── Overloaded                                   every place is taken; try again
        ├── StorageFull             (OSError)            the host's disk is full
        ├── Unavailable                                  the host cannot reach its jobs; try again
        ├── OperationInProgress                          busy, or the job still runs; try again
        ├── InvalidServerState                           the procedure's state forbids the call
        ├── Cancelled               (CancelledError)     the job was cancelled
        ├── Interrupted                                  the host stopped while the job ran
        └── InternalError                                a fault of the host itself

The class in parentheses is one of Python's own that the exception is as well, so code that knows
nothing of TARP can handle it. `CancelledError` is that of `concurrent.futures`.
"""

from __future__ import annotations

import concurrent.futures
import sys
from typing import Any

from ._receipt import Receipt

if sys.version_info >= (3, 11):

    class _Timeout(TimeoutError):
        """`concurrent.futures` raises Python's own."""

else:

    class _Timeout(TimeoutError, concurrent.futures.TimeoutError):
        """`concurrent.futures` had one of its own."""


class TarpError(Exception):
    """The base of all."""


class ConnectionFailed(TarpError, ConnectionError):
    """There is no connection to the host, or it broke before the reply was there; or a proxy on the
    way answered 5xx in the host's place."""

    #: Whether trying again soon is no use: the name is unknown, the certificate not trusted.
    is_lasting = False


class TimedOut(TarpError, _Timeout):
    """This side stopped waiting; what it waited for may still happen."""


class InvalidReply(TarpError, ValueError):
    """What came is not a reply of a TARP host, or not one that is safe to read."""


class UnreadableResult(InvalidReply):
    """A result came whole, but cannot be read here; asking for it again would not help."""


class InvalidOption(TarpError, ValueError):
    """An option of this package has a value that it cannot have: a URL, a time-out, a window ..."""


class NoSuchProcedure(TarpError, AttributeError, KeyError):
    """The host has no procedure or namespace of that name."""

    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return Exception.__str__(self)


class HostClosed(TarpError, RuntimeError):
    """`close` has been called. Jobs go on; another `connect` finds them by their IDs."""


class NotConnected(TarpError, RuntimeError):
    """A host of `tarp.aio` has to be awaited, or entered by `async with`, before it is used."""


class RemoteError(TarpError):
    """The host answered that the request failed.

    `message` is for a person. `value` is the error that the procedure returned, as JSON has it.
    `backtrace` says where in the procedure it happened, innermost frame first; `stdout` and
    `stderr` are what the procedure wrote; `receipt` is what the call used; `retry_after` is the
    number of seconds after which to try again. Each is None, or an empty text, where nothing is
    known. `type` is the failure's name on the wire.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str = "",  # noqa: A002  The name on the wire.
        value: Any = None,
        backtrace: str | None = None,
        stdout: str = "",
        stderr: str = "",
        retry_after: int | None = None,
        receipt: Receipt | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.type = type or self.__class__.__name__
        self.value = value
        self.backtrace = backtrace
        self.stdout = stdout
        self.stderr = stderr
        self.retry_after = retry_after
        self.receipt = receipt

    def __str__(self) -> str:
        return self.message


class BadRequest(RemoteError, ValueError):
    """The host could not read the request: its body, its pickle, its address."""


class BadArguments(RemoteError, TypeError):
    """Wrong, missing or unknown arguments; the message names the argument and both types."""


class Unauthorized(RemoteError, PermissionError):
    """The host wants a token, or another one."""


class Forbidden(RemoteError, PermissionError):
    """The token does not have the right, or the host does not answer to that name."""


class NotFound(RemoteError, LookupError):
    """There is no such procedure or job."""


class MethodNotAllowed(RemoteError):
    """The address is there, but not for this method."""


class Gone(RemoteError, LookupError):
    """The result of the job has expired."""


class Conflict(RemoteError):
    """The idempotency key has another request; or it contradicts what the host serves."""


class PreconditionFailed(RemoteError):
    """Another version of the component is served than the one that was to be replaced."""


class NotAcceptable(RemoteError):
    """The result cannot be had in any form that the request accepts."""


class UnsupportedMediaType(RemoteError, TypeError):
    """The body is of a type or an encoding that is not taken for these arguments."""


class RequestTimeout(RemoteError, TimeoutError):
    """The request's body came too slowly."""


class TooLarge(RemoteError, ValueError):
    """The request or the result is over its limit."""


class TooManyRequests(RemoteError):
    """The token, or the address, has used up what it may do; `retry_after` says when to go on."""


class ProcedureError(RemoteError, RuntimeError):
    """The procedure returned its error; `value` has it."""


class Trap(RemoteError, RuntimeError):
    """The procedure crashed: a panic, `unreachable`, a stack overflow ..."""


class OutOfFuel(RemoteError, RuntimeError):
    """The call used up its fuel, the measure of its work."""


class OutOfMemory(RemoteError, MemoryError):
    """The call used up its memory."""


class DeadlineExceeded(RemoteError, TimeoutError):
    """The call took longer than it may, and was stopped."""


class Overloaded(RemoteError):
    """Every place is taken, or the host is not ready; `retry_after` says when to try again."""


class StorageFull(RemoteError, OSError):
    """The host has no room left to keep the job."""


class Unavailable(RemoteError):
    """The host cannot read or write its jobs now; `retry_after` says when to try again."""


class OperationInProgress(RemoteError):
    """The procedure says that it is busy, or the job still runs; `retry_after` says when to ask."""

    # Programs for the original client raise these themselves, with these defaults.
    def __init__(
        self,
        message: str = "Operation not completed. Please wait.",
        retry_after: int | None = 5,
        **known: Any,
    ) -> None:
        super().__init__(message, retry_after=retry_after, **known)


class InvalidServerState(RemoteError):
    """The procedure cannot work in the state that it is in."""

    def __init__(self, message: str = "Server is in an invalid state.", **known: Any) -> None:
        super().__init__(message, **known)


class Cancelled(RemoteError, concurrent.futures.CancelledError):
    """The job was cancelled, so it has no result."""


class Interrupted(RemoteError):
    """The host stopped while the job ran, and it was not safe to run it again."""


class InternalError(RemoteError):
    """A fault of the host itself."""


_BY_TYPE: dict[str, type[RemoteError]] = {cls.__name__: cls for cls in RemoteError.__subclasses__()}
_BY_TYPE["Internal"] = InternalError


def failure_class(type_on_wire: str) -> type[RemoteError]:
    """The class for a failure's name on the wire; RemoteError for one that this version lacks."""
    return _BY_TYPE.get(type_on_wire, RemoteError)
