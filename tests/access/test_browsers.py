"""Requests as browsers send them: of other sites, of listed origins, with the cookie, to mounts."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from certificate import make_certificate
from host import DEADLINE, Host, MakeHost, bare, eventually, result_of, run_binary
from tokens import bearer, create, knows, status, tarp_token

ADD = "/add?x=1&y=2"
LISTED = "https://lab.example"
FOREIGN = "https://elsewhere.example"

#: What a browser sends with a request that a page of another site has it make.
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def open_host(make_module_host: MakeHost) -> Host:
    config = f"[server]\nallowed_origins = ['{LISTED}:443']\ntrusted_mounts = ['app_async']\n"
    return make_module_host("math", "plot", "app", "app_async", "jobs", config=config)


def calls(host: Host) -> int:
    """How many calls there were, of whatever kind."""
    text = host.request("GET", "/-/metrics").text
    counted = re.findall(r"^tarp_calls_total\{.*\} (\d+)", text, re.M)
    assert counted, text
    return sum(map(int, counted))


# Other sites.


@pytest.mark.attack(
    "a picture, a link, a form or a script of another site that calls a procedure",
    "403 before anything runs",
)
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        # A picture, a link, a frame, a script's `fetch`, a form.
        ("GET", CROSS_SITE | {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
        ("GET", CROSS_SITE | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
        ("GET", CROSS_SITE | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
        ("GET", CROSS_SITE | {"Sec-Fetch-Mode": "cors", "Origin": FOREIGN}),
        ("HEAD", CROSS_SITE),
        ("POST", CROSS_SITE | {"Origin": FOREIGN}),
        ("POST", CROSS_SITE | {"Origin": "null"}),
        # Another port of this machine is another origin.
        ("GET", {"Sec-Fetch-Site": "same-site"}),
        ("GET", {"Sec-Fetch-Site": "something new"}),
        # A browser that does not say it, or was not asked to.
        ("GET", {"Origin": FOREIGN}),
        ("POST", {"Origin": "null"}),
        # A listed origin over plain HTTP is another.
        ("GET", CROSS_SITE | {"Origin": "http://lab.example"}),
        ("GET", CROSS_SITE | {"Origin": f"{LISTED}.elsewhere.example"}),
        ("GET", CROSS_SITE | {"Referer": f"{FOREIGN}/{LISTED}"}),
    ],
)
@pytest.mark.parametrize("path", [ADD, "/get_plot?frequency=2&amplitude=0.5", "/nothing"])
def test_pages_of_other_sites_run_nothing(
    open_host: Host, path: str, method: str, headers: dict[str, str]
) -> None:
    before = calls(open_host)
    body = {"json": [1, 2]} if method == "POST" else {}
    reply = open_host.request(method, path, headers=headers, **body)
    assert reply.status_code == (404 if path == "/nothing" else 403), reply.text
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert calls(open_host) == before
    if method != "HEAD" and reply.status_code == 403:
        assert reply.json()["type"] == "Forbidden"
        assert "allowed_origins" in reply.json()["message"]


def test_a_job_is_not_submitted_either(open_host: Host) -> None:
    before = bare(open_host.request("GET", "/-/jobs/counts"))
    headers = CROSS_SITE | {"Prefer": "respond-async"}
    assert open_host.request("GET", ADD, headers=headers).status_code == 403
    assert bare(open_host.request("GET", "/-/jobs/counts")) == before
    wanted = {"Prefer": "respond-async"}
    handle = bare(open_host.request("POST", "/add", json=[1, 2], headers=wanted))
    path = f"/-/jobs/{handle['id']}"
    reply = open_host.request("DELETE", path, headers=CROSS_SITE | {"Origin": FOREIGN})
    assert reply.status_code == 403
    assert open_host.request("GET", path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, SAME_ORIGIN, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}],
    ids=["no-browser", "same-origin", "typed"],
)
def test_own_pages_typed_addresses_and_other_clients_call(
    open_host: Host, headers: dict[str, str]
) -> None:
    assert result_of(open_host.request("GET", ADD, headers=headers)) == 3
    assert result_of(open_host.request("POST", "/add", json=[1, 2], headers=headers)) == 3
    own = headers | {"Origin": open_host.address}
    assert result_of(open_host.request("POST", "/add", json=[1, 2], headers=own)) == 3


@pytest.mark.parametrize("path", ["/", "/-/docs", "/-/console/main.js", "/-/health"])
def test_links_of_other_sites_lead_to_the_host_s_own_pages(open_host: Host, path: str) -> None:
    headers = CROSS_SITE | {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
    assert open_host.request("GET", path, headers=headers).status_code == 200


# Listed origins.


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", ADD, {"Origin": LISTED}),
        ("GET", ADD, CROSS_SITE | {"Origin": LISTED}),
        ("POST", "/add", CROSS_SITE | {"Origin": LISTED}),
        ("POST", "/app/echo", CROSS_SITE | {"Origin": LISTED}),
        ("GET", "/-/procedures", CROSS_SITE | {"Origin": LISTED}),
        ("GET", "/nothing", CROSS_SITE | {"Origin": LISTED}),
    ],
)
def test_pages_of_listed_origins_call_and_read(
    open_host: Host, method: str, path: str, headers: dict[str, str]
) -> None:
    body = {"json": [1, 2]} if method == "POST" else {}
    reply = open_host.request(method, path, headers=headers, **body)
    assert reply.status_code == (404 if path == "/nothing" else 200), reply.text
    assert reply.headers["Access-Control-Allow-Origin"] == LISTED
    assert reply.headers["Access-Control-Expose-Headers"] == "*"
    assert "origin" in reply.headers["Vary"].lower()
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_a_link_of_a_listed_origin_may_call(open_host: Host) -> None:
    headers = CROSS_SITE | {"Sec-Fetch-Mode": "navigate", "Referer": f"{LISTED}/page?of=it"}
    reply = open_host.request("GET", ADD, headers=headers)
    assert result_of(reply) == 3
    assert "Access-Control-Allow-Origin" not in reply.headers


def preflight(host: Host, path: str, origin: str, **more: str) -> requests.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,prefer",
    }
    return host.request("OPTIONS", path, headers=CROSS_SITE | asked | more)


@pytest.mark.parametrize("path", ["/add", "/app/echo", "/-/jobs", "/nothing"])
def test_listed_origins_alone_are_told_what_they_may_send(open_host: Host, path: str) -> None:
    before = calls(open_host)
    reply = preflight(open_host, path, LISTED)
    assert (reply.status_code, reply.content) == (204, b"")
    headers = reply.headers
    assert headers["Access-Control-Allow-Origin"] == LISTED
    assert {"POST", "DELETE"} <= set(headers["Access-Control-Allow-Methods"].split(", "))
    assert headers["Access-Control-Allow-Headers"] == "authorization,content-type,prefer"
    assert int(headers["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Access-Control-Allow-Private-Network" not in headers
    asks = {"Access-Control-Request-Private-Network": "true"}
    private = preflight(open_host, path, LISTED, **asks)
    assert private.headers["Access-Control-Allow-Private-Network"] == "true"
    for origin in (FOREIGN, "null", f"{LISTED}:444", "http://lab.example"):
        reply = preflight(open_host, path, origin)
        told = [name for name in reply.headers if name.lower().startswith("access-control")]
        assert told == [], origin
        assert "origin" in reply.headers["Vary"].lower()
    assert calls(open_host) == before + (4 if path == "/app/echo" else 0)


def test_a_preflight_needs_no_token_and_what_follows_does(make_host: MakeHost) -> None:
    host = make_host("math", config=f"[server]\nallowed_origins = ['{LISTED}']\n")
    token = create(host.data, "alice", "call:add")
    knows(host, token)
    assert preflight(host, "/add", LISTED).status_code == 204
    headers = CROSS_SITE | {"Origin": LISTED}
    refused = host.request("GET", ADD, headers=headers)
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == LISTED, "the page may read why"
    assert result_of(host.request("GET", ADD, headers=headers | bearer(token))) == 3


def test_without_a_list_no_reply_speaks_of_origins(make_host: MakeHost) -> None:
    host = make_host("math")
    reply = host.request("GET", ADD, headers={"Origin": host.address})
    assert reply.headers["Vary"] == "accept"
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("origin", ["*", "null", "lab.example", f"{LISTED}/", "ftp://lab.example"])
def test_what_is_no_origin_is_refused_with_what_is_one(tmp_path: Path, origin: str) -> None:
    config = tmp_path / "tarp.toml"
    config.write_text(f"[server]\nallowed_origins = ['{origin}']\n")
    ended = run_binary("serve", tmp_path, "--config", config, "--port", "0")
    assert ended.returncode == 1
    assert "line 2" in ended.stderr
    assert "https://lab.example" in ended.stderr


# The cookie of who has logged in.


class Closed:
    """A host that asks for tokens, and somebody who is logged in there."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.token = create(host.data, "alice", "call:*", "jobs")
        host.start()
        reply = host.request("POST", "/-/session", headers=SAME_ORIGIN | bearer(self.token))
        assert reply.status_code == 200, reply.text
        self.set_cookie = reply.headers["Set-Cookie"]
        self.cookie = {"Cookie": self.set_cookie.split(";")[0]}
        # What a browser sends by itself, the tests send.
        host.session.cookies.clear()

    def ask(self, method: str, path: str, headers: dict[str, str], **options: Any) -> Any:
        return self.host.request(method, path, headers=self.cookie | headers, **options)


