"""The protocol: every conversation that a client has with a host, as data.

Nothing here reads, writes, waits or knows whether its caller does; see `_message.Exchange`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from ._arrays import Arrays
from ._catalog import Catalog
from ._checks import check_moment
from ._deployment import Deployment, Upload
from ._exceptions import (
    BadRequest,
    Cancelled,
    ConnectionFailed,
    DeadlineExceeded,
    Gone,
    Interrupted,
    InvalidReply,
    InvalidServerState,
    NotFound,
    OperationInProgress,
    OutOfFuel,
    OutOfMemory,
    Overloaded,
    ProcedureError,
    RemoteError,
    TarpError,
    TooLarge,
    TooManyRequests,
    Trap,
    Unavailable,
    UnreadableResult,
)
from ._message import Buffer, Exchange, Pause, Reply, Request, T, ask
from ._replies import PICKLE, Outcome, object_of, outcome_of
from ._status import JobStatus, Logs

#: Seconds that the host holds a request for a result that is not there yet.
LONG_POLL = 20.0

#: Seconds beyond those that the host needs by itself, before it counts as silent.
GRACE = 30.0

#: Seconds that a host may take to compile what is deployed.
DEPLOYING = 600.0

_FIRST_PAUSE = 0.05
_MAX_PAUSE = 2.0

#: Seconds before a host is asked again that said too early that a job goes on.
_EARLY = 0.5


@dataclass(frozen=True)
class Options:
    """How to call; see `Procedure.options`."""

    timeout: float | None = None
    arrays: Arrays = "auto"
    idempotency_key: str | None = None
    priority: int | None = None
    #: Seconds for which a request that is safe to repeat is repeated while the host is away.
    retry_for: float = 10.0

    @property
    def accept(self) -> str:
        """The value of the Accept header."""
        return PICKLE if self.arrays == "auto" else f"{PICKLE};arrays={self.arrays}"


def _passes(error: TarpError) -> bool:
    """Whether it passes by itself: the host is away, full or without its jobs, the caller has used
    up what it may do, or something on the way to the host answers in its place."""
    passing = (ConnectionFailed, InvalidReply, Overloaded, TooManyRequests, Unavailable)
    return isinstance(error, passing) and not isinstance(error, UnreadableResult)


def _passes_at_first(error: TarpError) -> bool:
    """The same at the first contact, where an address that is not a host's is a mistake."""
    if isinstance(error, ConnectionFailed):
        return not error.is_lasting
    return isinstance(error, (Overloaded, TooManyRequests, Unavailable))


def _has_run_nothing(error: TarpError) -> bool:
    """Whether it says that nothing was run, and passes."""
    return isinstance(error, TooManyRequests)


def safely(
    request: Request,
    read: Callable[[Reply], T],
    retry_for: float,
    passes: Callable[[TarpError], bool] = _passes,
) -> Exchange[T]:
    """What `read` makes of the reply to a request that may be repeated, and is for a while."""
    give_up = time.monotonic() + retry_for
    pause = _FIRST_PAUSE
    while True:
        try:
            return read((yield from ask(request)))
        except TarpError as error:
            wait = max(pause, getattr(error, "retry_after", None) or 0)
            if not passes(error) or time.monotonic() + wait > give_up:
                raise
        yield Pause(wait)
        pause = min(pause * 2, _MAX_PAUSE)


# What there is to call.


def catalog(known: Catalog, retry_for: float, timeout: float | None = GRACE) -> Exchange[Catalog]:
    """The host's procedures; `known` itself if they have not changed."""
    headers = {"If-None-Match": known.etag} if known.etag else {}
    request = Request("GET", "/-/procedures", headers, (), timeout)

    def read(reply: Reply) -> Catalog:
        if reply.status == 304 and known.etag:
            return known
        listing = object_of(reply)
        try:
            return Catalog.of_json(listing, reply.headers.get("etag", ""))
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidReply(f"the host's list of procedures is damaged: {error!r}") from error

    passes = _passes if known.version else _passes_at_first
    return (yield from safely(request, read, retry_for, passes))


def complete_catalog(known: Catalog, retry_for: float) -> Exchange[Catalog]:
    """The same, once the host has loaded all of its components, or that time is over."""
    give_up = time.monotonic() + retry_for
    pause = _FIRST_PAUSE
    while True:
        known = yield from catalog(known, retry_for)
        if known.complete or time.monotonic() + pause > give_up:
            return known
        yield Pause(pause)
        pause = min(pause * 2, _MAX_PAUSE)


