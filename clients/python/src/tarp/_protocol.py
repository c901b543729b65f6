"""The protocol: every conversation that a client has with a host, as data.

Nothing here reads, writes, waits or knows whether its caller does; see `_message.Exchange`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlencode

from ._arrays import Arrays
from ._catalog import Catalog
from ._exceptions import (
    ConnectionFailed,
    InvalidReply,
    OperationInProgress,
    Overloaded,
    Unavailable,
)
from ._message import Exchange, Pause, Reply, Request, ask
from ._pickling import pickle_arguments
from ._replies import PICKLE, Outcome, failure_of, object_of, outcome_of
from ._status import JobStatus, Logs

#: Seconds that the host holds a request for a result that is not there yet.
LONG_POLL = 20.0

#: Seconds beyond those that the host needs by itself, before it counts as silent.
GRACE = 30.0

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


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


def safely(request: Request, retry_for: float) -> Exchange[Reply]:
    """A request that may be repeated: is, while the host is away, full or without its jobs."""
    give_up = time.monotonic() + retry_for
    pause = _FIRST_PAUSE
    while True:
        wait = pause
        try:
            reply = yield from ask(request)
            if reply.status != 503:
                return reply
            failure = failure_of(reply)
            if not isinstance(failure, (Overloaded, Unavailable)):
                return reply
            wait = max(wait, failure.retry_after or 0)
            if time.monotonic() + wait > give_up:
                return reply
        except ConnectionFailed:
            if time.monotonic() + wait > give_up:
                raise
        yield Pause(wait)
        pause = min(pause * 2, _LONGEST_PAUSE)


# What there is to call.


def catalog(known: Catalog, retry_for: float) -> Exchange[Catalog]:
    """The host's procedures; `known` itself if they have not changed."""
    headers = {"If-None-Match": known.etag} if known.etag else {}
    reply = yield from safely(Request("GET", "/-/procedures", headers, (), GRACE), retry_for)
    if reply.status == 304:
        return known
    listing = object_of(reply)
    try:
        return Catalog.of_json(listing, reply.headers.get("etag", ""))
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidReply(f"the host's list of procedures is damaged: {error!r}") from error


# Calls.


def call(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    options: Options,
    timeout: float | None = None,
) -> Exchange[Outcome]:
    """Calls a procedure and waits for its result."""
    request = _call_request(name, args, kwargs, options, timeout, {})
    if options.idempotency_key:
        reply = yield from safely(request, options.retry_for)
    else:
        reply = yield from ask(request)
    return outcome_of(reply)


def submit(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Options
) -> Exchange[JobStatus]:
    """Hands a call in as a job.

    It always has an idempotency key, so that a submission whose reply is lost can be repeated.
    """
    headers = {"Prefer": "respond-async"}
    if not options.idempotency_key:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    timeout = GRACE if options.timeout is None else options.timeout
    request = _call_request(name, args, kwargs, options, timeout, headers)
    reply = yield from safely(request, options.retry_for)
    if reply.status == 200:
        raise InvalidReply("the host made a plain call of it: it keeps no jobs")
    return _status(reply)


def _call_request(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    options: Options,
    timeout: float | None,
    headers: dict[str, str],
) -> Request:
    headers["Content-Type"] = PICKLE
    headers["Accept"] = options.accept
    if options.idempotency_key:
        headers["Idempotency-Key"] = options.idempotency_key
    if options.priority is not None:
        headers["Priority"] = f"u={options.priority}"
    body = pickle_arguments(tuple(args), kwargs)
    return Request("POST", "/" + quote(name), headers, body, timeout)


# Jobs.


def job(job_id: str, retry_for: float) -> Exchange[JobStatus]:
    """A job as it is now."""
    reply = yield from safely(_get(_job_path(job_id)), retry_for)
    return _status(reply)


def job_after_loss(job_id: str, retry_for: float) -> Exchange[JobStatus]:
    """A job, after the stream of its events broke off; not at once, lest that becomes a loop."""
    yield Pause(_FIRST_PAUSE)
    return (yield from job(job_id, retry_for))


def result(job_id: str, wait: float, options: Options) -> Exchange[Outcome | None]:
    """The result of a job; None where there is none after `wait` seconds; raises its failure."""
    target = f"{_job_path(job_id)}/result?wait={max(wait, 0):.3f}"
    headers = {"Accept": options.accept}
    request = Request("GET", target, headers, (), wait + GRACE)
    reply = yield from safely(request, options.retry_for)
    try:
        return outcome_of(reply)
    except OperationInProgress as error:
        # A job whose procedure says that it is busy has failed with that; only its state tells.
        status = yield from job(job_id, options.retry_for)
        if status.has_ended:
            raise error
        return None


def cancel(job_id: str, retry_for: float) -> Exchange[JobStatus]:
    """Asks for a job's end; gives what has become of it by now."""
    reply = yield from safely(Request("DELETE", _job_path(job_id), {}, (), GRACE), retry_for)
    return _status(reply)


def logs(job_id: str, retry_for: float) -> Exchange[Logs]:
    """What a job has written so far."""
    reply = yield from safely(_get(f"{_job_path(job_id)}/logs"), retry_for)
    return Logs.of_json(object_of(reply))


def jobs_query(
    state: str | Iterable[str] | None,
    procedure: str | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    """The query of `jobs`."""
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
        reply = yield from safely(_get(f"/-/jobs?{urlencode(wanted, doseq=True)}"), retry_for)
        page = object_of(reply)
        found += map(_described, page.get("jobs", ()))
        after = page.get("next")
        if after is None:
            break
    return found


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