@pytest.fixture(scope="module")
def closed(make_module_host: MakeHost) -> Closed:
    config = f"[server]\nallowed_origins = ['{LISTED}']\ntrusted_mounts = ['app_async']\n"
    trace = {"TARP_LOG": "trace"}
    guests = ("math", "app", "app_async", "jobs")
    return Closed(make_module_host(*guests, config=config, environment=trace, start=False))


def test_who_logs_in_gets_a_cookie_that_no_script_and_no_other_site_has(closed: Closed) -> None:
    name, _, rest = closed.set_cookie.partition("=")
    assert name == f"tarp-token-{closed.host.port}"
    assert rest.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict"]
    told = bare(closed.ask("GET", "/-/session", SAME_ORIGIN))
    assert told == {
        "name": "alice",
        "rights": ["call:*", "jobs"],
        "expires": None,
        "cookie": True,
    }
    by_header = bare(closed.host.request("GET", "/-/session", headers=bearer(closed.token)))
    assert by_header == told | {"cookie": False}


def test_the_cookie_counts_for_pages_of_this_host_alone(closed: Closed) -> None:
    own = {"Origin": closed.host.address}
    for headers in (SAME_ORIGIN, own, SAME_ORIGIN | own):
        assert result_of(closed.ask("GET", ADD, headers)) == 3
        assert result_of(closed.ask("POST", "/add", headers, json=[1, 2])) == 3
    for headers in (
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-site"},
        CROSS_SITE,
        CROSS_SITE | {"Origin": LISTED},
        {"Origin": FOREIGN},
        {"Origin": f"http://127.0.0.1:{closed.host.port + 1}"},
        SAME_ORIGIN | {"Authorization": "Bearer wrong"},
    ):
        for method in ("GET", "POST"):
            reply = closed.ask(method, ADD, headers)
            assert reply.status_code == 401, (method, headers)
    two = {"Cookie": f"{closed.cookie['Cookie']}; {closed.cookie['Cookie']}x"}
    assert closed.ask("GET", ADD, SAME_ORIGIN | two).status_code == 401