# Calls.


class Call(NamedTuple):
    """A call of a procedure, as it is sent."""

    method: str
    name: str
    #: Percent-encoded, without its question mark.
    query: str = ""
    content_type: str = ""
    body: Sequence[Buffer] = ()
    #: Whether the procedure sees the request itself, and chooses how it answers.
    is_web: bool = False
    #: What becomes of the refusal of the whole body.
    refused: Callable[[BadRequest], TarpError] = lambda error: error


def call(
    call: Call, options: Options, timeout: float | None, read: Callable[[Reply], T]
) -> Exchange[T]:
    """Calls a procedure and waits for what `read` makes of its result.

    With an idempotency key it is repeated, since a host runs it once for a key; otherwise only if
    it was refused because the caller had used up what it may do.
    """
    request = _call_request(call, options, timeout, {})
    try:
        if options.idempotency_key:
            return (yield from safely(request, read, options.retry_for))
        return (yield from safely(request, read, options.retry_for, _has_run_nothing))
    except BadRequest as error:
        raise call.refused(error) from None


def submit(call: Call, options: Options) -> Exchange[JobStatus]:
    """Hands a call in as a job.

    It always has an idempotency key, so that a submission whose reply is lost can be repeated.
    """
    headers = {"Prefer": "respond-async"}
    if not options.idempotency_key:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    timeout = GRACE if options.timeout is None else options.timeout
    request = _call_request(call, options, timeout, headers)
    try:
        return (yield from safely(request, _accepted, options.retry_for))
    except BadRequest as error:
        raise call.refused(error) from None


def _accepted(reply: Reply) -> JobStatus:
    if reply.status == 200:
        outcome_of(reply)
        raise UnreadableResult("the host made a plain call of it: it keeps no jobs")
    return _status(reply)


def _call_request(
    call: Call, options: Options, timeout: float | None, headers: dict[str, str]
) -> Request:
    if call.content_type:
        headers["Content-Type"] = call.content_type
    headers["Accept"] = "*/*" if call.is_web else options.accept
    if options.idempotency_key:
        headers["Idempotency-Key"] = options.idempotency_key
    if options.priority is not None:
        headers["Priority"] = f"u={options.priority}"
    path = _path(call.name)
    target = f"{path}?{call.query}" if call.query else path
    return Request(call.method, target, headers, call.body, timeout)


@lru_cache(maxsize=256)
def _path(name: str) -> str:
    """The address of a procedure."""
    return f"/{quote(name)}"


# Jobs.


def job(job_id: str, retry_for: float) -> Exchange[JobStatus]:
    """A job as it is now."""
    return (yield from safely(_get(_job_path(job_id)), _status, retry_for))


def job_after_loss(job_id: str, losses: int, retry_for: float) -> Exchange[JobStatus]:
    """A job, after the stream of its events broke off so many times without an event; not at once,
    lest that becomes a loop."""
    yield Pause(min(_FIRST_PAUSE * 2.0 ** min(losses, 10), _MAX_PAUSE))
    return (yield from job(job_id, retry_for))


#: Failures that a request for a job's result can only meet if they are the job's.
_OF_THE_JOB = (
    Cancelled,
    DeadlineExceeded,
    Gone,
    Interrupted,
    InvalidServerState,
    NotFound,
    OutOfFuel,
    OutOfMemory,
    ProcedureError,
    TooLarge,
    Trap,
)


def result(job_id: str, wait: float, options: Options) -> Exchange[Outcome | TarpError | None]:
    """What came of a job: its result or its failure; None where it goes on after `wait` seconds.

    Raises what says nothing about the job: that the host is away, or does not answer us. A host
    can be busy, full or stopping while the job ends, so such an answer is no outcome: it counts
    only if the job, asked afterwards, has ended with the very same failure.
    """
    asked = time.monotonic()
    try:
        return (yield from _result(job_id, wait, options))
    except RemoteError as error:
        doubtful = error
    status = yield from job(job_id, options.retry_for)
    if status.has_ended:
        if status.error is not None and status.error.get("type") == doubtful.type:
            return doubtful
        try:
            return (yield from _result(job_id, 0.0, options))
        except OperationInProgress as error:
            doubtful = error
    if not isinstance(doubtful, OperationInProgress):
        raise doubtful
    # A host that stops does not hold the request; asking it without a pause would be a loop.
    early = asked + wait - time.monotonic()
    if early > 0:
        yield Pause(min(early, _EARLY))
    return None


