"""Guests that ask too much of the host: whatever they call, the host answers others, deadlines
hold, and what the host does and keeps for a guest is charged to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from host import CallFailed, Host, MakeHost, Receipt

#: Procedures that never end by themselves, with what they are called with.
ENDLESS = [
    ("random_forever", {"bytes": 1 << 20}),
    ("random_forever", {"bytes": 16}),
    ("clock_forever", {}),
    ("write_forever", {}),
    ("copy_forever", {"bytes": 200 << 20}),
    ("fill_forever", {"bytes": 400 << 20}),
]

#: Far more than what the host needs, and far less than what it took to end by luck.
LATE = 12.0

LIMITS = """
[limits]
deadline = "1 s"
fuel = 1_000_000_000_000_000
[jobs.limits]
deadline = "1 s"
"""


@pytest.fixture(scope="module")
def host(make_module_host: MakeHost) -> Host:
    return make_module_host("host_calls", "math", "app", config=LIMITS)


@pytest.mark.attack(
    "guests that only call the host, or only copy and fill memory, for ever",
    "the deadline ends them",
)
@pytest.mark.parametrize(("name", "arguments"), ENDLESS)
def test_a_deadline_holds_whatever_a_guest_calls(host: Host, name: str, arguments: dict) -> None:
    start = time.monotonic()
    with pytest.raises(CallFailed) as failure:
        host.post(name, arguments)
    assert failure.value.kind == "DeadlineExceeded"
    assert time.monotonic() - start < 1.0 + LATE


@pytest.fixture
def busy(host: Host) -> Iterator[None]:
    """Every core is kept busy by guests that do nothing but turn to the host or fill memory."""
    with ThreadPoolExecutor(2 * len(ENDLESS)) as callers:
        calls = [callers.submit(host.outcome, name, **arguments) for name, arguments in 2 * ENDLESS]
        yield
        assert {call.result() for call in calls} <= {"DeadlineExceeded"}


@pytest.mark.attack(
    "such guests on every core",
    "health and other calls are answered",
)
@pytest.mark.usefixtures("busy")
def test_others_are_answered_meanwhile(host: Host) -> None:
    for _ in range(5):
        start = time.monotonic()
        assert requests.get(f"{host.address}/-/health", timeout=10).ok
        assert host.post("add", [1, 2]) == 3
        assert time.monotonic() - start < LATE


@pytest.mark.attack(
    "large host calls",
    "they cost fuel by their bytes, the same each time",
)
def test_host_calls_are_charged(host: Host) -> None:
    def fuel(size: int, times: int) -> int:
        reply = host.request("GET", "/random", params={"bytes": size, "times": times})
        assert reply.ok, reply.text
        return Receipt.of(reply).fuel

    assert fuel(1000, 20) > fuel(1000, 10) + 10 * 1000 * 10
    assert fuel(1 << 15, 2) > (2 << 15) * 10
    # The same work costs the same fuel.
    assert fuel(5000, 7) == fuel(5000, 7)


@pytest.mark.attack(
    "more than 1 MiB of random data in one host call",
    "the guest traps",
)
def test_random_data_is_bounded_in_one_call(host: Host) -> None:
    assert host.outcome("random", bytes=1 << 20, times=1) == "success"
    assert host.outcome("random", bytes=(1 << 20) + 1, times=1) == "Trap"


@pytest.mark.attack(
    "a million handles of timers",
    "the guest traps; the host's memory stays",
)
def test_handles_are_bounded(host: Host) -> None:
    assert host.post("timers", [5_000]) == 5_000
    before = host.memory
    assert host.outcome("timers", count=1_000_000) == "Trap"
    assert host.memory - before < 64 << 20


@pytest.mark.attack(
    "`wasi:http` from a procedure",
    "the guest traps; only components that export a handler, or were granted a server, have it",
)
def test_a_procedure_has_no_http(host: Host) -> None:
    with pytest.raises(CallFailed) as failure:
        host.post("begin_request", [3])
    assert failure.value.kind == "Trap"
    assert "no server was granted to it" in failure.value.message


@pytest.mark.attack(
    "a handler that keeps messages with long texts",
    "texts and fields are bounded; 500",
)
def test_a_handler_cannot_hoard_messages(host: Host) -> None:
    before = host.memory
    small = requests.get(f"{host.address}/app/hoard?letters=8000", timeout=30)
    large = requests.get(f"{host.address}/app/hoard?letters=100000", timeout=30)
    assert (small.status_code, large.status_code) == (500, 500)
    assert "bytes; it may have 8192" in large.json()["message"]
    assert host.memory - before < 64 << 20


@pytest.mark.attack(
    "a memory that is to grow beyond its own maximum",
    "the guest is told so, and is not charged",
)
def test_a_memory_is_not_charged_for_what_it_refuses_itself(host: Host) -> None:
    # 4 GiB is beyond what any memory of 32 bits has.
    assert host.outcome("grow", pages=10) == "success"
    assert host.outcome("grow", pages=0x7FFF) == "OutOfMemory"


@pytest.mark.attack(
    "a job that does nothing but such calls, cancelled",
    "it is cancelled",
)
@pytest.mark.parametrize("name", ["random_forever", "copy_forever"])
def test_a_job_is_cancelled_whatever_it_calls(make_host: MakeHost, name: str) -> None:
    host = make_host("host_calls", config="[jobs.limits]\nfuel = 1_000_000_000_000_000\n")
    handle = host.submit(name, 1 << 20 if name == "random_forever" else 200 << 20)["id"]
    host.running(handle)
    start = time.monotonic()
    host.cancel(handle)
    assert host.ended(handle)["state"] == "cancelled"
    assert time.monotonic() - start < LATE


@pytest.mark.attack(
    "SIGTERM while such guests keep every core busy",
    "the host ends",
)
def test_the_host_ends_whatever_guests_call(make_host: MakeHost) -> None:
    host = make_host("host_calls", config='[server]\ngrace = "100 ms"\n' + LIMITS)
    with ThreadPoolExecutor(8) as callers:
        for _ in range(4):
            callers.submit(host.outcome, "random_forever", bytes=1 << 20)
            callers.submit(host.outcome, "fill_forever", bytes=400 << 20)
        time.sleep(0.3)
        start = time.monotonic()
        host.stop()
        assert time.monotonic() - start < LATE
