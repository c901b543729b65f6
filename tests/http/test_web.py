"""What the host makes of HTTP itself: content types, bodies, methods, paths, names, versions."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import pickle
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

from certificate import make_certificate
from host import CallFailed, Host, MakeHost, pickled, result_of, rpc_body


def post(host: Host, path: str, body: Any, content_type: str | None) -> requests.Response:
    headers = {"Content-Type": content_type} if content_type else {}
    return host.request("POST", path, data=body, headers=headers)


@pytest.fixture
def connection(host: Host) -> Iterator[http.client.HTTPConnection]:
    """A connection that sends paths and headers just as it is told."""
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=30)
    yield connection
    connection.close()


def asked(connection: http.client.HTTPConnection, *request: Any, **more: Any) -> tuple[int, Any]:
    connection.request(*request, **more)
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read())


# Content types.


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "APPLICATION/JSON ; Charset=utf-8",
    ],
)
def test_json_by_any_spelling_of_its_type(host: Host, content_type: str) -> None:
    assert result_of(post(host, "/add", '{"x": 1, "y": 2}', content_type)) == 3
    rpc = result_of(post(host, "/add", json.dumps(rpc_body(1, 2)), content_type))
    assert pickle.loads(base64.b64decode(rpc["payload"])) == 3


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded; charset=UTF-8"],
)
def test_a_form_by_any_spelling_of_its_type(host: Host, content_type: str) -> None:
    assert result_of(post(host, "/add", "x=1&y=2", content_type)) == 3
    assert result_of(post(host, "/reverse", "text=%C3%BC+a%26b", content_type)) == "b&a ü"


@pytest.mark.parametrize("content_type", ["text/plain", "Text/PLAIN; charset=utf-8"])
def test_plain_text_by_any_spelling_of_its_type(host: Host, content_type: str) -> None:
    assert result_of(post(host, "/reverse", "über".encode(), content_type)) == "rebü"
    assert result_of(post(host, "/reverse", b"", content_type)) == ""


def test_anything_else_is_bytes(host: Host) -> None:
    for content_type in ("application/octet-stream", "image/png"):
        assert result_of(post(host, "/checksum", b"123456789", content_type)) == 0xCBF43926
        reply = post(host, "/compress", b"\xff\xff\0", content_type)
        assert base64.b64decode(result_of(reply)) == b"\x02\xff\x01\0"


def test_text_that_does_not_fit_one_argument_is_refused(host: Host) -> None:
    for content_type, body in (("text/plain", "1"), ("application/octet-stream", b"1")):
        with pytest.raises(CallFailed, match="x: s64, y: s64") as caught:
            result_of(post(host, "/add", body, content_type))
        assert (caught.value.status, caught.value.kind) == (400, "BadArguments")


def test_replies_are_exactly_json(host: Host) -> None:
    replies = [
        host.request("GET"),
        host.request("GET", "/add?x=1&y=2"),
        host.request("GET", "/reverse?text=a"),
        host.request("POST", "/compress", data=b"a"),
        host.request("POST", "/add", json=rpc_body(1, 2)),
        host.request("GET", "/add"),
    ]
    assert {reply.headers["Content-Type"] for reply in replies} == {"application/json"}
    assert replies[1].json() == {"status": "success", "mimetype": "application/json", "result": 3}


def test_text_and_bytes_say_what_they_are(host: Host) -> None:
    assert host.request("GET", "/reverse?text=ab").json() == {
        "status": "success",
        "mimetype": "text/plain",
        "result": "ba",
    }
    assert host.request("POST", "/compress", data=b"aa").json() == {
        "status": "success",
        "mimetype": "application/octet-stream",
        "result": base64.b64encode(b"\x02a").decode(),
    }


# Bodies.


def test_chunked_bodies(host: Host) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"x": '
        yield b'1, "y": 2'
        yield b"}"

    assert result_of(post(host, "/add", chunks(), "application/json")) == 3
    text = json.dumps(rpc_body("abc")).encode()
    rpc = post(host, "/reverse", iter([text[:30], text[30:]]), "application/json")
    assert pickle.loads(base64.b64decode(result_of(rpc)["payload"])) == "cba"


def test_an_empty_body(host: Host) -> None:
    """With a type it breaks its promise; without one it is a call without arguments."""
    for path in ("/add", "/answer"):
        with pytest.raises(CallFailed, match="empty") as caught:
            result_of(post(host, path, b"", "application/json"))
        assert (caught.value.status, caught.value.kind) == (400, "BadRequest")
    assert result_of(post(host, "/answer", b"", None)) == 42
    with pytest.raises(CallFailed, match="`x`") as caught:
        result_of(post(host, "/add", b"", None))
    assert (caught.value.status, caught.value.kind) == (400, "BadArguments")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"x": 1,}',
        b'{"x": NaN}',
        b"nonsense",
        b"\xff\xfe",
        b'{"x": 1} {"y": 2}',
        b"[" * 100_000,
    ],
)
def test_bad_json_is_refused_with_words(host: Host, body: bytes) -> None:
    with pytest.raises(CallFailed, match="JSON") as caught:
        result_of(post(host, "/add", body, "application/json"))
    assert (caught.value.status, caught.value.kind) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("part", "text", "words"),
    [
        ("args", "no base64!", "base64"),
        ("kwargs", "====", "base64"),
        ("args", base64.b64encode(b"no pickle").decode(), "pickle"),
        ("args", "", "pickle"),
        ("kwargs", base64.b64encode(pickle.dumps({})[:-1]).decode(), "pickle"),
        # What it would run in Python is named here, and not run.
        ("args", base64.b64encode(b"cos\nsystem\n(S'true'\ntR.").decode(), "os.system"),
    ],
)
def test_bad_base64_and_bad_pickles_are_refused_with_words(
    host: Host, part: str, text: str, words: str
) -> None:
    with pytest.raises(CallFailed, match=words) as caught:
        host.post("add", {"args": pickled((1, 2)), "kwargs": pickled({})} | {part: text})
    assert (caught.value.status, caught.value.kind) == (400, "BadRequest")
    assert part in caught.value.message


def test_a_pickle_that_unfolds_without_end_is_refused(host: Host) -> None:
    """A few hundred bytes, and more memory than there is, were it done as it says."""
    bomb: Any = [0]
    for _ in range(60):
        bomb = [bomb, bomb]
    for value in (bomb, [[0] * 100_000] * 100_000):
        with pytest.raises(CallFailed, match="more than") as caught:
            host.rpc("echo_list_s64", value)
        assert (caught.value.status, caught.value.kind) == (400, "BadRequest")


def test_text_that_is_no_utf_8_is_refused(host: Host) -> None:
    for content_type in ("text/plain", "application/json"):
        with pytest.raises(CallFailed) as caught:
            result_of(post(host, "/reverse", b'"\xff"', content_type))
        assert (caught.value.status, caught.value.kind) == (400, "BadRequest")


def test_a_body_over_the_limit(make_host: MakeHost) -> None:
    host = make_host("text", config="[server]\nmax_body = '10 KiB'\n")

    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 1024

    assert len(result_of(post(host, "/reverse", b"x" * 10_240, "text/plain"))) == 10_240
    for body in (b"x" * 10_241, b"x" * 3_000_000, chunks()):
        with pytest.raises(CallFailed, match="max_body") as caught:
            result_of(post(host, "/reverse", body, "text/plain"))
        assert (caught.value.status, caught.value.kind) == (413, "TooLarge")
        assert "10" in caught.value.message
    assert result_of(post(host, "/reverse", b"ab", "text/plain")) == "ba"


# Methods.


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_not_allowed(host: Host, method: str) -> None:
    for path in ("/add", "/"):
        with pytest.raises(CallFailed) as caught:
            result_of(host.request(method, path))
        assert (caught.value.status, caught.value.kind) == (405, "MethodNotAllowed")
        allowed = caught.value.reply.headers["Allow"].split(", ")
        assert "GET" in allowed
        assert ("POST" in allowed) == (path == "/add")


def test_the_listing_is_not_posted_to(host: Host) -> None:
    with pytest.raises(CallFailed) as caught:
        result_of(host.request("POST", "/", json={}))
    assert (caught.value.status, caught.value.kind) == (405, "MethodNotAllowed")


def test_head_of_the_listing_is_its_get_without_the_body(host: Host) -> None:
    head, get = host.request("HEAD"), host.request("GET")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Type"] == "application/json"
    assert head.headers["Content-Length"] == str(len(get.content))


def test_options_says_what_there_is_and_lets_no_other_page_in(host: Host) -> None:
    for path, methods in (("/add", {"GET", "POST", "OPTIONS"}), ("/", {"GET", "OPTIONS"})):
        reply = host.request("OPTIONS", path, headers={"Origin": "https://elsewhere.example"})
        assert reply.status_code == 204
        assert reply.content == b""
        assert methods <= set(reply.headers["Allow"].split(", "))
        assert "Access-Control-Allow-Origin" not in reply.headers


# Paths.


def test_what_is_not_there_is_not_found(host: Host) -> None:
    paths = ("/nobody", "/add/", "/statistics", "/statistics/nobody", "/-/nothing", "/Add")
    for path in paths:
        for options in ({"method": "GET"}, {"method": "POST", "json": rpc_body()}):
            with pytest.raises(CallFailed) as caught:
                result_of(host.request(path=path, **options))
            assert (caught.value.status, caught.value.kind) == (404, "NotFound")


@pytest.mark.parametrize(
    ("path", "cure"),
    [
        ("/Add", "did you mean `add`? GET / lists all"),
        ("/statistics/maen", "did you mean `statistics/mean`?"),
        ("/maen", "did you mean `statistics/mean`?"),
        ("/add/", "there is `add`, without the slash"),
        ("/zzz", "; GET / lists all"),
        (f"/{'a' * 2000}", "; GET / lists all"),
    ],
)
def test_a_name_that_is_near_is_named(host: Host, path: str, cure: str) -> None:
    with pytest.raises(CallFailed) as caught:
        result_of(host.request("GET", path))
    assert (caught.value.status, caught.value.kind) == (404, "NotFound")
    assert cure in caught.value.message


def test_percent_encoded_paths(connection: http.client.HTTPConnection) -> None:
    assert asked(connection, "GET", "/my%5Ffunction?x=1&y=2")[1]["result"] == 3
    assert asked(connection, "GET", "/%61dd?x=1&y=2")[1]["result"] == 3
    assert asked(connection, "GET", "/statistics/me%61n?values=1,3")[1]["result"] == 2.0
    status, body = asked(connection, "GET", "/%FFdd?x=1&y=2")
    assert status in (400, 404)
    assert body["status"] == "error"


def test_a_path_never_leads_out_of_the_catalog(connection: http.client.HTTPConnection) -> None:
    for path in ("/../etc/passwd", "/..%2fetc/passwd", "//add?x=1", "/add%00"):
        status, body = asked(connection, "GET", path)
        assert 400 <= status < 500
        assert body["status"] == "error"


# Names.


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.1:{port}", "localhost", "LOCALHOST:{port}",
                                  "[::1]:{port}", "192.0.2.7", socket.gethostname()])  # fmt: skip
def test_addresses_and_own_names_are_answered(host: Host, name: str) -> None:
    headers = {"Host": name.format(port=host.port)}
    assert result_of(host.request("GET", "/add?x=1&y=2", headers=headers)) == 3


@pytest.mark.parametrize("name", ["elsewhere.example", "localhost.elsewhere.example:{port}"])
def test_other_names_are_forbidden(host: Host, name: str) -> None:
    """A page can have its name point here, and then read what this host says."""
    name = name.format(port=host.port)
    for options in (
        {"method": "GET"},
        {"method": "GET", "path": "/add?x=1&y=2"},
        {"method": "POST", "path": "/add", "json": rpc_body(1, 2)},
    ):
        with pytest.raises(CallFailed) as caught:
            result_of(host.request(headers={"Host": name}, **options))
        assert (caught.value.status, caught.value.kind) == (403, "Forbidden")
        assert name.split(":")[0] in caught.value.message


def test_pages_of_other_sites_may_read_nothing_and_send_nothing(host: Host) -> None:
    """A form of another site needs nobody's permission to be sent here."""
    for origin in ("https://elsewhere.example", f"http://localhost:{host.port + 1}", "null"):
        for options in ({"data": {"x": 1, "y": 2}}, {"json": rpc_body(1, 2)}):
            headers = {"Origin": origin}
            with pytest.raises(CallFailed, match="page") as caught:
                result_of(host.request("POST", "/add", headers=headers, **options))
            assert (caught.value.status, caught.value.kind) == (403, "Forbidden")
            assert "Access-Control-Allow-Origin" not in caught.value.reply.headers
    own = {"Origin": host.address}
    assert result_of(host.request("POST", "/add", json=[1, 2], headers=own)) == 3


