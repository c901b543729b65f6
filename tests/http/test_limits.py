"""Limits from `tarp.toml`, from sidecars and by procedure; receipts; and places for calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from host import CallFailed, Host, MakeHost, Receipt, eventually, rpc_body

# Which limit counts.


def test_limits_of_the_host_count_for_all(make_host: MakeHost) -> None:
    config = """
[limits]
fuel = 20_000_000
memory = "8 MiB"
deadline = "500 ms"
result = "10 KiB"
"""
    host = make_host("misbehave", "math", config=config)
    assert host.outcome("spin") == "OutOfFuel"
    assert host.outcome("hog") == "OutOfMemory"
    assert host.outcome("sleep_for", milliseconds=60_000) == "DeadlineExceeded"
    assert host.outcome("flood_result", bytes=11 << 10) == "TooLarge"
    assert host.outcome("linspace", start=0, stop=1, count=2000) == "TooLarge"
    assert host.outcome("flood_result", bytes=9 << 10) == "success"
    assert host.outcome("sleep_for", milliseconds=1) == "success"
    assert host.outcome("add", x=1, y=2) == "success"


def test_a_sidecar_wins_over_the_host_and_a_procedure_over_its_component(
    make_host: MakeHost,
) -> None:
    sidecar = """
[limits]
deadline = "20 s"
result = "4 KiB"

[procedures.sleep_for.limits]
deadline = "300 ms"

[procedures.chatter.limits]
result = "1 MiB"
"""
    config = "[limits]\ndeadline = '250 ms'\nresult = '1 KiB'\n"
    host = make_host("misbehave", "math", config=config, sidecars={"misbehave": sidecar})
    # The host's own.
    assert host.outcome("linspace", start=0, stop=1, count=200) == "TooLarge"
    # The component's: longer than the host's, so this is not cut off at 250 ms.
    assert host.outcome("hog_slowly", milliseconds=1) == "OutOfMemory"
    assert host.outcome("flood_result", bytes=3000) == "success"
    assert host.outcome("flood_result", bytes=5000) == "TooLarge"
    # The procedure's.
    assert host.outcome("sleep_for", milliseconds=10_000) == "DeadlineExceeded"
    assert host.outcome("chatter", line="x" * 5000) == "success"


def test_limits_of_procedures_of_an_interface_go_by_their_name(make_host: MakeHost) -> None:
    sidecar = "[procedures.'statistics/mean'.limits]\nfuel = 1\n"
    host = make_host("math", sidecars={"math": sidecar})
    assert host.outcome("statistics/mean", values=[1.0]) == "OutOfFuel"
    assert host.outcome("statistics_mean", values=[1.0]) == "OutOfFuel"
    assert host.outcome("statistics/median", values=[1.0]) == "success"


def test_a_message_names_the_limit_and_the_cure(make_host: MakeHost) -> None:
    config = "[limits]\nmemory = '16 MiB'\ndeadline = '300 ms'\nfuel = 30_000_000\n"
    host = make_host("misbehave", config=config)
    for procedure, arguments, words in (
        ("spin", {}, ["30000000", "`fuel`"]),
        ("hog", {}, ["16", "MiB", "`memory`"]),
        ("sleep_for", {"milliseconds": 5000}, ["300ms", "`deadline`"]),
    ):
        with pytest.raises(CallFailed) as caught:
            host.post(procedure, arguments)
        for word in words:
            assert word in caught.value.message


def test_a_result_may_take_all_of_its_limit_and_no_more(make_host: MakeHost) -> None:
    """Text was counted twice, and half of the limit was the end."""
    host = make_host("text", "misbehave", config="[limits]\nresult = '8 KiB'\n")
    for size, outcome in ((4000, "success"), (8000, "success"), (8300, "TooLarge")):
        assert host.outcome("reverse", "x" * size) == outcome, size
        assert host.outcome("compress", [7, 8] * (size // 4)) == outcome, size
        assert host.outcome("flood_result", size) == outcome, size


def test_the_limit_of_a_result_is_no_limit_of_output(make_host: MakeHost) -> None:
    host = make_host("misbehave", config="[limits]\nresult = '1 KiB'\n")
    assert host.outcome("flood_stdout", 100_000) == "success"
    assert host.outcome("flood_stderr", 100_000) == "success"
    assert host.outcome("chatter", "x" * 300) == "success"


def test_memory_that_the_arguments_take_counts_too(make_host: MakeHost) -> None:
    host = make_host("math", sidecars={"math": "[limits]\nmemory = '4 MiB'\n"})
    assert host.outcome("sum", values=[0.5] * 100_000) == "success"
    assert host.outcome("sum", values=[0.5] * 1_000_000) == "OutOfMemory"


def test_the_deadline_counts_while_the_guest_computes(make_host: MakeHost) -> None:
    config = "[limits]\nfuel = 1_000_000_000_000_000\ndeadline = '300 ms'\n"
    host = make_host("misbehave", "math", config=config)
    assert host.outcome("spin") == "DeadlineExceeded"
    assert host.outcome("add", x=1, y=2) == "success"


# Receipts.


def receipt(host: Host, procedure: str, **arguments: Any) -> Receipt:
    return Receipt.of(host.request("POST", f"/{procedure}", json=arguments))


def test_the_same_call_takes_the_same_fuel(host: Host) -> None:
    ways = [
        lambda: host.request("GET", "/add?x=1&y=2"),
        lambda: host.request("POST", "/add", json=[1, 2]),
    ]
    fuel = {Receipt.of(way()).fuel for way in ways * 5}
    assert len(fuel) == 1
    assert fuel.pop() > 0


def test_more_work_takes_more_fuel(host: Host) -> None:
    little, much = (receipt(host, "sum", values=[0.5] * n).fuel for n in (1000, 100_000))
    assert much > little + 99_000


def test_more_data_takes_more_memory(host: Host) -> None:
    little, much = (receipt(host, "flood_result", bytes=n).peak_memory for n in (1, 20 << 20))
    assert 64 << 10 <= little < 8 << 20
    assert 20 << 20 <= much < 64 << 20


def test_the_time_that_a_guest_sleeps_is_run_time(host: Host) -> None:
    slept = receipt(host, "sleep_for", milliseconds=80)
    assert slept.run_us >= 80_000
    assert slept.instantiate_us >= 0


def test_calls_by_rpc_have_receipts(host: Host) -> None:
    reply = host.request("POST", "/add", json=rpc_body(1, 2))
    assert Receipt.of(reply).fuel == receipt(host, "add", x=1, y=2).fuel


# Places.


def test_who_finds_no_place_is_told_to_come_back(make_host: MakeHost) -> None:
    host = make_host("misbehave", "math", config="[server]\nmax_calls = 2\n")
    with ThreadPoolExecutor(6) as pool:
        sleeping = [pool.submit(host.post, "sleep_for", [4000]) for _ in range(6)]

        def overloaded() -> CallFailed | None:
            ended = [call.exception() for call in sleeping if call.done()]
            return next((e for e in ended if isinstance(e, CallFailed)), None)

        refused = eventually(overloaded)
        assert (refused.status, refused.kind) == (503, "Overloaded")
        assert int(refused.reply.headers["Retry-After"]) >= 1
    outcomes = [call.exception() for call in sleeping]
    assert outcomes.count(None) >= 2, "those with a place were not disturbed"
    assert host.rpc("add", 1, 2) == 3


def test_waiting_for_a_moment_is_no_failure(make_host: MakeHost) -> None:
    host = make_host("misbehave", "math", config="[server]\nmax_calls = 1\n")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: host.rpc("add", n, 1), range(64))) == list(range(1, 65))
