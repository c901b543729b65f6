"""Many guests that each take all that one may."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest

from binary import U8, Builder, core_module
from host import CallFailed, MakeHost, eventually, place
from watch import MIB, Watch, settles_below

CONFIG = "[server]\nmemory = '512 MiB'\n[limits]\nmemory = '300 MiB'\nfuel = 1_000_000_000_000\n"


@pytest.mark.attack(
    "16 calls at once that take far more memory together than there is",
    "they share the budget; the rest get `Overloaded` with `Retry-After`, and all is given back",
)
def test_guests_share_a_budget(make_host: MakeHost) -> None:
    """16 calls of 512 MiB each exhausted the machine."""
    host = make_host("math", "misbehave", config=CONFIG)
    failures: list[CallFailed] = []

    def attack(_: int) -> None:
        try:
            host.post("flood_result", [120 * MIB])
        except CallFailed as failed:
            failures.append(failed)

    with Watch(host) as watch, ThreadPoolExecutor(16) as pool:
        list(pool.map(attack, range(16)))
    watch.check(growth=700 * MIB)
    for failed in failures:
        assert failed.kind == "Overloaded", failed
        assert int(failed.reply.headers["Retry-After"]) >= 1
    # What they took is given back, and one of them alone is served.
    assert host.outcome("flood_result", 60 * MIB) == "success"
    settles_below(host, watch.before + 200 * MIB)


@pytest.mark.attack(
    "a guest that takes more than the whole budget",
    "`OutOfMemory`, which names `memory` of `[server]`",
)
def test_a_guest_that_can_never_fit_is_out_of_memory(make_host: MakeHost) -> None:
    """To come back later would not help."""
    host = make_host("math", "misbehave", config="[server]\nmemory = '64 MiB'\n")
    with Watch(host) as watch, pytest.raises(CallFailed) as caught:
        host.post("hog", {})
    watch.check(growth=100 * MIB)
    assert caught.value.kind == "OutOfMemory", caught.value
    assert "`memory` of [server]" in caught.value.message


#: A function that never ends.
LOOP = b"\0\x03\x40\x0c\0\x0b\x0b"

PLACES = 100


def test_memories_beyond_a_first_have_places_of_their_own(make_host: MakeHost) -> None:
    """Components of eight memories took the places of all others."""
    host = make_host(
        "math",
        config=f"[server]\nmax_calls = {PLACES}\nmax_calls_per_peer = {PLACES}\n"
        "[limits]\ndeadline = '20 s'\nfuel = 1_000_000_000_000_000\n",
    )
    module = core_module(LOOP, memories=8)
    place(Builder().export(["spin"], U8, module).binary, host.folder / "eight.wasm")
    eventually(lambda: host.serves("spin"))
    with ThreadPoolExecutor(PLACES) as callers:
        # Eight memories for each of these would be more than the host has for all of its places.
        calls = [callers.submit(host.outcome, "spin", "") for _ in range(PLACES - 10)]
        first, _ = wait(calls, return_when=FIRST_COMPLETED)
        assert {call.result() for call in first} == {"Overloaded"}
        # All places for further memories are taken now, and those of first memories are not.
        for _ in range(5):
            assert host.post("add", [1, 2]) == 3
        outcomes = [call.result() for call in calls]
    assert set(outcomes) == {"Overloaded", "DeadlineExceeded"}
    # What they had is given back.
    assert host.post("add", [1, 2]) == 3
