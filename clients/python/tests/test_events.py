"""The stream of a job's events: in pieces of any size, and again after it broke off."""

from __future__ import annotations

import json
from typing import Any

import pytest

import tarp
from tarp._events import EventFeed

RUNNING = {"id": "7e0c", "procedure": "f", "state": "running"}
ENDED = {"id": "7e0c", "procedure": "f", "state": "succeeded"}


def event(number: Any, name: str, data: Any, end: str = "\n") -> bytes:
    lines = (f"id: {number}", f"event: {name}", f"data: {json.dumps(data)}", "", "")
    return end.join(lines).encode()


STREAM = b"".join(
    [
        b": still there\n\n",
        event(1, "state", RUNNING),
        event(2, "progress", {"done": 1, "total": None, "message": "größer"}, "\r\n"),
        event(3, "something-new", 7),
        event(4, "log", {"time": "2030-01-31T12:00:00Z", "level": "warn", "message": "hot"}),
        event("end", "state", ENDED),
    ]
)


@pytest.mark.parametrize("size", [1, 2, 3, 50, 10_000])
def test_updates_in_pieces(size: int) -> None:
    feed = EventFeed("7e0c")
    updates = []
    for start in range(0, len(STREAM), size):
        assert feed.end is None
        updates += feed.receive(STREAM[start : start + size])
    first, progress, line = updates
    assert isinstance(first, tarp.JobStatus)
    assert first.state == "running"
    assert progress == tarp.Progress(1, None, "größer")
    assert str(progress) == "1: größer"
    assert isinstance(line, tarp.LogLine)
    assert str(line) == "warn: hot"
    assert feed.end is not None
    assert feed.end.state == "succeeded"


def test_the_end_is_not_the_end_while_more_comes() -> None:
    feed = EventFeed("7e0c")
    assert feed.receive(event(1, "state", ENDED)) == []
    assert feed.receive(event(2, "progress", {"done": 1})) == [tarp.Progress(1, None, None)]
    assert feed.end is not None


def test_a_stream_is_taken_up_after_the_last_event_that_was_complete() -> None:
    feed = EventFeed("7e 0c")
    assert "Last-Event-ID" not in feed.request().headers
    cut = event(5, "state", RUNNING) + event(6, "progress", {"done": 1})[:-1]
    assert len(feed.receive(cut)) == 1
    request = feed.request()
    assert request.headers["Last-Event-ID"] == "5"
    assert request.target == "/-/jobs/7e%200c/events"
    assert feed.receive(event(6, "progress", {"done": 1})) == [tarp.Progress(1, None, None)]


def test_damaged_events_are_invalid_replies() -> None:
    for damaged in (b"event: state\ndata: {\n\n", b"event: state\ndata: {}\n\n"):
        with pytest.raises(tarp.InvalidReply):
            EventFeed("7e0c").receive(damaged)
    with pytest.raises(tarp.InvalidReply):
        EventFeed("7e0c").receive(bytes(1 << 25))
