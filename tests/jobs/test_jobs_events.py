"""A job's events as a stream: their order, their ids, and what a follower who was away is told."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import requests

from host import DEADLINE, TERMINAL, Host, MakeHost, eventually


class Event(NamedTuple):
    kind: str
    id: str
    data: dict[str, Any]


@contextmanager
def stream(host: Host, handle: str, last: str | None = None) -> Iterator[Iterator[Event]]:
    """The events of a job; the connection is closed at the block's end."""
    headers = {} if last is None else {"Last-Event-ID": last}
    address = f"{host.address}/-/jobs/{handle}/events"
    with requests.get(address, headers=headers, stream=True, timeout=DEADLINE) as reply:
        assert reply.status_code == 200, reply.text
        assert reply.headers["Content-Type"] == "text/event-stream"
        assert "no-cache" in reply.headers["Cache-Control"]
        yield parsed(reply.iter_lines(chunk_size=1, decode_unicode=True))


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    """As the HTML standard reads such a stream, without what this host never sends."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            if name:
                assert name not in fields, "one line of each"
                fields[name] = value.removeprefix(" ")
        elif fields:
            assert fields.keys() == {"event", "id", "data"}
            yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}


def all_events(host: Host, handle: str, last: str | None = None) -> list[Event]:
    """What comes until the host ends the stream."""
    with stream(host, handle, last) as events:
        return list(events)


def until(events: Iterator[Event], found: Callable[[Event], bool]) -> list[Event]:
    """The events up to the first for which that holds."""
    seen = []
    for event in events:
        seen.append(event)
        if found(event):
            return seen
    raise AssertionError(f"the stream ended after {seen}")


def endless(host: Host) -> str:
    """A job that reports progress until it is cancelled."""
    return host.submit("count_to", 1_000_000, 5)["id"]


# The stream.


def test_everything_that_happens_comes_in_its_order(make_host: MakeHost) -> None:
    host = make_host("jobs", "misbehave", config="[jobs]\nplaces = 1\n")
    blocker = host.submit("spin")["id"]
    host.running(blocker)
    handle = host.submit("count_to", 5, 20)["id"]
    with stream(host, handle) as events:
        first = next(events)
        assert (first.kind, first.data["state"], first.data["id"]) == ("state", "queued", handle)
        host.cancel(blocker)
        rest = list(events)
    kinds = [event.kind for event in rest]
    assert kinds[:2] == ["state", "log"]
    assert kinds[-2:] == ["log", "state"]
    assert set(kinds[2:-2]) == {"progress"}
    assert rest[0].data["state"] == "running"
    assert [rest[1].data["message"], rest[-2].data["message"]] == ["counting to 5", "counted to 5"]
    assert rest[1].data.keys() == {"time", "level", "message"}
    done = [event.data["done"] for event in rest[2:-2]]
    assert done == sorted(set(done))
    assert rest[-3].data == {"done": 5, "total": 5, "message": "step 5 of 5"}
    job = host.job(handle)
    assert rest[-1].data | {"expires": None} == job | {"expires": None}
    assert job["state"] == "succeeded"


def test_ids_count_up_and_the_last_is_the_end(host: Host) -> None:
    handle = host.submit("count_to", 20, 5)["id"]
    ids = [event.id for event in all_events(host, handle)]
    assert ids.pop() == "end"
    numbers = [int(text) for text in ids]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("name", "arguments", "state"),
    [
        ("add", [1, 2], "succeeded"),
        ("fail_after", [1, "no"], "failed"),
        ("spin", [], "cancelled"),
    ],
)
def test_the_stream_ends_after_the_state_in_which_the_job_ends(
    host: Host, name: str, arguments: list, state: str
) -> None:
    handle = host.submit(name, *arguments)["id"]
    with stream(host, handle) as events:
        if state == "cancelled":
            host.running(handle)
            host.cancel(handle)
        last = list(events)[-1]
    assert (last.kind, last.data["state"], last.id) == ("state", state, "end")
    assert host.job(handle)["state"] == state


def test_of_a_job_that_ended_before_its_log_and_its_end_are_told(host: Host) -> None:
    job = host.ended(host.submit("count_to", 3, 0)["id"])
    *lines, last = all_events(host, job["id"])
    assert [line.data["message"] for line in lines] == ["counting to 3", "counted to 3"]
    assert (last.kind, last.id, last.data["state"]) == ("state", "end", "succeeded")


def test_a_job_that_logged_nothing_and_ended_before_has_one_event(host: Host) -> None:
    job = host.ended(host.submit("add", 1, 2)["id"])
    (event,) = all_events(host, job["id"])
    assert (event.kind, event.id, event.data["state"]) == ("state", "end", "succeeded")


def test_whoever_saw_the_end_is_told_that_there_is_no_more(host: Host) -> None:
    """204 is what makes a browser stop asking."""
    handle = host.ended(host.submit("add", 1, 2)["id"])["id"]
    reply = host.request("GET", f"/-/jobs/{handle}/events", headers={"Last-Event-ID": "end"})
    assert (reply.status_code, reply.content) == (204, b"")


def test_many_follow_one_job_and_see_the_same(host: Host) -> None:
    handle = endless(host)
    with stream(host, handle) as one, stream(host, handle) as other:
        for events in (one, other):
            until(events, lambda event: event.kind == "progress")
        host.cancel(handle)
        ends = [list(events)[-1] for events in (one, other)]
    for event in ends:
        # Reckoned anew each time, by a clock that stands still between two rounds of pruning.
        assert event.data.pop("expires")
    assert ends[0] == ends[1]


def test_a_follower_who_reads_slowly_holds_nobody_up(host: Host) -> None:
    handle = host.submit("flood_job", 20_000, 200)["id"]
    with stream(host, handle) as events:
        next(events)
        assert host.ended(handle)["state"] == "succeeded"
        assert list(events)[-1].data["state"] == "succeeded"


def test_a_lost_follower_leaves_the_job_alone(host: Host) -> None:
    handle = host.submit("count_to", 100, 10)["id"]
    with stream(host, handle) as events:
        until(events, lambda event: event.kind == "progress")
    assert host.ended(handle)["state"] == "succeeded"


# After a lost connection.


def lasting(events: list[Event]) -> list[Event]:
    """All but progress, of which only the newest is kept."""
    return [event for event in events if event.kind != "progress"]


def test_a_follower_who_comes_back_misses_nothing(host: Host) -> None:
    """From every event on: the same that the first connection told after it."""
    handle = endless(host)
    with stream(host, handle) as events:
        seen = until(events, lambda event: event.kind == "progress")
    assert [event.kind for event in seen][-2:] == ["log", "progress"]
    for place, event in enumerate(seen):
        with stream(host, handle, event.id) as events:
            again = until(events, lambda event: event.kind == "progress")
        assert [e.id for e in lasting(again)] == [e.id for e in lasting(seen[place + 1 :])]
        assert int(again[-1].id) >= int(seen[-1].id)
    host.cancel(handle)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_follower_who_was_away_at_the_end_misses_no_line(
    make_host: MakeHost, is_restarted: bool
) -> None:
    host = make_host("jobs")
    handle = host.submit("count_to", 30, 20)["id"]
    with stream(host, handle) as events:
        first = until(events, lambda event: event.kind == "log")[-1]
    assert first.data["message"] == "counting to 30"
    host.ended(handle)
    if is_restarted:
        host.kill()
        host.restart()
    line, last = all_events(host, handle, first.id)
    assert line.data["message"] == "counted to 30"
    assert int(line.id) > int(first.id)
    assert (last.id, last.data["state"]) == ("end", "succeeded")
    assert [event.id for event in all_events(host, handle, line.id)] == ["end"]


def test_progress_goes_on_where_it_was_and_never_back(host: Host) -> None:
    handle = endless(host)
    last, done = None, 0.0
    for _ in range(5):
        with stream(host, handle, last) as events:
            for event in itertools.islice(events, 6):
                assert last is None or int(event.id) > int(last)
                last = event.id
                if event.kind == "progress":
                    assert event.data["done"] > done
                    done = event.data["done"]
    host.cancel(handle)
    with stream(host, handle, last) as events:
        assert list(events)[-1].data["state"] == "cancelled"


def test_an_id_that_makes_no_sense_is_as_good_as_none(host: Host) -> None:
    handle = endless(host)
    first = next_event(host, handle)
    for nonsense in ("", "x", "-1", "1" * 30):
        assert next_event(host, handle, nonsense).id == first.id
    host.cancel(handle)


def next_event(host: Host, handle: str, last: str | None = None) -> Event:
    with stream(host, handle, last) as events:
        return next(events)


def test_a_follower_comes_back_to_a_host_that_was_restarted(make_host: MakeHost) -> None:
    host = make_host("jobs")
    handle = host.submit("count_to", 100, 20)["id"]
    with stream(host, handle) as events:
        last = until(events, lambda event: event.kind == "progress")[-1]
        host.kill()
        with pytest.raises(requests.exceptions.RequestException):
            list(events)
    host.restart()
    events = all_events(host, handle, last.id)
    numbers = [int(last.id), *(int(event.id) for event in events[:-1])]
    assert numbers == sorted(set(numbers))
    assert (events[-1].id, events[-1].data["state"]) == ("end", "succeeded")
    assert events[-1].data["attempts"] == 2
    messages = [event.data["message"] for event in events if event.kind == "log"]
    assert messages == ["counting to 100", "counted to 100"], "of the second attempt"


def test_a_host_that_stops_ends_its_streams(make_host: MakeHost) -> None:
    host = make_host("jobs", config="[server]\ngrace = '200 ms'\n")
    handle = endless(host)
    with stream(host, handle) as events:
        until(events, lambda event: event.kind == "progress")
        host.ask_to_stop()
        seen = list(events)
    assert host.wait() == 0
    assert not [event for event in seen if event.kind == "state" and event.data["ended"]]
    host.restart()
    eventually(lambda: host.job(handle)["attempts"] == 2)
    assert host.job(handle)["state"] not in TERMINAL
    host.cancel(handle)
    assert host.ended(handle)["state"] == "cancelled"
