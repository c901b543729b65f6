"""What the host tells of itself to programs: health, metrics, overview, events; and what HTTP
offers beside: HEAD, OPTIONS, tags, compression."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from host import DEADLINE, Host, MakeHost, at, bare, eventually, guest, place, rpc_body

PAGES = [
    "/",
    "/-/procedures",
    "/-/openapi.json",
    "/-/health",
    "/-/health/live",
    "/-/health/ready",
    "/-/metrics",
    "/-/overview",
    "/-/jobs",
    "/-/jobs/counts",
]


# Health.


def test_a_host_that_has_loaded_everything_is_ready(host: Host) -> None:
    health = bare(host.request("GET", "/-/health"))
    assert (health["live"], health["ready"], health["reason"]) == (True, True, None)
    assert re.fullmatch(r"\d+\.\d+\.\d+", health["version"])
    assert health["catalog"] == host.request("GET").headers["x-tarp-catalog"]
    assert bare(host.request("GET", "/-/health/live")) == {"live": True}
    assert bare(host.request("GET", "/-/health/ready")) == {"ready": True, "reason": None}


def test_a_host_that_is_loading_is_alive_and_not_ready(make_host: MakeHost, tmp_path: Path) -> None:
    """With an empty cache it has to compile first, which takes longer than to ask."""
    host = make_host("shapes", "math", cache=tmp_path / "cache", start=False)
    host.launch()
    for path in ("/-/health", "/-/health/ready"):
        reply = host.request("GET", path)
        assert (reply.status_code, reply.json()["reason"]) == (503, "loading")
    assert host.request("GET", "/-/health").json()["live"] is True
    assert host.request("GET", "/-/health/live").status_code == 200
    eventually(lambda: host.request("GET", "/-/health/ready").status_code == 200)


# Metrics.


class Metrics:
    """The numbers of one moment."""

    def __init__(self, host: Host) -> None:
        reply = host.request("GET", "/-/metrics")
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(reply.text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self.samples.get((name, frozenset(labels.items())), 0)


def test_every_call_is_counted(make_host: MakeHost) -> None:
    config = "[limits]\nfuel = 20_000_000\n"
    host = make_host("math", "misbehave", config=config)
    for _ in range(3):
        host.post("add", [1, 2])
    host.rpc("add", 1, 2)
    assert host.outcome("divide", 1, 0) == "Trap"
    assert host.outcome("spin") == "OutOfFuel"
    assert host.outcome("add", "a", 2) == "BadArguments"
    host.ended(host.submit("add", 1, 2)["id"])
    metrics = Metrics(host)
    assert metrics("tarp_calls_total", procedure="add") == 5
    assert metrics("tarp_call_failures_total", procedure="divide", type="Trap") == 1
    assert metrics("tarp_call_failures_total", procedure="spin", type="OutOfFuel") == 1
    assert metrics("tarp_call_failures_total", procedure="add", type="BadArguments") == 0
    assert metrics("tarp_refusals_total", type="BadArguments") == 1
    assert metrics("tarp_call_duration_seconds_count", procedure="add") == 5
    assert 0 < metrics("tarp_call_duration_seconds_sum", procedure="add") < 10
    assert metrics("tarp_fuel_total", procedure="spin") >= 20_000_000
    assert metrics("tarp_call_fuel_count") == 7
    assert metrics("tarp_call_peak_memory_max_bytes", procedure="add") >= 65_536
    assert metrics("tarp_job_states_total", state="queued") == 1
    assert metrics("tarp_job_states_total", state="succeeded") == 1
    assert metrics("tarp_loads_total", outcome="loaded") == 2
    assert metrics("tarp_connections") >= 1
    assert metrics("process_resident_memory_bytes") > 1 << 20
    assert abs(metrics("process_start_time_seconds") - time.time()) < 600


def test_what_runs_and_waits_is_told_while_it_does(make_host: MakeHost) -> None:
    host = make_host("misbehave", config="[jobs]\nplaces = 1\n")
    first, second = host.submit("spin")["id"], host.submit("spin")["id"]
    host.running(first)
    eventually(lambda: Metrics(host)("tarp_calls_running", procedure="spin") == 1)
    metrics = Metrics(host)
    assert metrics("tarp_jobs_running") == 1
    assert metrics("tarp_jobs_queued") == 1
    overview = bare(host.request("GET", "/-/overview"))
    assert (overview["jobs_running"], overview["queued"], overview["running"]) == (1, 1, 1)
    for handle in (second, first):
        host.cancel(handle)
        host.ended(handle)
    metrics = Metrics(host)
    assert metrics("tarp_jobs_running") == metrics("tarp_jobs_queued") == 0
    assert metrics("tarp_calls_running", procedure="spin") == 0
    assert metrics("tarp_job_states_total", state="cancelled") == 2


def test_reloads_are_counted_and_what_is_gone_is_told_together(make_host: MakeHost) -> None:
    host = make_host("math", "text")
    host.post("reverse", ["ab"])
    place(b"no component", host.folder / "math.wasm")
    eventually(lambda: "math.wasm" in host.problems())
    metrics = Metrics(host)
    assert metrics("tarp_loads_total", outcome="failed") == 1
    assert metrics("tarp_calls_total", procedure="reverse") == 1
    (host.folder / "text.wasm").unlink()
    eventually(lambda: not host.serves("reverse"))

    def is_told_together() -> bool:
        metrics = Metrics(host)
        names = {dict(labels).get("procedure") for _, labels in metrics.samples}
        return "reverse" not in names and metrics("tarp_calls_total", procedure="(other)") == 1

    eventually(is_told_together)
    place(guest("text"), host.folder / "text.wasm")
    eventually(lambda: host.serves("reverse"))
    assert Metrics(host)("tarp_calls_total", procedure="reverse") == 0


def test_a_call_whose_caller_went_away_is_counted(make_host: MakeHost) -> None:
    host = make_host("misbehave")
    with pytest.raises(requests.Timeout):
        requests.get(f"{host.address}/sleep_for?milliseconds=20000", timeout=0.5)
    labels = {"procedure": "sleep_for", "type": "Cancelled"}
    eventually(lambda: Metrics(host)("tarp_call_failures_total", **labels) == 1)
    assert Metrics(host)("tarp_calls_running", procedure="sleep_for") == 0


# The overview.


def test_the_overview_takes_samples(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave")

    def overview() -> dict[str, Any]:
        return bare(host.request("GET", "/-/overview"))

    for _ in range(4):
        host.post("add", [1, 2])
    assert host.outcome("divide", 1, 0) == "Trap"
    seen = eventually(lambda: (seen := overview())["samples"] and seen)
    assert abs(at(seen["now"]) - datetime.now(UTC)) < timedelta(seconds=DEADLINE)
    assert seen["interval"] == 5
    (sample,) = seen["samples"]
    assert (sample["calls"], sample["failures"]) == (5, 1)
    assert 0 < sample["p50_us"] <= sample["p95_us"]
    assert sample["memory"] > 1 << 20
    add = seen["procedures"]["add"]
    assert (add["calls"], add["failures"], add["samples"]) == (4, 0, [4])
    assert add["p50_us"] <= add["p95_us"]
    assert seen["procedures"]["divide"]["failures"] == 1
    assert seen["procedures"]["sum"] == {
        "calls": 0,
        "failures": 0,
        "p50_us": None,
        "p95_us": None,
        "samples": [0],
    }


# Events.


class Event(NamedTuple):
    kind: str
    data: dict[str, Any]
    at: float


@contextmanager
def events(host: Host) -> Iterator[Iterator[Event]]:
    with requests.get(f"{host.address}/-/events", stream=True, timeout=DEADLINE) as reply:
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "text/event-stream"
        yield parsed(reply.iter_lines(chunk_size=1, decode_unicode=True))


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    kind = ""
    for line in lines:
        name, _, text = line.partition(": ")
        if name == "event":
            kind = text
        elif name == "data":
            yield Event(kind, json.loads(text), time.monotonic())


def test_a_change_of_the_catalog_is_told_at_once(make_host: MakeHost) -> None:
    host = make_host("math")
    with events(host) as stream:
        first = next(stream)
        version = host.request("GET").headers["x-tarp-catalog"]
        assert (first.kind, first.data) == ("catalog", {"version": version})
        place(guest("text"), host.folder / "text.wasm")
        changed = next(event for event in stream if event.data != first.data)
        assert changed.kind == "catalog"
        assert changed.data == {"version": host.request("GET").headers["x-tarp-catalog"]}
        assert host.serves("reverse")
        # A bad version changes nothing that can be called, but there is something to see.
        place(b"no component", host.folder / "text.wasm")
        assert next(stream).data == changed.data
        assert "text.wasm" in host.problems()


def test_jobs_are_told_of_at_most_once_a_second(make_host: MakeHost) -> None:
    host = make_host("jobs")
    with events(host) as stream:
        assert next(stream).kind == "catalog"
        begin = time.monotonic()
        handle = host.submit("count_to", 3_000, 1)["id"]
        told = list(itertools.islice(stream, 3))
        assert [event.kind for event in told] == ["jobs"] * 3
        assert all(event.data == {} for event in told)
        assert told[2].at - begin > 1.5, "and not once for each of its steps"
        host.cancel(handle)


def test_streams_end_when_the_host_stops(make_host: MakeHost) -> None:
    host = make_host("math")
    with events(host) as stream, events(host) as another:
        next(stream), next(another)
        begin = time.monotonic()
        host.ask_to_stop()
        assert list(stream) == []
        assert list(another) == []
        assert host.wait() == 0
        assert time.monotonic() - begin < 5, "which is less than the grace"


# HEAD, OPTIONS and tags.


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_head_and_says_its_methods(host: Host, path: str) -> None:
    get, head = host.request("GET", path), host.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    options = host.request("OPTIONS", path)
    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    other = host.request("PUT", path)
    assert (other.status_code, other.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_pages_of_a_job_say_their_methods(host: Host) -> None:
    handle = host.submit("add", 1, 2)["id"]
    for page, methods in (
        ("", "GET, HEAD, DELETE, OPTIONS"),
        ("/result", "GET, HEAD, OPTIONS"),
        ("/arguments", "GET, HEAD, OPTIONS"),
        ("/logs", "GET, HEAD, OPTIONS"),
        ("/events", "GET, HEAD, OPTIONS"),
    ):
        for method, status in (("OPTIONS", 204), ("PUT", 405)):
            reply = host.request(method, f"/-/jobs/{handle}{page}")
            assert (reply.status_code, reply.headers["Allow"]) == (status, methods)


@pytest.mark.parametrize("path", ["/-/procedures", "/-/openapi.json"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_who_has_a_page_does_not_get_it_again(host: Host, path: str, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    tag = host.request("GET", path, headers=headers).headers["ETag"]
    assert tag.startswith("W/") == (encoding == "gzip")
    for known, status in ((tag, 304), (f'"x", {tag}', 304), ("*", 304), ('"x"', 200)):
        reply = host.request("GET", path, headers=headers | {"If-None-Match": known})
        assert reply.status_code == status, known
        assert bool(reply.content) == (status == 200)


# Compression.


def raw(host: Host, method: str, path: str, encoding: str, **options: Any) -> requests.Response:
    """A reply whose content is as it came over the wire, in `raw`."""
    headers = {"Accept-Encoding": encoding}
    return host.request(method, path, headers=headers, stream=True, **options)


def test_large_replies_are_compressed_for_those_who_can_read_it(host: Host) -> None:
    path = "/linspace?start=0&stop=1&count=10000"
    plain = raw(host, "GET", path, "identity")
    assert "Content-Encoding" not in plain.headers
    for encoding in ("gzip", "zstd"):
        reply = raw(host, "GET", path, encoding)
        assert reply.headers["Content-Encoding"] == encoding
        assert reply.headers["Content-Type"] == "application/json"
        assert "accept-encoding" in reply.headers["Vary"].lower()
        packed = reply.raw.read(decode_content=False)
        assert len(packed) < len(plain.content)
        if encoding == "gzip":
            assert gzip.decompress(packed) == plain.content
        else:
            assert packed.startswith(b"\x28\xb5\x2f\xfd")


def test_what_gains_nothing_is_sent_as_it_is(host: Host) -> None:
    pickles = rpc_body([1.0] * 10_000, 2.0)
    replies = [
        raw(host, "GET", "/add?x=1&y=2", "gzip"),
        raw(host, "POST", "/scale", "gzip", json=pickles),
        host.request(
            "POST",
            "/scale",
            json=[[1.0] * 10_000, 2.0],
            headers={"Accept-Encoding": "gzip", "Accept": "application/vnd.tarp.pickle"},
            stream=True,
        ),
    ]
    for reply in replies:
        assert reply.status_code == 200
        assert "Content-Encoding" not in reply.headers
        assert int(reply.headers["Content-Length"]) > 0
