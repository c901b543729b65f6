"""`tarp call` of web procedures, and of what only newer hosts have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine
from stand_in import Answer, StandIn, envelope, procedure, raw

WEB = {"methods": ["GET", "POST"]}


def test_a_web_procedure_gets_a_query_and_data(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.serve(procedure("page", web=WEB), page=envelope({"a": 1}))
    tarp = CommandLine(stand_in.address)
    assert tarp.ok("call", "page", "x=1", "y=a b&c").json == {"a": 1}
    assert stand_in.received[-1][:2] == ("GET", "/page?x=1&y=a+b%26c")
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    for data, media, body in [
        (f"@{tmp_path}/a.png", "image/png", b"\x89PNG"),
        ('{"a": 1}', "application/json", b'{"a": 1}'),
        ("hello", "text/plain; charset=utf-8", b"hello"),
        ("@-", "application/octet-stream", b"in"),
    ]:
        tarp.ok("call", "page", "x=1", "--data", data, stdin=b"in")
        received = stand_in.received[-1]
        assert received[:2] == ("POST", "/page?x=1")
        assert (received.headers["content-type"], received.body) == (media, body)
    wrong = tarp("call", "page", "1")
    assert wrong.code == 2
    assert "name=value" in wrong.err


@pytest.mark.parametrize(
    ("answer", "printed"),
    [
        (raw(b"\x89PNG\0", "image/png"), b"\x89PNG\0"),
        (raw("né\n".encode(), "text/html"), "né\n".encode()),
        (raw(b'{"a":[1]}', "application/json"), b'{"a": [1]}\n'),
        (envelope("AP8=", "application/octet-stream"), b"\0\xff"),
        (envelope("hi", "text/plain"), b"hi\n"),
    ],
)
def test_what_a_web_procedure_answers_is_printed_as_it_is(
    stand_in: StandIn, answer: Answer, printed: bytes
) -> None:
    stand_in.serve(procedure("page", web={"methods": ["GET"]}), page=answer)
    tarp = CommandLine(stand_in.address)
    assert tarp.ok("call", "page").out == printed
    refused = tarp("call", "page", "--data", "x")
    assert refused.code == 2
    assert "GET alone" in refused.err


def test_a_web_procedure_can_say_that_it_failed(stand_in: StandIn, tmp_path: Path) -> None:
    answer = raw(b"no such plot", "text/plain", 404)
    stand_in.serve(procedure("page", web={"methods": ["POST"]}), page=answer)
    tarp = CommandLine(stand_in.address)
    ran = tarp("call", "page", "-o", tmp_path / "a.txt")
    assert ran.code == 1
    assert "status 404" in ran.err
    assert (tmp_path / "a.txt").read_bytes() == b"no such plot"
    assert stand_in.received[-1].method == "POST"
    words = {"status": "error", "type": "ProcedureError", "message": "the procedure answered"}
    stand_in.answers["/page"] = Answer(words | {"result": {"why": [1]}}, status=404)
    ran = tarp("call", "page")
    assert ran.code == 1
    assert '\n    "why": [' in ran.err


# Newer hosts.


def test_what_a_newer_host_says_more_is_no_trouble(stand_in: StandIn) -> None:
    parameter: dict[str, Any] = {"name": "table", "type": {"map": ["string", "u8"]}, "more": 1}
    stand_in.serve(procedure("f", parameters=[parameter], more=1), f=envelope(1))
    CommandLine(stand_in.address).ok("call", "f", '{"a": 1}')
    assert json.loads(stand_in.received[-1].body) == {"table": {"a": 1}}


def test_an_argument_with_a_default_may_be_left_out(stand_in: StandIn) -> None:
    parameter = {"name": "n", "type": "u32", "default": 10}
    stand_in.serve(procedure("f", parameters=[parameter]), f=envelope(1))
    CommandLine(stand_in.address).ok("call", "f")
    assert json.loads(stand_in.received[-1].body) == {}