def test_a_name_may_be_allowed(make_host: MakeHost) -> None:
    config = "[server]\nallowed_hosts = ['lab.example']\n"
    host = make_host("math", config=config, flags=["--allow-host", "Desk.example"])
    for name in ("lab.example", "desk.example:80", "LAB.EXAMPLE"):
        headers = {"Host": name}
        assert result_of(host.request("GET", "/add?x=1&y=2", headers=headers)) == 3
    with pytest.raises(CallFailed, match=r"other\.example"):
        result_of(host.request("GET", "/add?x=1&y=2", headers={"Host": "other.example"}))


# Connections and versions.


def test_a_connection_stays_through_success_and_failure(
    connection: http.client.HTTPConnection,
) -> None:
    connection.connect()
    used = connection.sock
    paths = ("/add?x=1&y=2", "/nobody", "/add", "/panic?message=m", "/", "/add?x=1&y=2")
    for path in paths:
        asked(connection, "GET", path)
        assert connection.sock is used, f"closed after {path}"
    json_type = {"Content-Type": "application/json"}
    assert asked(connection, "POST", "/add", "{", json_type)[0] == 400
    assert asked(connection, "POST", "/add", "[1, 2]", json_type)[1]["result"] == 3
    assert connection.sock is used


def test_http_1_0_is_answered(host: Host) -> None:
    with socket.create_connection(("127.0.0.1", host.port), 30) as connection:
        connection.sendall(b"GET /add?x=1&y=2 HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b" 200 OK" in head.splitlines()[0]
    assert json.loads(body)["result"] == 3


def test_garbage_on_a_connection_hurts_nobody(host: Host) -> None:
    for garbage in (b"\x16\x03\x01\0\0nonsense\r\n\r\n", b"\0" * 1000, b"GET\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", host.port), 30) as connection:
            connection.sendall(garbage)
            # Closed by the host, with or without words.
            with contextlib.suppress(ConnectionResetError):
                while answer := connection.recv(65536):
                    assert answer.startswith(b"HTTP/1.1 400")
    assert host.rpc("add", 1, 2) == 3