def _result(job_id: str, wait: float, options: Options) -> Exchange[Outcome | TarpError]:
    target = f"{_job_path(job_id)}/result?wait={max(wait, 0):.3f}"
    request = Request("GET", target, {"Accept": options.accept}, (), wait + GRACE)
    try:
        return (yield from safely(request, outcome_of, options.retry_for))
    except (UnreadableResult, *_OF_THE_JOB) as error:
        return error


def cancel(job_id: str, retry_for: float) -> Exchange[JobStatus]:
    """Asks for a job's end; gives what has become of it by now."""
    # One that has ended meanwhile is kept, with its result.
    request = Request("DELETE", f"{_job_path(job_id)}?keep=true", {}, (), GRACE)
    return (yield from safely(request, _status, retry_for))


def logs(job_id: str, retry_for: float) -> Exchange[Logs]:
    """What a job has written so far."""
    return (yield from safely(_get(f"{_job_path(job_id)}/logs"), _logs, retry_for))


def _logs(reply: Reply) -> Logs:
    data = object_of(reply)
    try:
        return Logs.of_json(data)
    except (TypeError, AttributeError) as error:
        raise InvalidReply(f"the host's logs of a job are damaged: {error!r}") from error


def jobs_query(
    state: str | Iterable[str] | None,
    procedure: str | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    """The query of `jobs`."""
    check_moment("since", since)
    check_moment("until", until)
    return {
        "state": [state] if isinstance(state, str) else list(state or ()),
        "procedure": procedure or [],
        "since": _in_utc(since) if since else [],
        "until": _in_utc(until) if until else [],
    }


def _in_utc(moment: datetime) -> str:
    """As the host reads times; one without a zone is local time, as everywhere in Python."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def jobs(query: Mapping[str, Any], most: int, retry_for: float) -> Exchange[list[JobStatus]]:
    """The newest jobs that a query finds, page by page until there are `most` of them."""
    found: list[JobStatus] = []
    after: str | None = None
    while len(found) < most:
        wanted = {**query, "limit": min(most - len(found), 100)}
        if after is not None:
            wanted["after"] = after
        request = _get(f"/-/jobs?{urlencode(wanted, doseq=True)}")
        page, after = yield from safely(request, _page, retry_for)
        found += page
        if after is None:
            break
    return found


def _page(reply: Reply) -> tuple[list[JobStatus], str | None]:
    page = object_of(reply)
    if not isinstance(page.get("jobs"), list):
        raise InvalidReply("the host's list of jobs is damaged")
    return [_described(entry) for entry in page["jobs"]], page.get("next")


# Components.


def deploy(upload: Upload, if_match: str | None, timeout: float | None) -> Exchange[Deployment]:
    """Puts a component into the host's folder."""
    headers = {"Content-Type": upload.content_type}
    if if_match is not None:
        headers["If-Match"] = f'"{if_match}"'
    request = Request("PUT", _component_path(upload.name), headers, upload.body, timeout)
    return _deployment((yield from ask(request)))


def rollback(name: str, to: str | None, timeout: float | None) -> Exchange[Deployment]:
    """Returns to a version that the host has kept."""
    query = "" if to is None else f"?{urlencode({'to': to})}"
    request = Request("POST", f"{_component_path(name)}/rollback{query}", {}, (), timeout)
    return _deployment((yield from ask(request)))


def _deployment(reply: Reply) -> Deployment:
    data = object_of(reply)
    try:
        return Deployment.of_json(data)
    except (KeyError, TypeError) as error:
        raise InvalidReply(f"the host's word of a deployment is damaged: {error!r}") from error


def _component_path(name: str) -> str:
    return f"/-/components/{quote(name, safe='')}"


def _job_path(job_id: str) -> str:
    return f"/-/jobs/{quote(job_id, safe='')}"


def _get(target: str) -> Request:
    return Request("GET", target, {}, (), GRACE)


def _status(reply: Reply) -> JobStatus:
    return _described(object_of(reply))


def _described(data: Any) -> JobStatus:
    try:
        return JobStatus.of_json(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidReply(f"the host's description of a job is damaged: {error!r}") from error
