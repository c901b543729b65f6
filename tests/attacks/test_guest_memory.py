"""Many guests that each take all that one may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

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
    watch.check(growth=1100 * MIB)
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
    watch.check(growth=160 * MIB)
    assert caught.value.kind == "OutOfMemory", caught.value
    assert "`memory` of [server]" in caught.value.message


@pytest.mark.attack(
    "a module of eight memories, which would take the room of eight calls",
    "refused with the limit",
)
def test_a_module_of_several_memories_is_refused(make_host: MakeHost) -> None:
    """Components of eight memories took the permits of all others."""
    host = make_host("math")
    module = core_module(memories=8)
    place(Builder().export(["eight"], U8, module).binary, host.folder / "eight.wasm")
    said = eventually(lambda: host.problems().get("eight.wasm"))
    assert "exceeds the per-instance limit of 1" in said[0]["message"]
    assert host.post("add", [1, 2]) == 3
