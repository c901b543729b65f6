"""Calls that are waited for and have an idempotency key: each runs once, however often it is sent,
whatever becomes of the connections and of the host."""

from __future__ import annotations

import base64
import json
import pickle
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from host import CallFailed, Host, MakeHost, bare, eventually, result_of, rpc_body

PICKLE = "application/vnd.tarp.pickle"


def runs(host: Host, procedure: str) -> int:
    """How often a guest ran for a procedure."""
    text = host.request("GET", "/-/metrics").text
    found = re.search(rf'tarp_calls_total{{procedure="{procedure}"}} (\d+)', text)
    return int(found.group(1)) if found else 0


#: Ways to call `add`, each with a result of 3.
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "query": ("GET", "/add?x=1&y=2", {}),
    "object": ("POST", "/add", {"json": {"x": 1, "y": 2}}),
    "array": ("POST", "/add", {"json": [1, 2]}),
    "form": ("POST", "/add", {"data": {"x": 1, "y": 2}}),
    "rpc": ("POST", "/add", {"json": rpc_body(1, y=2)}),
    "pickle": (
        "POST",
        "/add",
        {"data": pickle.dumps(((1,), {"y": 2})), "headers": {"Content-Type": PICKLE}},
    ),
}


def call(host: Host, way: str, key: str, **more: Any) -> Any:
    method, path, options = WAYS[way]
    headers = options.get("headers", {}) | {"Idempotency-Key": key}
    return host.request(method, path, **(options | {"headers": headers} | more))


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_calling_runs_once_and_is_answered_alike(host: Host, way: str) -> None:
    before, key = runs(host, "add"), f"once-{way}"
    first, second = call(host, way, key), call(host, way, key)
    assert first.status_code == second.status_code == 200, first.text
    assert first.content == second.content
    assert first.headers["Content-Type"] == second.headers["Content-Type"]
    assert first.headers["x-tarp-fuel"] == second.headers["x-tarp-fuel"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    if way == "rpc":
        assert pickle.loads(base64.b64decode(result_of(second)["payload"])) == 3
    elif way != "pickle":
        assert result_of(second) == 3
    assert runs(host, "add") == before + 1


def test_the_form_of_the_result_is_that_of_the_request(host: Host) -> None:
    value = {"Accept": "application/vnd.tarp.value+json", "Idempotency-Key": "forms"}
    assert result_of(call(host, "array", "forms")) == 3
    reply = host.request("POST", "/add", json=[1, 2], headers=value)
    assert reply.json() == 3


def test_arguments_are_the_same_in_any_order_by_position_or_by_name(host: Host) -> None:
    before = runs(host, "add")
    headers = {"Idempotency-Key": "any order"}
    for path, options in (
        ("/add?x=1&y=2", {"method": "GET"}),
        ("/add?y=2&x=1", {"method": "GET"}),
        ("/add", {"method": "POST", "json": [1, 2]}),
        ("/add", {"method": "POST", "json": {"y": 2, "x": 1}}),
    ):
        assert result_of(host.request(path=path, headers=headers, **options)) == 3
    assert runs(host, "add") == before + 1
    data = {"Idempotency-Key": "bytes"}
    first = host.request("POST", "/checksum", files={"data": ("f", b"abc")}, headers=data)
    plain = {"Content-Type": "application/octet-stream"}
    again = host.request("POST", "/checksum", data=b"abc", headers=data | plain)
    assert result_of(again) == result_of(first)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("add", [1, 3]), ("my_function", [1, 2]), ("add", {"x": 1, "y": 4})],
)
def test_another_request_under_the_key_is_a_conflict(host: Host, name: str, arguments: Any) -> None:
    assert result_of(call(host, "array", "taken")) == 3
    before = runs(host, name)
    headers = {"Idempotency-Key": "taken"}
    reply = host.request("POST", f"/{name}", json=arguments, headers=headers)
    with pytest.raises(CallFailed, match="key") as caught:
        result_of(reply)
    assert (caught.value.status, caught.value.kind) == (409, "Conflict")
    assert runs(host, name) == before


