"""Components that answer requests themselves, through wasi:http 0.2 and 0.3."""

from __future__ import annotations

import http.client
import itertools
import threading

import pytest
import requests

from host import DEADLINE, Host, MakeHost, eventually, guest, place

APPS = ("app", "app_async")


@pytest.fixture(scope="module")
def mounted(make_module_host) -> Host:
    return make_module_host("math", *APPS, config="[limits]\nfuel = 1_000_000_000\n")


def about(host: Host, path: str, **options) -> dict[str, str]:
    reply = host.request("GET", path, **options)
    assert reply.status_code == 200, reply.text
    return dict(line.split(": ", 1) for line in reply.text.splitlines())


@pytest.mark.parametrize("app", APPS)
def test_a_component_sees_the_path_below_its_name(mounted: Host, app: str) -> None:
    told = about(mounted, f"/{app}/about?x=1&y=%20")
    assert told["target"] == "/about?x=1&y=%20"
    assert told["authority"] == mounted.address.removeprefix("http://")
    assert told["method"].lower().endswith("get")


def test_it_is_told_where_it_is_mounted(mounted: Host) -> None:
    assert about(mounted, "/app/about")["prefix"] == "/app"
    told = about(mounted, "/app/about", headers={"X-Forwarded-Prefix": "/elsewhere"})
    assert told["prefix"] == "/app", "a caller cannot say so"


@pytest.mark.parametrize("app", APPS)
def test_its_name_alone_leads_to_its_first_page(mounted: Host, app: str) -> None:
    reply = mounted.request("GET", f"/{app}", allow_redirects=False)
    assert reply.status_code == 308
    assert "Hello from" in mounted.request("GET", f"/{app}").text
    assert mounted.request("GET", f"/{app}?x=1").url.endswith(f"/{app}/?x=1")


@pytest.mark.parametrize("app", APPS)
def test_the_reply_is_the_component_s_own(mounted: Host, app: str) -> None:
    reply = mounted.request("GET", f"/{app}/nowhere")
    assert (reply.status_code, reply.text) == (404, "the app has no /nowhere\n")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert mounted.request("HEAD", f"/{app}/").content == b""


@pytest.mark.parametrize("app", APPS)
def test_bodies_of_any_size_go_both_ways(mounted: Host, app: str) -> None:
    body = bytes(range(256)) * 20_000
    assert mounted.request("POST", f"/{app}/echo", data=body).content == body
    chunks = itertools.repeat(body[:65536], 40)
    assert mounted.request("POST", f"/{app}/echo", data=chunks).content == body[:65536] * 40


@pytest.mark.parametrize("app", APPS)
def test_a_body_is_echoed_while_it_is_sent(mounted: Host, app: str) -> None:
    """Each part is sent only after the one before has come back."""
    connection = http.client.HTTPConnection(
        mounted.address.removeprefix("http://"), timeout=DEADLINE
    )
    connection.putrequest("POST", f"/{app}/echo")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()

    def send(part: bytes) -> None:
        connection.send(b"%x\r\n%s\r\n" % (len(part), part))

    send(b"first")
    reply = connection.getresponse()
    assert reply.read1(100) == b"first"
    send(b"second")
    assert reply.read1(100) == b"second"
    connection.send(b"0\r\n\r\n")
    assert reply.read() == b""


@pytest.mark.parametrize("app", APPS)
def test_a_body_comes_as_it_is_written(mounted: Host, app: str) -> None:
    with requests.get(f"{mounted.address}/{app}/count", stream=True, timeout=DEADLINE) as reply:
        lines = reply.iter_lines(chunk_size=1)
        assert next(lines) == b"1"
        # Nineteen lines are yet to be written, one each twentieth of a second.
        assert mounted.rpc("add", 1, 2) == 3
        assert [int(line) for line in lines] == list(range(2, 21))


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize(
    ("page", "kind", "status"),
    [("panic", "Trap", 500), ("loop", "OutOfFuel", 500), ("refuse", "ProcedureError", 500)],
)
def test_a_failure_is_told_as_that_of_a_call(
    mounted: Host, app: str, page: str, kind: str, status: int
) -> None:
    reply = mounted.request("GET", f"/{app}/{page}")
    assert reply.status_code == status
    assert reply.headers["Content-Type"] == "application/json"
    failure = reply.json()
    assert (failure["status"], failure["type"]) == ("error", kind)
    assert f"`{app}`" in failure["message"]
    if page == "panic":
        assert "the page of panic" in failure["message"]
    assert "Hello from" in mounted.request("GET", f"/{app}/").text


