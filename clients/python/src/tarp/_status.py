"""A job as its host sees it: snapshots, updates, logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from ._receipt import Receipt

#: The states in which a job stays.
ENDED = frozenset({"succeeded", "failed", "cancelled", "timed_out", "interrupted"})


class Progress(NamedTuple):
    """How far a job is, as its procedure says."""

    done: float | None
    total: float | None
    message: str | None

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None where it is not known."""
        if self.done is None or not self.total:
            return None
        return min(max(self.done / self.total, 0.0), 1.0)

    def __str__(self) -> str:
        parts = []
        if self.done is not None:
            parts.append(f"{self.done:g}" + ("" if self.total is None else f" of {self.total:g}"))
        if self.message:
            parts.append(self.message)
        return ": ".join(parts) or "at work"

    @classmethod
    def of_json(cls, data: Mapping[str, Any] | None) -> Progress | None:
        """Reads the object of the host; None for none."""
        if data is None:
            return None
        return cls(data.get("done"), data.get("total"), data.get("message"))


class LogLine(NamedTuple):
    """A line that a procedure has logged."""

    time: datetime | None
    #: trace, debug, info, warn or error.
    level: str
    message: str

    def __str__(self) -> str:
        return f"{self.level}: {self.message}"

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> LogLine:
        """Reads the object of the host."""
        return cls(moment(data.get("time")), data.get("level", "info"), data.get("message", ""))


class Logs(NamedTuple):
    """What a job has written."""

    stdout: str
    stderr: str
    lines: tuple[LogLine, ...]

    def __str__(self) -> str:
        return "\n".join([*map(str, self.lines), *filter(None, [self.stdout, self.stderr])])

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Logs:
        """Reads the object of the host."""
        lines = tuple(map(LogLine.of_json, data.get("log", ())))
        return cls(data.get("stdout", ""), data.get("stderr", ""), lines)


@dataclass(frozen=True)
class JobStatus:
    """A snapshot of a job."""

    id: str
    procedure: str
    #: queued, running, succeeded, failed, cancelled, timed_out or interrupted.
    state: str
    #: Its place in the queue, 1 for the next; None unless it is queued.
    position: int | None
    progress: Progress | None
    #: From 0, most urgent, to 7.
    priority: int | None
    attempts: int
    submitted: datetime | None
    started: datetime | None
    ended: datetime | None
    #: When its result is deleted.
    expires: datetime | None
    #: Seconds after which to look again.
    suggested_wait: float
    cancel_requested: bool
    #: The type and the message of its failure.
    error: Mapping[str, Any] | None
    #: What it has used so far.
    receipt: Receipt
    file: str
    digest: str

    @property
    def has_ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ENDED

    def __str__(self) -> str:
        """Such as `queued at position 3`, `running, 3 of 10: warm-up`, `failed: no paper`."""
        if self.state == "queued" and self.position:
            return f"queued at position {self.position}"
        if self.state == "running" and self.progress:
            return f"running, {self.progress}"
        if self.error:
            return f"{self.state}: {self.error.get('message', '')}"
        return self.state

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> JobStatus:
        """Reads the object of the host."""
        receipt = Receipt(
            data.get("fuel") or 0,
            data.get("peak_memory") or 0,
            data.get("instantiate_us") or 0,
            data.get("run_us") or 0,
        )
        return cls(
            id=data["id"],
            procedure=data["procedure"],
            state=data["state"],
            position=data.get("position"),
            progress=Progress.of_json(data.get("progress")),
            priority=data.get("priority"),
            attempts=data.get("attempts") or 0,
            submitted=moment(data.get("submitted")),
            started=moment(data.get("started")),
            ended=moment(data.get("ended")),
            expires=moment(data.get("expires")),
            suggested_wait=data.get("suggested_wait") or 1.0,
            cancel_requested=bool(data.get("cancel_requested")),
            error=data.get("error"),
            receipt=receipt,
            file=data.get("file") or "",
            digest=data.get("digest") or "",
        )


_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def moment(text: str | None) -> datetime | None:
    """The time in RFC 3339; None for none. Digits beyond microseconds are dropped."""
    match = _RFC3339.fullmatch(text or "")
    if match is None:
        return None
    date, time, fraction, zone = match.groups()
    micros = (fraction or ".")[1:7].ljust(6, "0")
    offset = "+00:00" if zone in "Zz" else zone
    return datetime.fromisoformat(f"{date}T{time}.{micros}{offset}")