def test_a_request_waits_while_the_first_still_runs(host: Host) -> None:
    before = runs(host, "sleep_for")

    def send(_: int) -> Any:
        headers = {"Idempotency-Key": "slow"}
        return host.request("POST", "/sleep_for", json=[700], headers=headers)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(send, range(8)))
    assert {result_of(reply) for reply in replies} == {700}
    assert sum("Idempotency-Replayed" not in reply.headers for reply in replies) == 1
    assert runs(host, "sleep_for") == before + 1


@pytest.mark.parametrize(
    ("name", "arguments", "status", "kind"),
    [
        ("fail_with_string", ["no light"], 500, "ProcedureError"),
        ("panic", ["at the disco"], 500, "Trap"),
        ("fail_as_busy", ["measuring", 7], 503, "OperationInProgress"),
        ("fail_as_invalid_state", ["cold"], 503, "InvalidServerState"),
    ],
)
def test_a_failure_is_an_outcome_too(
    host: Host, name: str, arguments: list[Any], status: int, kind: str
) -> None:
    plain = host.request("POST", f"/{name}", json=arguments)
    before = runs(host, name)
    headers = {"Idempotency-Key": f"failing {name}"}
    replies = [host.request("POST", f"/{name}", json=arguments, headers=headers) for _ in range(2)]
    for reply in replies:
        assert (reply.status_code, reply.json()["type"]) == (status, kind)
        assert reply.headers.get("Retry-After") == plain.headers.get("Retry-After")
        assert reply.json() == plain.json(), "as a call without a key"
    assert runs(host, name) == before + 1


def test_what_never_ran_does_not_use_up_the_key(host: Host) -> None:
    headers = {"Idempotency-Key": "after a mistake"}
    assert host.request("POST", "/add", json=[1], headers=headers).status_code == 400
    reply = host.request("POST", "/add", json=[1, 2], headers=headers)
    assert result_of(reply) == 3


