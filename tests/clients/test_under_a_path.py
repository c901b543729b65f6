"""A host that a proxy has under a path: all that takes an address takes one with that path."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import tarp
import tarp.aio

import original_client
from command_line import CommandLine
from host import Host, MakeHost, clean_environment
from proxy import Proxy, proxy_before

PATH = "/lab/t%C3%A4rp"


@pytest.fixture(scope="module")
def host(make_module_host: MakeHost) -> Host:
    return make_module_host("math", "jobs")


@pytest.fixture(scope="module")
def proxy(host: Host) -> Iterator[Proxy]:
    with proxy_before(host.address, PATH) as made:
        yield made


def client(address: str) -> tuple[int, int]:
    with tarp.connect(address) as host:
        return host.add(1, 2), host.count_to.submit(3, 5).result(timeout=30)


def aio(address: str) -> tuple[int, int]:
    async def both() -> tuple[int, int]:
        async with tarp.aio.connect(address) as host:
            job = await host.count_to.submit(3, 5)
            return await host.add(1, 2), await job.result(timeout=30)

    return asyncio.run(both())


def command_line(address: str) -> tuple[int, int]:
    run = CommandLine("http://127.0.0.1:1").ok
    assert "add(" in run("list", address).text
    job = run("call", address, "--job", "--detach", "count_to", "3", "5").text.strip()
    assert job in run("jobs", address).text
    result = run("jobs", "--url", address, "result", job, "--wait", "30").text
    return int(run("call", address, "add", "1", "2").text), int(result)


def module(address: str) -> tuple[int, int]:
    def run(*words: str) -> int:
        command = [sys.executable, "-m", "tarp", "call", address, *words]
        ran = subprocess.run(
            command,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return int(ran.stdout)

    return run("add", "1", "2"), run("count_to", "3", "5")


def original(address: str) -> tuple[int, int]:
    host = original_client.client(address)
    return host.add(1, 2), host.count_aside(3).wait()


async def connected(address: str) -> None:
    await tarp.aio.connect(address)


WAYS: list[Callable[[str], tuple[int, int]]] = [client, aio, command_line, module, original]


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("way", WAYS)
def test_calls_and_jobs_work_under_a_path(
    proxy: Proxy, way: Callable[[str], tuple[int, int]], end: str
) -> None:
    assert way(proxy.address + PATH + end) == (3, 3)
    assert {target.startswith(f"{PATH}/") for _, target in proxy.asked} == {True}


@pytest.mark.parametrize("path", ["/add", "/add/", "/statistics/mean", "/-/procedures"])
def test_an_address_that_goes_on_is_told_from_one_that_is_whole(host: Host, path: str) -> None:
    address = host.address + path
    listed = CommandLine(address)("list")
    assert listed.code == 2
    said = [listed.err]
    with pytest.raises(tarp.NotFound) as one:
        tarp.connect(address)
    with pytest.raises(tarp.NotFound) as other:
        asyncio.run(connected(address))
    said += [str(one.value), str(other.value)]
    for message in said:
        assert f"has no path `{path.rstrip('/')}`" in message
