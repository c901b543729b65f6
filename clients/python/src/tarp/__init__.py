"""Calls the procedures of a TARP host.

    import tarp

    with tarp.connect("http://localhost:8080") as host:
        host.add(1, y=2)                     # a call
        help(host.add)                       # its signature and documentation
        job = host.simulate.submit(steps=9)  # a job, which outlives this process
        for update in job:                   # its states, progress and log
            print(update)
        job.result(timeout=60)

`tarp.aio` has the same for asyncio, `tarp.client` the interface of the original client.
"""

from __future__ import annotations

import pkgutil

from ._arrays import Arrays
from ._catalog import Catalog, Limits, ProcedureInfo
from ._deployment import Deployment
from ._exceptions import (
    BadArguments,
    BadRequest,
    Cancelled,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    Forbidden,
    Gone,
    HostClosed,
    InternalError,
    Interrupted,
    InvalidOption,
    InvalidReply,
    InvalidServerState,
    MethodNotAllowed,
    NoSuchProcedure,
    NotAcceptable,
    NotConnected,
    NotFound,
    OperationInProgress,
    OutOfFuel,
    OutOfMemory,
    Overloaded,
    PreconditionFailed,
    ProcedureError,
    RemoteError,
    RequestTimeout,
    StorageFull,
    TarpError,
    TimedOut,
    TooLarge,
    TooManyRequests,
    Trap,
    Unauthorized,
    Unavailable,
    UnreadableResult,
    UnsupportedMediaType,
)
from ._host import BaseHost, Host, connect
from ._job import Job
from ._procedure import Procedure
from ._receipt import Receipt
from ._replies import Outcome
from ._status import JobStatus, LogLine, Logs, Progress
from ._version import __version__

# The original distribution has a package of this name too, with `tarp.server` in it, which may be
# installed in another folder.
__path__ = pkgutil.extend_path(__path__, __name__)

__all__ = [
    "Arrays",
    "BadArguments",
    "BadRequest",
    "BaseHost",
    "Cancelled",
    "Catalog",
    "Conflict",
    "ConnectionFailed",
    "DeadlineExceeded",
    "Deployment",
    "Forbidden",
    "Gone",
    "Host",
    "HostClosed",
    "InternalError",
    "Interrupted",
    "InvalidOption",
    "InvalidReply",
    "InvalidServerState",
    "Job",
    "JobStatus",
    "Limits",
    "LogLine",
    "Logs",
    "MethodNotAllowed",
    "NoSuchProcedure",
    "NotAcceptable",
    "NotConnected",
    "NotFound",
    "OperationInProgress",
    "OutOfFuel",
    "OutOfMemory",
    "Outcome",
    "Overloaded",
    "PreconditionFailed",
    "Procedure",
    "ProcedureError",
    "ProcedureInfo",
    "Progress",
    "Receipt",
    "RemoteError",
    "RequestTimeout",
    "StorageFull",
    "TarpError",
    "TimedOut",
    "TooLarge",
    "TooManyRequests",
    "Trap",
    "Unauthorized",
    "Unavailable",
    "UnreadableResult",
    "UnsupportedMediaType",
    "__version__",
    "connect",
]