def test_no_response_is_a_failure(mounted: Host) -> None:
    reply = mounted.request("GET", "/app/silent")
    assert (reply.status_code, reply.json()["type"]) == (500, "ProcedureError")
    assert "without a response" in reply.json()["message"]


def test_a_response_that_breaks_off_is_seen_to(mounted: Host) -> None:
    with pytest.raises(requests.exceptions.RequestException):
        mounted.request("GET", "/app/break")


def test_nothing_is_granted(mounted: Host) -> None:
    assert "HttpRequestDenied" in mounted.request("GET", "/app/fetch").text


@pytest.mark.parametrize("app", APPS)
def test_the_deadline_holds_to_the_end_of_the_body(make_host: MakeHost, app: str) -> None:
    host = make_host(app, config="[limits]\ndeadline = '300 ms'\n")
    with requests.get(f"{host.address}/{app}/count", stream=True, timeout=DEADLINE) as reply:
        assert reply.status_code == 200
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            list(reply.iter_lines(chunk_size=1))


@pytest.mark.parametrize("app", APPS)
def test_whoever_goes_away_frees_the_place(make_host: MakeHost, app: str) -> None:
    host = make_host(app, "math", config="[server]\nmax_calls = 1\n")
    with requests.get(f"{host.address}/{app}/count?400", stream=True, timeout=DEADLINE) as reply:
        lines = reply.iter_lines(chunk_size=1)
        assert next(lines) == b"1"
        assert host.request("GET", "/add?x=1&y=2").status_code == 503
    eventually(lambda: host.request("GET", "/add?x=1&y=2").status_code == 200)


def test_a_body_over_the_limit_is_not_passed_on(make_host: MakeHost) -> None:
    host = make_host("app", config="[server]\nmax_body = '1 MiB'\n")
    try:
        reply = host.request("POST", "/app/echo", data=b"x" * (3 << 20))
    except requests.exceptions.RequestException:
        return
    assert len(reply.content) <= 1 << 20


def test_a_hundred_at_once(mounted: Host) -> None:
    texts: list[str] = []

    def ask(n: int) -> None:
        texts.append(mounted.request("POST", f"/{APPS[n % 2]}/echo", data=str(n)).text)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts, key=int) == [str(n) for n in range(100)]


def test_mounts_are_in_the_catalog(mounted: Host) -> None:
    catalog = mounted.request("GET", "/-/procedures").json()
    mounts = {mount["name"]: mount for mount in catalog["mounts"]}
    assert {name: mount["interface"] for name, mount in mounts.items()} == {
        "app": "0.2",
        "app_async": "0.3",
    }
    assert mounts["app"]["file"] == "app.wasm"
    assert not any(procedure["file"].startswith("app") for procedure in catalog["procedures"])


def test_a_mount_comes_and_goes_with_its_file(make_host: MakeHost) -> None:
    host = make_host("math")
    assert host.request("GET", "/lab/My page/").status_code == 404
    (host.folder / "lab").mkdir()
    file = host.folder / "lab" / "My page.wasm"
    place(guest("app"), file)
    eventually(lambda: host.request("GET", "/lab/My page/").status_code == 200)
    assert about(host, "/lab/My page/about")["target"] == "/about"
    assert "Hello from" in host.request("GET", "/lab/My page").text
    file.unlink()
    eventually(lambda: host.request("GET", "/lab/My page/").status_code == 404)


def test_a_procedure_of_the_same_name_goes_first(make_host: MakeHost) -> None:
    host = make_host("math")
    place(guest("app"), host.folder / "add.wasm")
    eventually(lambda: host.request("GET", "/add/").status_code == 200)
    assert host.request("GET", "/add?x=1&y=2").json()["result"] == 3
    assert "Hello from" in host.request("GET", "/add/").text
