"""The stream of a job's events, without input or output: bytes in, updates out.

Server-sent events as WHATWG's HTML standard has them, as far as a host uses them. A stream that
breaks is taken up again after the last event that came.
"""

from __future__ import annotations

import json
from typing import Any, Union
from urllib.parse import quote

from ._exceptions import ConnectionFailed, InvalidReply
from ._message import Reply, Request
from ._replies import failure_of
from ._status import JobStatus, LogLine, Progress

Update = Union[JobStatus, Progress, LogLine]

#: Seconds of silence after which the connection is not trusted any more; asking again does no harm.
_SILENCE = 300.0

_MAX_LINE = 1 << 24

#: Attempts to get the last events of a job that has ended.
_MAX_LOSSES = 3


class EventFeed:
    """The events of one job, over as many connections as it takes."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._last_id: str | None = None
        #: The job's final state, once it has come; it is the last update, whatever else comes.
        self.end: JobStatus | None = None
        #: How many connections in a row were lost without an event.
        self.losses = 0
        self._start()

    def _start(self) -> None:
        self._rest = b""
        self._event = ""
        self._data: list[str] = []
        self._id = self._last_id

    def request(self) -> Request:
        """What to ask for, at first and again after the connection was lost."""
        self._start()
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        target = f"/-/jobs/{quote(self._job_id, safe='')}/events"
        return Request("GET", target, headers, (), _SILENCE)

    def lost(self, status: JobStatus) -> JobStatus:
        """Says how the job is after a connection was lost.

        Where it has ended and its events cannot be had, this is their end.
        """
        self.losses += 1
        if status.has_ended and self.losses > _MAX_LOSSES:
            self.end = status
        return status

    def receive(self, data: bytes) -> list[Update]:
        """The updates that are complete with these bytes."""
        self.losses = 0
        lines = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > _MAX_LINE:
            raise InvalidReply("an event of a job is too long")
        updates = []
        for line in lines:
            update = self._line(line.decode("utf-8", "replace"))
            if update is not None:
                updates.append(update)
        return updates

    def _line(self, line: str) -> Update | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._event = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> Update | None:
        event, text = self._event, "\n".join(self._data)
        self._event, self._data = "", []
        self._last_id = self._id
        if not text:
            return None
        try:
            return self._update(event, json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidReply(f"an event of a job is damaged: {error!r}") from error

    def _update(self, event: str, data: Any) -> Update | None:
        if event == "state":
            status = JobStatus.of_json(data)
            if not status.has_ended:
                return status
            # A host shows a job as it is, so an early event can show that it has ended; there may
            # be progress and log lines still to come before the stream ends.
            self.end = status
            return None
        if event == "progress":
            return Progress.of_json(data)
        if event == "log":
            return LogLine.of_json(data)
        return None


def refusal_of(reply: Reply) -> Exception:
    """Why a reply is no stream of events."""
    if reply.status == 200:
        return ConnectionFailed(
            "something on the way to the host answered in its place, with"
            f" {reply.content_type or 'no'} content instead of events"
        )
    failure = failure_of(reply)
    return ConnectionFailed(str(failure)) if isinstance(failure, InvalidReply) else failure
