"""`map` and `starmap`: every item's result, or what became of it, in order or not."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from typing import Any

import pytest
from proxy import BAD_GATEWAY, proxy_before

import tarp
import tarp.aio

DEADLINE = 60.0

CALLS: list[dict[str, Any]] = [{"jobs": True}, {"jobs": False}]


@pytest.mark.parametrize("window", [0, -1, 1.5, "2", None, True])
def test_a_window_is_a_number_of_calls(host: tarp.Host, url: str, window: Any) -> None:
    for name in ("map", "starmap"):
        with pytest.raises(tarp.InvalidOption, match="at least 1"):
            getattr(host.add, name)([], window=window)

    async def main() -> None:
        async with tarp.aio.connect(url) as connected:
            for name in ("map", "starmap"):
                with pytest.raises(tarp.InvalidOption, match="at least 1"):
                    getattr(connected.add, name)([], window=window)

    asyncio.run(main())


@pytest.mark.parametrize("options", CALLS)
def test_arguments_of_all_calls(host: tarp.Host, options: dict[str, Any]) -> None:
    assert list(host.add.map(range(5), kwargs={"y": 10}, **options)) == [10, 11, 12, 13, 14]
    pairs = ((n, n) for n in range(5))
    assert list(host.add.starmap(pairs, **options)) == [0, 2, 4, 6, 8]
    assert list(host.add.starmap([[1]], kwargs={"y": 2}, **options)) == [3]
    assert list(host.answer.starmap([()] * 3, **options)) == [42] * 3


@pytest.mark.parametrize("options", CALLS)
def test_failures_among_the_results(host: tarp.Host, options: dict[str, Any]) -> None:
    results = list(
        host.add.map([1, "two", 3, {1: object()}], [1] * 4, return_exceptions=True, **options)
    )
    assert (results[0], results[2]) == (2, 4)
    assert isinstance(results[1], tarp.BadArguments)
    assert isinstance(results[3], tarp.BadArguments)
    (crashed,) = host.panic.map(["no"], return_exceptions=True, **options)
    assert isinstance(crashed, tarp.Trap)


@pytest.mark.parametrize("options", CALLS)
def test_the_first_failure_says_which_item_it_was(host: tarp.Host, options: dict[str, Any]) -> None:
    with pytest.raises(tarp.BadArguments) as caught:
        list(host.add.map([1, "two"], [1, 2], **options))
    if sys.version_info >= (3, 11):
        assert any("item 1" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("options", CALLS)
def test_results_as_they_come(host: tarp.Host, options: dict[str, Any]) -> None:
    times = [4000, 10, 10, 10]
    started = time.monotonic()
    results = host.sleep_for.map(times, ordered=False, **options)
    first = [next(results) for _ in range(3)]
    assert len(first) == 3
    if time.monotonic() - started < 4:
        assert len(list(results)) == 1
    same = host.add.map(range(40), range(40), ordered=False, window=7, **options)
    assert sorted(same) == [2 * n for n in range(40)]


def test_with_asyncio(url: str) -> None:
    async def main() -> None:
        async with tarp.aio.connect(url) as host:
            for options in CALLS:
                found = host.add.starmap([(1, 2), (3, "x")], return_exceptions=True, **options)
                results = [result async for result in found]
                assert results[0] == 3
                assert isinstance(results[1], tarp.BadArguments)
                unordered = host.add.map(range(9), kwargs={"y": 1}, ordered=False, **options)
                assert sorted([result async for result in unordered]) == list(range(1, 10))

    asyncio.run(main())


def test_a_host_that_is_away_ends_the_wait(url: str) -> None:
    with proxy_before(url) as proxy, tarp.connect(proxy.url, retry_for=0) as host:
        results = host.until_asked_to_stop.map(kwargs={}, ordered=True)
        assert list(results) == []
        results = host.until_asked_to_stop.starmap([()])
        proxy.rule = lambda method, _target: BAD_GATEWAY if method == "GET" else None
        with pytest.raises(tarp.ConnectionFailed, match="502 Bad Gateway"):
            next(results)


@pytest.fixture
def mapper(url: str) -> Iterator[subprocess.Popen[str]]:
    program = """
        import sys, tarp

        def calls():
            yield ()
            yield ()
            print("waiting", flush=True)

        with tarp.connect(sys.argv[1]) as host:
            list(host.until_asked_to_stop.starmap(calls()))
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield child
    child.kill()


def test_an_interrupt_says_what_it_did(host: tarp.Host, mapper: subprocess.Popen[str]) -> None:
    assert mapper.stdout
    assert mapper.stdout.readline() == "waiting\n"
    time.sleep(0.2)
    mapper.send_signal(signal.SIGINT)
    _, said = mapper.communicate(timeout=DEADLINE)
    last = said.strip().splitlines()[-1]
    assert last == "KeyboardInterrupt: 2 jobs that were under way have been asked to stop"
    deadline = time.monotonic() + DEADLINE
    while host.jobs(procedure="until_asked_to_stop", state=["queued", "running"]):
        assert time.monotonic() < deadline
