"""Requests that guests send: to the servers that were granted, and to no others."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certificate import issue_certificate
from host import CallFailed, Host, MakeHost, eventually, run_binary
from lab_server import SECRET, serving


@pytest.fixture
def server() -> Iterator[Any]:
    with serving() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Any]:
    """A server that nobody was granted."""
    with serving() as server:
        yield server


def granted(make_host: MakeHost, *servers: str, **options: Any) -> Host:
    http = ", ".join(server if server[0] == "{" else f'"{server}"' for server in servers)
    sidecar = f"[grants]\nhttp = [{http}]\n" + options.pop("more", "")
    return make_host("grants", sidecars={"grants": sidecar}, **options)


def send(host: Host, authority: str, path: str = "/", *headers: str, **options: str) -> Any:
    method, scheme = options.get("method", "GET"), options.get("scheme", "http")
    body = options.get("body", "")
    return host.post("send", [method, scheme, authority, path, list(headers), body])


def refused(host: Host, *arguments: Any, **options: str) -> str:
    with pytest.raises(CallFailed) as failure:
        send(host, *arguments, **options)
    return failure.value.message


def test_a_request_to_a_granted_server_is_answered(make_host: MakeHost, server: Any) -> None:
    host = granted(make_host, f"http://{server.at}")
    reply = send(host, server.at, "/runs?a=1")
    assert (reply["status"], reply["body"]) == (200, "GET /runs?a=1 ")
    assert "x-lab: north" in reply["headers"]
    body = "x" * 100_000
    reply = send(host, server.at, "/runs", "content-type: text/plain", method="POST", body=body)
    assert reply["body"].startswith("POST /runs")


@pytest.mark.attack(
    "requests of a guest to servers, ports and schemes that it was not granted",
    "denied, with the line that would grant it; the server is not asked",
)
def test_no_other_server_is_asked(make_host: MakeHost, server: Any, other: Any) -> None:
    host = granted(make_host, f"http://{server.at}")
    for authority in (other.at, f"localhost:{server.server_port}", f"127.1:{server.server_port}"):
        message = refused(host, authority)
        assert "HttpRequestDenied" in message, authority
    assert f'`http = ["http://{other.at}"]` grants it' in refused(host, other.at)
    assert "HttpRequestDenied" in refused(host, server.at, scheme="https")
    for authority in (f"me@{server.at}", f"{server.at}@{other.at}", f"{other.at}#{server.at}"):
        refused(host, authority)
    assert server.asked == other.asked == []


@pytest.mark.attack(
    "a redirect from a granted server to one that was not granted",
    "the guest's request to that one is denied",
)
def test_a_redirect_leads_no_further_than_the_list(
    make_host: MakeHost, server: Any, other: Any
) -> None:
    host = granted(make_host, f"http://{server.at}")
    reply = host.post("follow", [server.at, f"/to/{server.at}/there", 3])
    assert reply["body"] == "GET /there "
    with pytest.raises(CallFailed, match="HttpRequestDenied"):
        host.post("follow", [server.at, f"/to/{other.at}/there", 3])
    assert other.asked == []


@pytest.mark.attack(
    "a granted name that leads to this machine",
    "refused, unless the grant says that it may; the server is not asked",
)
def test_a_name_that_leads_to_this_machine_needs_a_grant_that_says_so(
    make_host: MakeHost, server: Any
) -> None:
    # The machine's own name, which leads to itself or to its network.
    name = socket.gethostname()
    at = f"{name}:{server.server_port}"
    host = granted(make_host, f"http://{at}")
    message = refused(host, at)
    assert "DestinationIpProhibited" in message
    assert f'http = [{{ to = "http://{at}", private = true }}]' in message
    assert server.asked == []
    host = granted(make_host, f'{{ to = "http://{at}", private = true }}')
    if socket.gethostbyname(name) == "127.0.0.1":
        assert send(host, at)["status"] == 200


@pytest.mark.attack(
    "headers of a guest about the connection, with another host, or with line ends in them",
    "refused; the host writes `Host` itself",
)
def test_headers_are_the_guest_s_own_as_far_as_they_may(make_host: MakeHost, server: Any) -> None:
    host = granted(make_host, f"http://{server.at}")
    for header in (
        "host: evil.example",
        "connection: close",
        "transfer-encoding: chunked",
        "upgrade: websocket",
        "te: trailers",
        "proxy-authorization: x",
        "keep-alive: 1",
        "x-lab: a\r\nx-evil: 1",
        "x-lab: a\nx-evil: 1",
        "x-lab: a\0",
        "x lab: a",
        "x-lab\r\nx-evil: a",
    ):
        refused(host, server.at, "/headers", header)
    assert server.asked == []
    for path in ("/a\r\nx-evil: 1", "/a b HTTP/1.1\r\n", "http://evil.example/"):
        refused(host, server.at, path)
    for method in ("CONNECT", "TRACE", "GET / HTTP/1.1\r\nx: y"):
        refused(host, server.at, method=method)
    assert server.asked == []
    send(host, server.at, "/headers", "x-lab: ä", "accept: */*")
    assert server.headers.count(f"host: {server.at}") == 1
    assert "accept: */*" in server.headers


@pytest.mark.attack(
    "a server that sends a head of 100 KB, and one that sends more than a call has fuel for",
    "refused, and charged by its bytes",
)
def test_what_a_server_sends_is_bounded(make_host: MakeHost, server: Any) -> None:
    more = "[procedures.size_of.limits]\nfuel = 60_000_000\n"
    host = granted(make_host, f"http://{server.at}", more=more)
    assert host.post("size_of", [server.at, "/bytes/1000000"]) == 1_000_000
    before = host.memory
    with pytest.raises(CallFailed) as failure:
        host.post("size_of", [server.at, "/bytes/200000000"])
    assert failure.value.kind in ("OutOfFuel", "OutOfMemory")
    refused(host, server.at, "/head")
    assert host.memory - before < 64 << 20


@pytest.mark.attack(
    "a guest that sends many requests at once to a server that does not answer",
    "16 for a call; the deadline ends them",
)
def test_requests_at_once_are_bounded(make_host: MakeHost, server: Any) -> None:
    more = '[procedures.begin_many.limits]\ndeadline = "3 s"\n'
    host = granted(make_host, f"http://{server.at}", more=more)
    assert host.post("begin_many", [server.at, "/bytes/1", 16]) == 16
    with pytest.raises(CallFailed, match="DeadlineExceeded"):
        host.post("begin_many", [server.at, "/slow", 100])
    assert server.asked.count("/slow") <= 16
    assert send(host, server.at)["status"] == 200


# TLS


def test_the_operator_s_own_authorities_are_trusted(make_host: MakeHost, tmp_path: Path) -> None:
    issued = issue_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    with serving(context) as server:
        at = f"https://{server.at}"
        stranger = granted(make_host, at)
        message = refused(stranger, server.at, scheme="https")
        assert "TlsCertificateError" in message
        assert "`authorities` under `[outgoing]`" in message
        assert server.asked == []
        host = granted(make_host, at, config=f'[outgoing]\nauthorities = "{issued.authority}"\n')
        assert send(host, server.at, "/runs", scheme="https")["body"] == "GET /runs "


def test_authorities_that_cannot_be_read_keep_the_host_from_starting(tmp_path: Path) -> None:
    config = tmp_path / "tarp.toml"
    config.write_text(f'[outgoing]\nauthorities = "{tmp_path / "none.pem"}"\n')
    ran = run_binary("serve", tmp_path, "--port", "0", "--config", config)
    assert ran.returncode != 0
    assert f"the authorities in {tmp_path / 'none.pem'} cannot be used" in ran.stderr


# Secrets


def secret(*to: str, source: str = "env:LAB_KEY") -> str:
    servers = ", ".join(f'"{server}"' for server in to)
    return f'secrets = {{ API_KEY = {{ from = "{source}", to = [{servers}] }} }}\n'


@pytest.mark.attack(
    "a guest that looks at a secret, or sends it to another granted server",
    "it has a placeholder of that call alone; the request is denied",
)
def test_a_secret_goes_to_its_servers_alone(make_host: MakeHost, server: Any, other: Any) -> None:
    host = granted(
        make_host,
        f"http://{server.at}",
        f"http://{other.at}",
        more=secret(f"http://{server.at}"),
        environment={"LAB_KEY": SECRET},
    )
    first, second = (host.post("variable", ["API_KEY"]) for _ in range(2))
    assert first.startswith("tarp-secret-")
    assert first != second
    host.post("use_secret", ["API_KEY", server.at, "authorization", "Bearer "])
    assert f"authorization: Bearer {SECRET}" in server.headers
    # A placeholder of another call is nothing.
    send(host, server.at, "/headers", f"authorization: {first}")
    assert f"authorization: {first}" in server.headers
    with pytest.raises(CallFailed) as failure:
        host.post("use_secret", ["API_KEY", other.at, "authorization", "Bearer "])
    assert "HttpRequestDenied" in failure.value.message
    assert "`API_KEY`" in failure.value.message
    assert other.asked == []
    catalog = host.request("GET", "/-/procedures").text
    assert "API_KEY" in catalog
    for told in (catalog, host.log, str(host.problems()), str(failure.value.body)):
        assert SECRET not in told


def test_a_secret_is_a_file_too_and_its_absence_is_told(
    make_host: MakeHost, server: Any, tmp_path: Path
) -> None:
    file = tmp_path / "lab.key"
    file.write_text(SECRET + "\n")
    more = secret(f"http://{server.at}", source=f"file:{file}")
    host = granted(make_host, f"http://{server.at}", more=more)
    host.post("use_secret", ["API_KEY", server.at, "x-key", ""])
    assert f"x-key: {SECRET}" in server.headers
    host = granted(make_host, f"http://{server.at}", more=secret(f"http://{server.at}"))
    (problem,) = host.problems()["grants.wasm"]
    assert "the host's variable `LAB_KEY` is not set" in problem["message"]
    assert host.post("variable", ["API_KEY"]) is None


def test_a_procedure_that_was_granted_no_server_says_what_would_grant_one(
    make_host: MakeHost, server: Any
) -> None:
    host = make_host("grants")
    message = refused(host, server.at)
    assert '`http = ["SERVER"]` grants one' in message
    assert server.asked == []


def test_a_job_that_sends_requests_is_not_run_twice(make_host: MakeHost, server: Any) -> None:
    host = granted(make_host, f"http://{server.at}")
    handle = host.submit("size_of", server.at, "/slow")["id"]
    eventually(lambda: server.asked == ["/slow"])
    host.kill()
    host.restart()
    job = host.ended(handle)
    assert (job["state"], job["attempts"]) == ("interrupted", 1)
    assert server.asked == ["/slow"]
