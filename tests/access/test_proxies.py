"""The host behind nginx as `docs/operations.md` has it, and what others say in its headers."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from requests.adapters import HTTPAdapter

from browser import Browser
from certificate import Certificate, make_certificate
from console import Console, field
from host import Host, MakeHost, bare, eventually, result_of
from nginx import documented, free_port, nginx
from tokens import bearer, create

ASYNC = {"Prefer": "respond-async"}


class Behind(NamedTuple):
    """A host that is reached through nginx at this address too."""

    host: Host
    address: str
    token: str
    certificate: Certificate | None

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        verify = str(self.certificate.cert) if self.certificate else True
        headers = bearer(self.token) | options.pop("headers", {})
        url = f"{self.address}{path}"
        return requests.request(
            method,
            url,
            headers=headers,
            verify=verify,
            timeout=30,
            allow_redirects=False,
            **options,
        )


def config(*lines: str) -> str:
    return "\n".join(["[server]", "trusted_proxies = ['127.0.0.1']", *lines])


@pytest.fixture(scope="module", params=["http", "https"])
def behind(
    request: pytest.FixtureRequest,
    make_module_host: MakeHost,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("nginx")
    certificate = make_certificate(folder) if request.param == "https" else None
    host = make_module_host("math", "jobs", "app", config=config(), start=False)
    token = create(host.data, "alice", "call:*", "jobs", "metrics")
    host.start()
    port = free_port()
    with nginx(folder, port, documented(host.address, port, certificate)):
        yield Behind(host, f"{request.param}://localhost:{port}/tarp", token, certificate)


def test_calls_come_through(behind: Behind) -> None:
    assert result_of(behind.request("GET", "/add?x=20&y=22")) == 42
    assert result_of(behind.request("POST", "/add", json={"x": 1, "y": 2})) == 3


def test_addresses_are_those_that_the_caller_can_use(behind: Behind) -> None:
    reply = behind.request("POST", "/add", json={"x": 1, "y": 2}, headers=ASYNC)
    location = reply.headers["Location"]
    assert location == f"/tarp/-/jobs/{reply.json()['id']}"
    assert bare(behind.request("GET", location.removeprefix("/tarp")))["procedure"] == "add"
    catalog = bare(behind.request("GET", "/-/procedures"))
    wheel = catalog["client"]["wheel"]
    assert catalog["client"]["install"] == f"pip install {behind.address}{wheel[len('/tarp') :]}"
    assert behind.request("GET", wheel.removeprefix("/tarp")).ok
    document = bare(behind.request("GET", "/-/openapi.json"))
    assert document["servers"] == [{"url": "/tarp/"}]
    # A mounted component knows where it is, too.
    told = dict(
        line.split(": ", 1) for line in behind.request("GET", "/app/about").text.splitlines()
    )
    scheme, authority = behind.address.removesuffix("/tarp").split("://")
    assert (told["prefix"], told["authority"]) == ("/tarp/app", authority)
    assert scheme.upper() in told["scheme"].upper().split("(")[-1]
    # Who comes without the proxy has other addresses.
    direct = behind.host.request(
        "POST", "/add", json={"x": 1, "y": 2}, headers=ASYNC | bearer(behind.token)
    )
    assert direct.headers["Location"].startswith("/-/jobs/")


def test_the_cookie_is_for_the_path_and_as_secure_as_the_way(behind: Behind) -> None:
    cookie = behind.request("POST", "/-/session").headers["Set-Cookie"]
    is_secure = behind.certificate is not None
    assert "; Path=/tarp/;" in cookie
    assert cookie.startswith("__Secure-tarp-token-") == is_secure
    assert ("; Secure" in cookie) == is_secure


# The browser does not know who vouches for the certificate.
@pytest.mark.parametrize("behind", ["http"], indirect=True)
def test_the_console_works_below_a_path(browser: Browser, behind: Behind) -> None:
    at = Host(behind.host.folder, cache=behind.host.cache, log_file=behind.host.log_file)
    at.address = behind.address
    console = Console(browser, at)
    browser.resize(1280)
    console.open()
    browser.fill("#token", behind.token)
    browser.click("button.primary")
    eventually(console.names)
    console.says("Live", ".link")
    mounted = "return document.querySelector('.contents a[target]').pathname"
    assert browser.run(mounted) == "/tarp/app/"
    console.open_procedure("add")
    for name, text in (("x", "20"), ("y", "22")):
        browser.type(field(name), text)
    console.call()
    assert "42" in console.shown()
    console.open("jobs")
    browser.find("main table, main .empty, main ol, main ul")
    browser.open(f"{behind.address}/-/docs")
    eventually(lambda: "math.wasm" in browser.text("#docs"))
    assert not console.complaints()
    browser.command("DELETE", "cookie")


def test_the_console_works_below_a_path_that_the_host_does_not_know(
    browser: Browser, make_host: MakeHost, tmp_path: Path
) -> None:
    host = make_host("math", "jobs", config="[server]\nallowed_hosts = ['localhost']\n")
    port = free_port()
    server = f"""
        server {{
            listen 127.0.0.1:{port};
            location /user/x/proxy/8080/ {{
                proxy_pass {host.address}/;
                proxy_set_header Host $http_host;
                proxy_buffering off;
            }}
        }}
    """
    with nginx(tmp_path, port, server):
        at = Host(host.folder, cache=host.cache, log_file=host.log_file)
        at.address = f"http://localhost:{port}/user/x/proxy/8080"
        console = Console(browser, at)
        browser.resize(1280)
        console.open_procedure("add")
        for name, text in (("x", "20"), ("y", "22")):
            browser.type(field(name), text)
        console.call()
        assert "42" in console.shown()
        console.says("Live", ".link")
        browser.open(f"{at.address}/-/docs")
        eventually(lambda: "math.wasm" in browser.text("#docs"))
        assert not console.complaints()


class From(HTTPAdapter):
    """Sends requests from an address of this machine."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> Any:
        return super().init_poolmanager(*args, source_address=(self.address, 0), **options)