def test_without_a_place_the_key_is_not_used_up(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave", config="[server]\nmax_calls = 1\n")
    done = call(host, "array", "done")
    with ThreadPoolExecutor(1) as pool:
        blocker = pool.submit(host.rpc, "sleep_for", 2500)
        eventually(lambda: host.outcome("add", 1, 2) == "Overloaded")
        reply = call(host, "array", "k")
        assert (reply.status_code, reply.json()["type"]) == (503, "Overloaded")
        again = call(host, "array", "done")
        assert (again.status_code, again.content) == (200, done.content), "it needs no place"
        blocker.result()
    assert result_of(call(host, "array", "k")) == 3


def test_a_call_goes_on_when_its_connection_is_lost(host: Host) -> None:
    before = runs(host, "sleep_for")
    body = b"[1500]"
    request = (
        b"POST /sleep_for HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Idempotency-Key: lost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    with socket.create_connection(("127.0.0.1", host.port)) as connection:
        connection.sendall(request)
        eventually(lambda: host.jobs(procedure="sleep_for", state="running"))
    headers = {"Idempotency-Key": "lost"}
    reply = host.request("POST", "/sleep_for", json=[1500], headers=headers)
    assert result_of(reply) == 1500
    assert reply.headers["Idempotency-Replayed"] == "true"
    assert runs(host, "sleep_for") == before + 1


def test_a_job_and_a_call_share_the_key(host: Host) -> None:
    job = host.submit("add", 1, 2, Idempotency_Key="either")
    assert result_of(call(host, "array", "either")) == 3
    assert result_of(call(host, "array", "or")) == 3
    again = host.submit("add", 1, 2, Idempotency_Key="or")
    assert (again["state"], host.result(again["id"])) == ("succeeded", 3)
    assert again["id"] != job["id"]


def test_a_call_has_the_limits_of_a_call(make_host: MakeHost) -> None:
    config = '[limits]\ndeadline = "1 s"\n[jobs.limits]\ndeadline = "1 h"\n'
    host = make_host("misbehave", config=config)
    reply = host.request("POST", "/spin", json=[], headers={"Idempotency-Key": "k"})
    assert (reply.status_code, reply.json()["type"]) == (504, "DeadlineExceeded")
    again = host.request("POST", "/spin", json=[], headers={"Idempotency-Key": "k"})
    assert again.json() == reply.json()


def test_the_outcome_survives_the_host(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave")
    first = call(host, "rpc", "k")
    failed = {"Idempotency-Key": "f"}
    failure = host.request("POST", "/fail_with_string", json=["no"], headers=failed)
    host.kill()
    host.restart()
    assert call(host, "rpc", "k").content == first.content
    again = host.request("POST", "/fail_with_string", json=["no"], headers=failed)
    assert (again.status_code, again.content) == (failure.status_code, failure.content)
    assert runs(host, "add") == runs(host, "fail_with_string") == 0


def test_a_call_that_the_host_s_end_cut_off_is_ended_by_the_next_host(
    make_host: MakeHost,
) -> None:
    host = make_host("misbehave")
    headers = {"Idempotency-Key": "k"}

    def send() -> Any:
        return host.request("POST", "/sleep_for", json=[2000], headers=headers)

    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(send)
        [job] = eventually(lambda: host.jobs(state="running"))
        host.kill()
        assert lost.exception() is not None
    host.restart()
    assert result_of(send()) == 2000
    again = host.job(job["id"])
    assert (again["state"], again["attempts"]) == ("succeeded", 2)
    assert len(host.jobs()) == 1


def test_an_orderly_stop_waits_for_the_call(make_host: MakeHost) -> None:
    host = make_host("misbehave")
    headers = {"Idempotency-Key": "k"}

    def send() -> Any:
        return host.request("POST", "/sleep_for", json=[1500], headers=headers)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        eventually(lambda: host.jobs(state="running"))
        host.stop()
        assert result_of(first.result()) == 1500
    host.restart()
    assert result_of(send()) == 1500
    assert [job["attempts"] for job in host.jobs()] == [1]


def test_a_call_that_is_cancelled_says_so(host: Host) -> None:
    headers = {"Idempotency-Key": "to be cancelled"}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            lambda: host.request("POST", "/sleep_for", json=[20_000], headers=headers)
        )
        [job] = eventually(lambda: host.jobs(procedure="sleep_for", state="running"))
        host.cancel(job["id"])
        reply = waiting.result()
    assert (reply.status_code, reply.json()["type"]) == (409, "Cancelled")


def test_a_web_procedure_runs_once_whatever_its_headers(host: Host) -> None:
    before = runs(host, "get_data")
    replies = [
        host.request(
            "GET", "/get_data?frequency=2", headers={"Idempotency-Key": "web", "X-Trace": trace}
        )
        for trace in ("one", "two")
    ]
    assert replies[0].status_code == replies[1].status_code == 200
    assert replies[0].content == replies[1].content
    assert runs(host, "get_data") == before + 1
    other = host.request("GET", "/get_data?frequency=3", headers={"Idempotency-Key": "web"})
    assert other.status_code == 409


def test_a_host_without_a_store_refuses_the_key(make_host: MakeHost) -> None:
    host = make_host("math", flags=["--jobs", "none"])
    for way in WAYS:
        reply = call(host, way, "k")
        assert (reply.status_code, reply.json()["type"]) == (400, "BadRequest")
        assert "--jobs none" in reply.json()["message"]
    assert runs(host, "add") == 0
    assert host.get("add", {"x": 1, "y": 2}) == 3


def test_head_leaves_nothing_behind(make_host: MakeHost) -> None:
    host = make_host("math")
    for headers in ({"Prefer": "respond-async"}, {"Idempotency-Key": "k"}, {}):
        reply = host.request("HEAD", "/add?x=1&y=2", headers=headers)
        assert reply.status_code == (400 if "Idempotency-Key" in headers else 200)
        assert "Location" not in reply.headers
        assert bare(host.request("GET", "/-/jobs"))["jobs"] == []


def test_several_keys_are_none(host: Host) -> None:
    body = json.dumps([1, 2]).encode()
    request = (
        b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Idempotency-Key: a\r\nIdempotency-Key: b\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    with socket.create_connection(("127.0.0.1", host.port)) as connection:
        connection.sendall(request)
        reply = b""
        while part := connection.recv(4096):
            reply += part
    assert reply.startswith(b"HTTP/1.1 400")
