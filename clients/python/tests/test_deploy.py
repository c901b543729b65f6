"""Components that are deployed and rolled back from Python."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from running_host import GUESTS, RunningHost
from script import Played, failure, reply

import tarp
import tarp.aio
from tarp import _protocol
from tarp._deployment import Upload

ALLOWED = ("--allow-deploy",)

DEPLOYED: dict[str, Any] = {
    "name": "math",
    "file": "math.wasm",
    "version": "ab.cd",
    "digest": "ab",
    "previous": None,
    "procedures": ["add"],
    "changes": {"added": ["add()"], "removed": [], "changed": [{"before": "a", "after": "b"}]},
    "problems": [],
}


@pytest.fixture
def taking(make_server: Any) -> RunningHost:
    """A host that takes components from whoever reaches it."""
    return make_server("math", flags=ALLOWED)


def test_what_is_deployed_can_be_called_at_once(taking: RunningHost, tmp_path: Path) -> None:
    with tarp.connect(taking.url) as host:
        assert "reverse" not in host
        done = host.deploy(GUESTS / "text.wasm")
        assert host.reverse("abc") == "cba"
        assert (done.name, done.file, done.previous) == ("text", "text.wasm", None)
        assert "reverse" in done.procedures
        assert any(text.startswith("reverse(") for text in done.added)
        assert str(done).startswith(f"text.wasm {done.digest[:12]}: ")

        sidecar = tmp_path / "any.toml"
        sidecar.write_text('prefix = "lab"')
        moved = host.deploy(str(GUESTS / "text.wasm"), "text", sidecar, if_match=done.version)
        assert moved.previous == done.version
        assert host.lab.reverse("ab") == "ba"
        assert set(moved.removed) == set(done.added)
        with pytest.raises(tarp.PreconditionFailed):
            host.deploy(GUESTS / "math.wasm", "text", if_match=done.digest[:8])

        back = host.rollback("text")
        assert back.version == done.version
        assert host.reverse("ab") == "ba"
        assert host.rollback("text", moved.digest, timeout=60).procedures == moved.procedures


def test_what_cannot_be_served_replaces_nothing(taking: RunningHost, tmp_path: Path) -> None:
    broken = tmp_path / "math.wasm"
    broken.write_bytes(b"no component")
    with tarp.connect(taking.url) as host:
        with pytest.raises(tarp.BadRequest, match="not WebAssembly"):
            host.deploy(broken)
        with pytest.raises(tarp.NotFound, match="before"):
            host.rollback("math")
        with pytest.raises(FileNotFoundError):
            host.deploy(tmp_path / "absent.wasm")
        assert host.add(1, 2) == 3


def test_components_are_deployed_from_a_task(taking: RunningHost) -> None:
    async def main() -> None:
        async with tarp.aio.connect(taking.url) as host:
            done = await host.deploy(GUESTS / "text.wasm", "words")
            assert done.file == "words.wasm"
            assert await host.reverse("abc") == "cba"
            with pytest.raises(tarp.NotFound):
                await host.rollback("words")

    asyncio.run(main())


def test_a_host_without_tokens_refuses(make_server: Any) -> None:
    server = make_server("math")
    with tarp.connect(server.url) as host, pytest.raises(tarp.Forbidden, match="--allow-deploy"):
        host.deploy(GUESTS / "math.wasm")


@pytest.mark.parametrize(
    "options",
    [
        {"path": 1},
        {"path": b"math.wasm"},
        {"path": GUESTS / "math.wasm", "name": ""},
        {"path": GUESTS / "math.wasm", "sidecar": 1},
        {"path": GUESTS / "math.wasm", "if_match": 'a"b'},
        {"path": GUESTS / "math.wasm", "timeout": 0},
    ],
)
def test_options_that_cannot_be_are_refused(host: tarp.Host, options: dict[str, Any]) -> None:
    with pytest.raises(tarp.InvalidOption):
        host.deploy(**options)


def test_a_deployment_is_sent_once() -> None:
    sent = Upload("lab/math", "application/wasm", (b"x",))
    for line in (tarp.ConnectionFailed("away"), failure("Overloaded", 503, retry_after="1")):
        played = Played(_protocol.deploy(sent, "ab", 9.0), line)
        assert isinstance(played.error, (tarp.ConnectionFailed, tarp.Overloaded))
        (request,) = played.requests
        assert (request.method, request.target) == ("PUT", "/-/components/lab%2Fmath")
        assert (request.headers["If-Match"], request.timeout) == ('"ab"', 9.0)


def test_a_reply_is_read_or_refused() -> None:
    played = Played(_protocol.rollback("math", "ab", None), reply(DEPLOYED))
    assert played.requests[0].target == "/-/components/math/rollback?to=ab"
    assert played.result.changed == (("a", "b"),)
    damaged = Played(_protocol.rollback("math", None, None), reply({"name": "math"}))
    assert isinstance(damaged.error, tarp.InvalidReply)