def session(address: str) -> requests.Session:
    session = requests.Session()
    session.mount("http://", From(address))
    return session


def test_each_caller_behind_a_proxy_has_its_own_share(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host("misbehave", "math", config=config("max_calls_per_peer = 1"))
    port = free_port()
    with nginx(tmp_path, port, documented(host.address, port, None)):
        address = f"http://127.0.0.1:{port}/tarp"
        held = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.3", 0))
        held.sendall(b"GET /tarp/spin HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def is_full() -> bool:
            return session("127.0.0.3").get(f"{address}/add?x=1&y=2", timeout=30).status_code == 503

        eventually(is_full)
        reply = session("127.0.0.4").get(f"{address}/add?x=1&y=2", timeout=30)
        assert result_of(reply) == 3
        held.close()


HEADERS = {
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "localhost",
    "X-Forwarded-Prefix": "/elsewhere",
}


@pytest.mark.attack(
    "headers of a proxy, made up by somebody who is none", "ignored, but from `trusted_proxies`"
)
def test_what_others_say_in_a_proxys_headers_is_ignored(make_host: MakeHost) -> None:
    host = make_host("math", "jobs", config="[server]\ntrusted_proxies = ['127.0.0.2']\n")
    reply = host.request("POST", "/add", json={"x": 1, "y": 2}, headers=ASYNC | HEADERS)
    assert reply.headers["Location"].startswith("/-/jobs/")
    hidden = host.request("GET", "/add?x=1&y=2", headers={"X-Forwarded-Host": "evil.example"})
    assert result_of(hidden) == 3
    trusted = session("127.0.0.2")
    address = f"{host.address}/add"
    reply = trusted.post(address, json={"x": 1, "y": 2}, headers=ASYNC | HEADERS, timeout=30)
    assert reply.headers["Location"].startswith("/elsewhere/-/jobs/")


@pytest.mark.attack(
    "a name that an attacker made point here, passed on by a proxy", "403, as without the proxy"
)
def test_a_proxy_passes_on_no_foreign_name(make_host: MakeHost) -> None:
    host = make_host("math", config=config())
    for headers in (
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "for=192.0.2.1;host=evil.example"},
    ):
        reply = host.request("GET", "/add?x=1&y=2", headers=headers)
        assert reply.status_code == 403, headers
        assert "evil.example" in reply.json()["message"]


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"Forwarded": "for=192.0.2.1", "X-Forwarded-For": "192.0.2.1"}, "both"),
        ({"X-Forwarded-Prefix": "//evil.example"}, "//evil.example"),
        ({"X-Forwarded-Proto": "gopher"}, "gopher"),
        ({"Forwarded": "for="}, "forwarded"),
    ],
)
def test_what_a_proxy_cannot_mean_is_refused(
    make_host: MakeHost, headers: dict[str, str], named: str
) -> None:
    host = make_host("math", config=config())
    reply = host.request("GET", "/add?x=1&y=2", headers=headers)
    assert reply.status_code == 400
    assert named in reply.json()["message"]


def test_an_origin_whose_port_the_proxy_dropped_is_cured_by_a_setting(
    make_host: MakeHost, tmp_path: Path
) -> None:
    port = free_port()
    origin = f"http://localhost:{port}"
    for lines, expected in (([], 403), ([f"public_origins = ['{origin}']"], 200)):
        host = make_host("math", config="\n".join(["[server]", *lines]))
        server = f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass {host.address};
                    proxy_set_header Host $host;
                }}
            }}
        """
        folder = tmp_path / str(expected)
        folder.mkdir()
        with nginx(folder, port, server):
            body = {"x": 1, "y": 2}
            reply = requests.post(
                f"{origin}/add", json=body, headers={"Origin": origin}, timeout=30
            )
        assert reply.status_code == expected
        if expected == 403:
            assert re.search(r"`public_origins`", reply.json()["message"])


@pytest.mark.parametrize("origin", ["http://localhost", "http://LOCALHOST:80"])
def test_the_usual_port_is_the_same_named_or_not(make_host: MakeHost, origin: str) -> None:
    host = make_host("math", config=config())
    for name in ("localhost", "localhost:80"):
        headers = {"Origin": origin, "X-Forwarded-Host": name}
        reply = host.request("POST", "/add", json={"x": 1, "y": 2}, headers=headers)
        assert result_of(reply) == 3
