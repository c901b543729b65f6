"""Web procedures: keywords are the query, a positional argument is the body, the result is what a
browser gets."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from running_host import RunningHost
from script import Played

import tarp
import tarp.aio
from tarp import _protocol
from tarp.__main__ import main
from tarp._message import Reply
from tarp._protocol import Call, Options
from tarp._replies import outcome_of
from tarp._web import web_call

BOTH = ("GET", "POST")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, cache: Any) -> Iterator[RunningHost]:
    server = RunningHost(tmp_path_factory.mktemp("host"), cache, guests=("plot", "math"))
    yield server
    server.kill()


def test_a_host_s_web_procedures(web: RunningHost) -> None:
    with tarp.connect(web.url) as host:
        data = host.get_data(frequency=1, amplitude=2)
        assert max(data["y"]) == pytest.approx(2, abs=0.01)
        picture, receipt = host.get_plot.with_receipt(frequency=2.0)
        assert picture.startswith(b"\x89PNG")
        assert receipt.fuel > 0
        assert host.set_params({"frequency": 3, "amplitude": np.float64(1)})["frequency"] == 3
        assert host.get_plot.info.web_methods == ("GET",)
        assert str(host.get_plot.__signature__) == "(body=None, /, **query)"


def test_failures_have_what_was_said(web: RunningHost) -> None:
    with tarp.connect(web.url) as host:
        with pytest.raises(tarp.ProcedureError, match="frequency") as caught:
            host.get_data(frequency="fast")
        assert caught.value.value == str(caught.value)
        with pytest.raises(tarp.BadArguments, match="answers GET alone"):
            host.get_data(b"body")
        with pytest.raises(tarp.BadArguments, match="one positional argument"):
            host.set_params({}, {})


def test_as_jobs(web: RunningHost) -> None:
    with tarp.connect(web.url) as host:
        job = host.get_plot.submit(frequency=2)
        assert job.result(60) == host.get_plot(frequency=2)
        assert host.job(job.id).result(60).startswith(b"\x89PNG")
        (data,) = host.get_data.starmap([()], kwargs={"frequency": 1})
        assert len(data["y"]) > 1
        failed = host.get_data.submit(frequency="fast")
        with pytest.raises(tarp.ProcedureError, match="frequency"):
            failed.result(60)


def test_with_asyncio(web: RunningHost) -> None:
    async def body() -> None:
        async with tarp.aio.connect(web.url) as host:
            assert (await host.get_plot()).startswith(b"\x89PNG")
            assert (await host.set_params({"frequency": 3, "amplitude": 1}))["frequency"] == 3
            assert await (await host.get_plot.submit()) == await host.get_plot()

    asyncio.run(body())


def test_on_the_command_line(web: RunningHost, capfdbinary: Any) -> None:
    assert main(["call", web.url, "get_data", "frequency=1"]) == 0
    assert "y" in json.loads(capfdbinary.readouterr().out)
    assert main(["call", web.url, "set_params", '{"frequency": 3, "amplitude": 1}']) == 0
    assert json.loads(capfdbinary.readouterr().out)["frequency"] == 3
    assert main(["call", web.url, "get_plot"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"\x89PNG")
    assert main(["call", web.url, "get_data", "frequency=fast"]) == 1
    assert b"frequency" in capfdbinary.readouterr().err
    assert main(["stubs", web.url]) == 0
    assert b"def __call__(self, body: Any = ..., /, **query: Any)" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({"a": "x y&z=1"}, [("a", "x y&z=1")]),
        ({"a": 1, "b": 0.5, "c": True}, [("a", "1"), ("b", "0.5"), ("c", "true")]),
        ({"a": [1, "two"]}, [("a", "1"), ("a", "two")]),
        ({"a": np.array([1, 2])}, [("a", "1"), ("a", "2")]),
        ({"a": np.float64(0.5), "b": np.True_}, [("a", "0.5"), ("b", "true")]),
        ({"a": datetime.date(2030, 1, 31)}, [("a", "2030-01-31")]),
        ({"ä": "ü"}, [("ä", "ü")]),
    ],
)
def test_keywords_are_the_query(arguments: Any, query: Any) -> None:
    call = web_call("f", BOTH, (), arguments)
    assert (call.method, call.body) == ("GET", ())
    assert parse_qsl(call.query) == query


@pytest.mark.parametrize("value", [None, b"x", {"a": 1}, {1, 2}, object(), [None], 1j])
def test_what_a_query_has_not_is_refused(value: Any) -> None:
    with pytest.raises(tarp.BadArguments, match="the argument `a`"):
        web_call("f", BOTH, (), {"a": value})


@pytest.mark.parametrize(
    ("value", "content_type", "body"),
    [
        (b"ab", "application/octet-stream", b"ab"),
        (memoryview(b"ab"), "application/octet-stream", b"ab"),
        ("ü", "text/plain; charset=utf-8", "ü".encode()),
        ({"a": np.array([1.5])}, "application/json", b'{"a": [1.5]}'),
        ([1, None], "application/json", b"[1, null]"),
        (None, "application/json", b"null"),
        (datetime.date(2030, 1, 31), "application/json", b'"2030-01-31"'),
    ],
)
def test_a_positional_argument_is_the_body(value: Any, content_type: str, body: bytes) -> None:
    call = web_call("f", BOTH, (value,), {"q": 1})
    assert (call.method, call.query, call.content_type) == ("POST", "q=1", content_type)
    assert b"".join(call.body) == body


@pytest.mark.parametrize("value", [float("nan"), {"a": b"x"}, {1, 2}, object(), {(1, 2): 3}])
def test_what_json_has_not_is_refused(value: Any) -> None:
    with pytest.raises(tarp.BadArguments, match="the body"):
        web_call("f", BOTH, (value,), {})


RECEIPT = {
    "x-tarp-fuel": "7",
    "x-tarp-peak-memory": "7",
    "x-tarp-instantiate-us": "7",
    "x-tarp-run-us": "7",
}


@pytest.mark.parametrize(
    ("content_type", "body", "value"),
    [
        ("text/html; charset=utf-8", "ü".encode(), "ü"),
        ("text/plain; charset=latin-1", b"\xfc", "ü"),
        ("text/plain", b"\xfc", b"\xfc"),
        ("application/geo+json", b'{"a": 1}', {"a": 1}),
        ("image/png", b"\x89PNG", b"\x89PNG"),
        (
            "application/json",
            b'{"status":"success","mimetype":"application/json","result":{"payload":"gAVLAy4="}}',
            {"payload": "gAVLAy4="},
        ),
    ],
)
def test_what_comes_back_is_decoded_by_its_type(content_type: str, body: bytes, value: Any) -> None:
    call = Call("GET", "f", is_web=True)
    reply = Reply(200, {**RECEIPT, "content-type": content_type}, body)
    played = Played(_protocol.call(call, Options(), None, outcome_of), reply)
    assert played.requests[0].headers["Accept"] == "*/*"
    assert played.result.value == value
    failed = Played(_protocol.call(call, Options(), None, outcome_of), reply._replace(status=418))
    assert isinstance(failed.error, tarp.ProcedureError)
    if content_type != "application/json":
        assert failed.error.value == value