def speak_http_2(client: httpx.Client, address: str) -> None:
    reply = client.get(f"{address}/add", params={"x": 1, "y": 2})
    assert reply.http_version == "HTTP/2"
    assert reply.json()["result"] == 3
    assert int(reply.headers["x-tarp-fuel"]) > 0
    rpc = client.post(f"{address}/scale", json=rpc_body([1.0] * 50_000, 2.0)).json()
    assert pickle.loads(base64.b64decode(rpc["result"]["payload"])) == [2.0] * 50_000
    missing = client.get(f"{address}/nobody")
    assert (missing.status_code, missing.json()["type"]) == (404, "NotFound")


def test_http_2_with_prior_knowledge(host: Host) -> None:
    with httpx.Client(http1=False, http2=True, timeout=30) as client:
        speak_http_2(client, host.address)
        refused = client.get(f"{host.address}/", headers={"Host": "elsewhere.example"})
        assert (refused.status_code, refused.json()["type"]) == (403, "Forbidden")


def test_http_2_over_tls(make_host: MakeHost, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    host = make_host("math", flags=["--tls-cert", made.cert, "--tls-key", made.key])
    trust = ssl.create_default_context(cafile=made.cert)
    with httpx.Client(http2=True, verify=trust, timeout=30) as client:
        speak_http_2(client, host.address)
    with httpx.Client(verify=trust, timeout=30) as client:
        assert client.get(f"{host.address}/").http_version == "HTTP/1.1"
