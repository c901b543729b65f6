"""What Python asks of any object, and options that cannot be: always a TarpError."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import typing
from pathlib import Path
from typing import Any

import pytest
from conftest import MakeHost
from script import reply

import tarp
import tarp.aio
from tarp._catalog import Catalog
from tarp._replies import object_of
from tarp._stubs import stubs

NAN = float("nan")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://lab",
        "http://",
        "",
        "http://lab:port",
        "http://lab:99999",
        "http://[::1",
        "http://lab/?q=1",
        "http://lab/#f",
        "http://la b",
        "http://lab\r\nX: y",
        None,
        7,
        b"http://lab",
    ],
)
def test_a_url_that_is_none(url: Any) -> None:
    for connect in (tarp.connect, tarp.aio.connect):
        with pytest.raises(tarp.InvalidOption) as caught:
            connect(url, retry_for=0)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": NAN},
        {"timeout": "7"},
        {"timeout": True},
        {"connect_timeout": 0},
        {"connect_timeout": "x"},
        {"retry_for": -1},
        {"retry_for": None},
        {"retry_for": NAN},
        {"arrays": "tensor"},
        {"arrays": None},
        {"token": "a b"},
        {"token": "a\r\nX: y"},
        {"token": 7},
    ],
)
def test_options_that_cannot_be(url: str, options: dict[str, Any]) -> None:
    for connect in (tarp.connect, tarp.aio.connect):
        with pytest.raises(tarp.InvalidOption):
            connect(url, **options)


def test_a_file_of_authorities_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(tarp.InvalidOption, match=r"no PEM file.*missing\.pem|missing\.pem.*no PEM"):
        tarp.connect("https://localhost", verify=tmp_path / "missing.pem")


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": NAN},
        {"priority": 8},
        {"priority": "urgent"},
        {"priority": 1.0},
        {"idempotency_key": "a\nb"},
        {"idempotency_key": "ü"},
        {"idempotency_key": ""},
        {"idempotency_key": 7},
        {"arrays": "tensor"},
    ],
)
def test_options_of_a_call_that_cannot_be(host: tarp.Host, options: dict[str, Any]) -> None:
    with pytest.raises(tarp.InvalidOption):
        host.add.options(**options)


def test_everything_else_that_cannot_be(host: tarp.Host) -> None:
    job = host.add.submit(1, 2)
    raising: list[Any] = [
        lambda: host["ad"],
        lambda: host.ad,
        lambda: host.statistics.meen,
        lambda: job.result("soon"),  # type: ignore[arg-type]
        lambda: job.result(NAN),
        lambda: host.jobs(limit=-1),
        lambda: host.jobs(since="yesterday"),  # type: ignore[arg-type]
        lambda: host.jobs(state="unheard"),
        lambda: host.job(""),
        lambda: host.job("ü/.."),
        lambda: host.add(lambda: 1, 2),
    ]
    for raise_it in raising:
        with pytest.raises(tarp.TarpError):
            raise_it()
    with pytest.raises(KeyError):
        host["ad"]


def test_a_host_of_asyncio_that_was_not_awaited_says_so(url: str) -> None:
    host = tarp.aio.connect(url)
    assert bool(host)
    assert "close" in dir(host)
    for look in (lambda: host.add, lambda: host["add"], lambda: list(host), lambda: len(host)):
        with pytest.raises(tarp.NotConnected, match="async with"):
            look()

    async def main() -> None:
        async with host:
            assert await host.add(1, 2) == 3

    asyncio.run(main())


def test_hints_and_completion(host: tarp.Host) -> None:
    assert typing.get_type_hints(host.add) == {"x": int, "y": int, "return": int}
    hints = typing.get_type_hints(host.greet)
    assert hints == {"who": str, "greeting": typing.Optional[str], "return": str}
    assert typing.get_type_hints(host.statistics.mean)["values"] == list[float]
    for procedure in host:
        typing.get_type_hints(host[procedure])
    assert "statistics/mean" in host._ipython_key_completions_()


def test_a_host_without_procedures_is_true(make_server: MakeHost) -> None:
    with tarp.connect(make_server().url) as host:
        assert bool(host)
        assert len(host) == 0


def test_looking_at_a_host_that_is_away_takes_no_time(make_server: MakeHost) -> None:
    server = make_server("math")
    with tarp.connect(server.url) as host:
        server.kill()
        # In its place somebody who accepts connections and says nothing.
        port = int(server.url.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):
            host._is_stale = True
            started = time.monotonic()
            assert "add" in dir(host)
            assert bool(host)
            assert "add" in host._repr_html_()
            assert time.monotonic() - started < 9


LISTING: dict[str, Any] = {
    "version": "1",
    "complete": True,
    "procedures": [
        {"name": name, "parameters": [{"name": parameter, "type": "s64"}], "result": "s64"}
        for name, parameter in [
            ("2024-runs/mean", "self"),
            ("2024-runs/class", "class"),
            ("a/b", "x"),
            ("a_b", "cls"),
            ("close", "match"),
            ("jobs/list", "_private"),
            ("ünder/größe", "x"),
            ("x.y/z w", "x"),
            ("for", "self"),
            ("map/submit", "args"),
            ("_hidden", "kwargs"),
        ]
    ],
}


@pytest.mark.parametrize("for_asyncio", [False, True])
def test_stubs_are_valid_for_every_name(tmp_path: Path, for_asyncio: bool) -> None:
    catalog = Catalog.of_json(object_of(reply(LISTING)), "")
    (tmp_path / "procedures.pyi").write_text(
        stubs("http://lab", catalog, for_asyncio=for_asyncio), encoding="utf-8"
    )
    define, wait = ("async def", "await ") if for_asyncio else ("def", "")
    program = (
        "from procedures import Procedures\n"
        f"{define} f(host: Procedures) -> None:\n"
        f'    reveal_type({wait}host["2024-runs/mean"](self=1))\n'
        f"    reveal_type({wait}host.a_b(cls=2))\n"
        f"    reveal_type({wait}host.a.b(x=2))\n"
    )
    (tmp_path / "use.py").write_text(program)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "procedures.pyi", "use.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("int") >= 3