def test_a_script_is_not_answered_with_the_browser_s_own_question(closed: Closed) -> None:
    for mode, asks in (("cors", False), ("no-cors", False), ("navigate", True), (None, True)):
        headers = SAME_ORIGIN | ({"Sec-Fetch-Mode": mode} if mode else {})
        reply = closed.host.request("GET", "/-/procedures", headers=headers)
        assert reply.status_code == 401
        assert ("Basic" in reply.headers["WWW-Authenticate"]) == asks, mode


def test_the_page_to_log_in_is_for_everybody_and_tells_nothing(closed: Closed) -> None:
    page = closed.host.request("GET", "/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "add" not in re.findall(r"\w+", page.text)
    for path in ("/-/docs", "/-/console/main.js", "/-/console/pages/log-in.js"):
        assert status(closed.host, None, path) == 200, path
    for path in ("/", "/-/procedures", "/-/openapi.json", "/-/session", "/-/client/"):
        assert status(closed.host, None, path) == 401, path


def test_a_wrong_token_is_not_kept(closed: Closed) -> None:
    for headers in ({}, bearer(closed.token + "x"), bearer(closed.token) | {"Origin": FOREIGN}):
        reply = closed.host.request("POST", "/-/session", headers=headers)
        assert reply.status_code == (403 if "Origin" in headers else 401)
        assert "Set-Cookie" not in reply.headers


def test_who_logs_out_is_told_to_forget(closed: Closed) -> None:
    reply = closed.ask("DELETE", "/-/session", SAME_ORIGIN)
    assert reply.status_code == 200
    assert reply.headers["Set-Cookie"].startswith(f"tarp-token-{closed.host.port}=; ")
    assert reply.headers["Set-Cookie"].endswith("; Max-Age=0")
    closed.host.session.cookies.clear()


def test_a_host_that_asks_for_no_tokens_keeps_none(open_host: Host) -> None:
    reply = open_host.request("POST", "/-/session", headers=bearer("tarp_whatever"))
    nobody = {"name": None, "rights": None, "expires": None, "cookie": False}
    assert bare(reply) == nobody
    assert "Set-Cookie" not in reply.headers


def test_the_cookie_ends_with_its_token(make_host: MakeHost) -> None:
    host = make_host("math")
    token = create(host.data, "short", "call:*", expires="1h")
    knows(host, token)
    reply = host.request("POST", "/-/session", headers=bearer(token))
    age = int(re.search(r"Max-Age=(\d+)", reply.headers["Set-Cookie"])[1])  # type: ignore[index]
    assert 3500 < age <= 3600
    cookie = {"Cookie": reply.headers["Set-Cookie"].split(";")[0]} | SAME_ORIGIN
    assert host.request("GET", ADD, headers=cookie).status_code == 200
    tarp_token(host.data, "revoke", "short")
    eventually(lambda: host.request("GET", ADD, headers=cookie).status_code == 401)


def test_over_https_the_cookie_is_for_https_alone(make_host: MakeHost, tmp_path: Path) -> None:
    pair = make_certificate(tmp_path)
    flags = ["--tls-cert", pair.cert, "--tls-key", pair.key]
    host = make_host("math", flags=flags, start=False)
    token = create(host.data, "alice", "call:*")
    host.verify = str(pair.cert)
    host.start()
    reply = host.request("POST", "/-/session", headers=bearer(token))
    name, _, rest = reply.headers["Set-Cookie"].partition("=")
    assert name == f"__Host-tarp-token-{host.port}"
    assert rest.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"]
    cookie = {"Cookie": f"{name}={token}"} | SAME_ORIGIN
    assert result_of(host.request("GET", ADD, headers=cookie)) == 3


def test_no_log_has_the_cookie(closed: Closed) -> None:
    secret = closed.token[22:]
    assert result_of(closed.ask("GET", ADD, SAME_ORIGIN)) == 3
    url = f"{closed.host.address}{ADD}"
    headers = [f"{name}: {value}" for name, value in (closed.cookie | SAME_ORIGIN).items()]
    command = ["curl", "--silent", "--http2-prior-knowledge", url]
    command += [word for header in headers for word in ("--header", header)]
    ran = subprocess.run(command, capture_output=True, timeout=DEADLINE, check=True)
    assert json.loads(ran.stdout)["result"] == 3
    session = f"{closed.host.address}/-/session"
    command = ["curl", "--silent", "--http2-prior-knowledge", "--request", "POST", session]
    command += ["--oauth2-bearer", closed.token]
    ran = subprocess.run(command, capture_output=True, timeout=DEADLINE, check=True)
    assert json.loads(ran.stdout)["name"] == "alice"
    assert "TRACE" in closed.host.log
    assert secret not in closed.host.log


# Mounted components.


@pytest.mark.attack(
    "a mounted component, for somebody who is logged in to the console",
    "the cookie does not count there, and the component does not see it",
)
def test_being_logged_in_does_not_count_for_mounted_components(closed: Closed) -> None:
    for app in ("app", "app_async"):
        reply = closed.ask("GET", f"/{app}/about", SAME_ORIGIN)
        assert reply.status_code == 401
        assert "Basic" in reply.headers["WWW-Authenticate"]
        headers = SAME_ORIGIN | bearer(closed.token)
        headers["Cookie"] = f"own=1; {closed.cookie['Cookie']}"
        reply = closed.host.request("GET", f"/{app}/about", headers=headers)
        assert reply.status_code == 200, reply.text
        assert closed.token not in reply.text
        if app == "app":
            told = dict(line.split(": ", 1) for line in reply.text.splitlines())
            assert "cookie" in told["headers"].split(), "its own cookie comes through"
            assert "authorization" not in told["headers"].split()
            headers["Cookie"] = closed.cookie["Cookie"]
            reply = closed.host.request("GET", f"/{app}/about", headers=headers)
            assert "cookie" not in reply.text.split()


def test_pages_of_mounted_components_have_no_rights(open_host: Host) -> None:
    policy = open_host.request("GET", "/app/").headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy
    trusted = open_host.request("GET", "/app_async/")
    assert "Content-Security-Policy" not in trusted.headers


def test_a_page_without_rights_reads_its_own_component_and_sends_nothing(open_host: Host) -> None:
    """It comes as a page of another site, of an origin `null`."""
    page = CROSS_SITE | {"Origin": "null"}
    assert open_host.request("GET", "/app/about", headers=CROSS_SITE).status_code == 200
    assert open_host.request("GET", "/app/about", headers=page).status_code == 200
    reply = open_host.request("POST", "/app/echo", data=b"x", headers=page)
    assert reply.status_code == 403
    assert "trusted_mounts" in reply.json()["message"]
    foreign = CROSS_SITE | {"Origin": FOREIGN}
    assert open_host.request("POST", "/app/echo", data=b"x", headers=foreign).status_code == 403
    # A trusted one is as the host's own pages are.
    assert open_host.request("GET", "/app_async/about", headers=CROSS_SITE).status_code == 403
    own = SAME_ORIGIN | {"Origin": open_host.address}
    reply = open_host.request("POST", "/app_async/echo", data=b"x", headers=own)
    assert reply.content == b"x"
