"""Who uses the console: logging in and out, what pages of others can do meanwhile."""

from __future__ import annotations

import re
from typing import Any

import pytest

from browser import Browser
from console import Console, field
from host import Host, MakeHost, eventually
from stand_in import StandIn, raw
from tokens import bearer, create, knows, tarp_token

GUESTS = ("math", "jobs", "app", "app_async")

#: Whether a page may read a reply; what it sends is sent all the same.
READS = """
    const [address, options, done] = arguments;
    fetch(address, options).then((reply) => done(reply.type), () => done("refused"));
"""

#: Has the page load a picture.
LOADS = """
    const [address, done] = arguments;
    const picture = new Image();
    picture.onload = picture.onerror = () => done(true);
    picture.src = address;
"""


class Person:
    """Somebody at a browser, and the host that knows their token."""

    def __init__(self, browser: Browser, host: Host, token: str) -> None:
        self.browser = browser
        self.host = host
        self.token = token
        self.console = Console(browser, host)

    def log_in(self, token: str | None = None) -> None:
        self.browser.fill("#token", token or self.token)
        self.browser.click("button.primary")

    def logged_in(self) -> None:
        """Opens the console as somebody who is logged in."""
        self.console.open()
        self.console.until("document.querySelector('#token, .contents')")
        if self.browser.run("return document.querySelector('#token') !== null"):
            self.log_in()
        eventually(self.console.names)

    def calls(self, name: str) -> int:
        """How often a procedure was called."""
        reply = self.host.request("GET", "/-/overview", headers=bearer(self.token))
        return reply.json()["procedures"].get(name, {"calls": 0})["calls"]

    def refusals(self) -> int:
        """How many requests were refused, for whatever reason."""
        text = self.host.request("GET", "/-/metrics", headers=bearer(self.token)).text
        return sum(map(int, re.findall(r"^tarp_refusals_total\{.*\} (\d+)", text, re.M)))


@pytest.fixture(scope="module")
def closed(make_module_host: MakeHost) -> tuple[Host, str]:
    config = "[server]\ntrusted_mounts = ['app_async']\n"
    host = make_module_host(*GUESTS, config=config, start=False)
    token = create(host.data, "alice", "call:*", "jobs", "metrics")
    return host.start(), token


@pytest.fixture
def person(browser: Browser, closed: tuple[Host, str]) -> Any:
    browser.resize(1280)
    yield Person(browser, *closed)
    browser.open(f"{closed[0].address}/")
    browser.command("DELETE", "cookie")


def test_a_host_that_asks_for_tokens_asks_for_one(person: Person) -> None:
    person.console.open()
    assert person.browser.text("main h1") == "Log in"
    person.console.says("Logged out", ".link")
    person.log_in("tarp_nonsense")
    person.console.says("does not know this token", "[role=alert]")
    person.browser.find("#token[aria-invalid=true]")
    person.log_in()
    eventually(person.console.names)
    assert "add" in person.console.names()
    person.console.says("Live", ".link")
    assert person.token not in person.browser.run("return document.documentElement.outerHTML")


def test_who_is_logged_in_calls_and_stays_logged_in(person: Person) -> None:
    person.logged_in()
    person.console.open_procedure("add")
    for name, text in (("x", "20"), ("y", "22")):
        person.browser.type(field(name), text)
    person.console.call()
    assert "42" in person.console.shown()
    person.console.open("jobs")
    assert person.browser.text("main h1") == "Jobs"
    # What a page could read could be stolen there.
    secret = person.token[22:]
    for store in ("document.cookie", "JSON.stringify([localStorage, sessionStorage])"):
        assert secret not in person.browser.run(f"return {store}")
    person.browser.open(f"{person.host.address}/-/docs")
    eventually(lambda: "math.wasm" in person.browser.text("#docs"))


def test_who_logs_out_is_logged_out_in_every_tab(person: Person) -> None:
    person.logged_in()
    person.console.press("Log out", "header")
    eventually(lambda: person.browser.text("main h1") == "Log in")
    person.console.open("procedures", "add")
    assert person.browser.text("main h1") == "Log in"
    person.browser.open(f"{person.host.address}/-/docs")
    eventually(lambda: person.browser.text("main h1") == "Log in")


def test_a_token_that_is_revoked_logs_out(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("math")
    token = create(host.data, "short", "call:*")
    knows(host, token)
    person = Person(browser, host, token)
    person.logged_in()
    tarp_token(host.data, "revoke", "short")
    eventually(lambda: person.browser.text("main h1") == "Log in")


@pytest.mark.parametrize("width", [320, 1280])
def test_logging_in_and_out_fits_every_screen(person: Person, width: int) -> None:
    person.browser.resize(width)
    script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    person.console.open()
    assert person.browser.run(script) == 0
    person.logged_in()
    assert person.browser.run(script) == 0


def test_a_host_without_tokens_asks_for_none(browser: Browser, make_host: MakeHost) -> None:
    console = Console(browser, make_host("math"))
    console.open()
    eventually(console.names)
    assert browser.run("return document.querySelector('[aria-label=\"Log out\"]')") is None


# Pages of others.


def addresses(host: Host) -> tuple[str, str]:
    """The host as another site's page names it: by another name, and by the same one."""
    return f"http://localhost:{host.port}", host.address


@pytest.mark.attack(
    "a page of another site, or of another port of this machine, in the browser of somebody who is "
    "logged in",
    "its pictures, forms and scripts run nothing and read nothing",
)
def test_a_page_of_another_site_cannot_act_for_a_person(person: Person, stand_in: StandIn) -> None:
    person.logged_in()
    before = person.calls("add")
    stand_in.answers["/"] = raw(b"<!doctype html><title>other</title><p>another site", "text/html")
    browser = person.browser
    for address in addresses(person.host):
        browser.open(stand_in.address)
        call = f"{address}/add?x=1&y=2"
        assert browser.run_until_done(LOADS, call) is True
        for options in (
            {},
            {"credentials": "include"},
            {"mode": "no-cors", "credentials": "include"},
            {"method": "POST", "mode": "no-cors", "credentials": "include", "body": "[1, 2]"},
            {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": "[1, 2]"},
        ):
            read = browser.run_until_done(READS, call, options)
            assert read == ("opaque" if options.get("mode") else "refused"), options
        for method in ("get", "post"):
            refused = person.refusals()
            browser.open(stand_in.address)
            browser.run(
                """
                const form = document.createElement("form");
                [form.method, form.action] = arguments;
                for (const name of ["x", "y"]) {
                    form.append(Object.assign(document.createElement("input"), {name, value: 1}));
                }
                document.body.append(form);
                form.submit();
                """,
                method,
                f"{address}/add",
            )
            # A browser shows no page for what its reader could be asked a password for.
            eventually(lambda refused=refused: person.refusals() > refused)
    assert person.calls("add") == before
    # Its links lead to the console all the same, and there the person is logged in.
    browser.open(stand_in.address)
    browser.run("location = arguments[0]", f"{person.host.address}/#/procedures/add")
    eventually(person.console.names)


def test_a_page_of_a_listed_origin_calls_with_a_token_of_its_own(
    browser: Browser, make_host: MakeHost, stand_in: StandIn
) -> None:
    host = make_host("math", config=f"[server]\nallowed_origins = ['{stand_in.address}']\n")
    token = create(host.data, "alice", "call:*")
    knows(host, token)
    stand_in.answers["/"] = raw(b"<!doctype html><title>other</title>", "text/html")
    browser.open(stand_in.address)
    options = {
        "method": "POST",
        "headers": bearer(token) | {"Content-Type": "application/json"},
        "body": "[20, 22]",
    }
    script = """
        const [address, options, done] = arguments;
        fetch(address, options)
            .then(async (reply) => done([await reply.json(), reply.headers.get("x-tarp-fuel")]),
                  (error) => done(String(error)));
    """
    answer, fuel = browser.run_until_done(script, f"{host.address}/add", options)
    assert answer["result"] == 42
    assert int(fuel) > 0
    # By another name of the same machine too: the page's origin counts.
    answer, _ = browser.run_until_done(script, f"http://localhost:{host.port}/add", options)
    assert answer["result"] == 42


def opened(person: Person, app: str) -> None:
    """Opens a mounted component as its reader does, with the token as the password."""
    address = person.host.address.replace("//", f"//user:{person.token}@")
    person.browser.open(f"{address}/{app}/")
    eventually(lambda: "Hello from" in person.browser.text("body"))


@pytest.mark.attack(
    "a page of a mounted component, opened by somebody who is logged in",
    "it has no origin: it calls no procedure, reads nothing, and sees no token",
)
def test_a_mounted_page_cannot_act_for_its_reader(person: Person) -> None:
    person.logged_in()
    browser, address = person.browser, person.host.address
    before = person.calls("add")
    opened(person, "app")
    assert browser.run("return window.origin") == "null"
    assert browser.run_until_done(LOADS, f"{address}/add?x=1&y=2") is True
    for path in ("/add?x=1&y=2", "/-/procedures", "/-/session"):
        for options in ({"credentials": "include"}, {"mode": "no-cors", "credentials": "include"}):
            read = browser.run_until_done(READS, address + path, options)
            assert read in ("refused", "opaque"), (path, options)
    posted = {"method": "POST", "mode": "no-cors", "credentials": "include", "body": "[1, 2]"}
    assert browser.run_until_done(READS, f"{address}/add", posted) == "opaque"
    for store in ("document.cookie", "localStorage.length", "navigator.serviceWorker.controller"):
        script = f"try {{ return String({store}); }} catch (error) {{ return error.name; }}"
        assert browser.run(script) in ("SecurityError", "TypeError"), store
    browser.run("location = '/add?x=1&y=2'")
    eventually(lambda: "Forbidden" in browser.text("body"))
    assert person.calls("add") == before
    # Its links work.
    opened(person, "app")
    browser.click("a")
    eventually(lambda: "target: /about" in browser.text("body"))


def test_a_trusted_mounted_page_is_one_of_the_host(person: Person) -> None:
    opened(person, "app_async")
    browser = person.browser
    assert browser.run("return window.origin") == person.host.address
    assert browser.run_until_done(READS, f"{person.host.address}/add?x=1&y=2", {}) == "basic"
    # Its scripts are for its own pages at the most.
    script = """
        const [scope, done] = arguments;
        navigator.serviceWorker.register("about", {scope})
            .then(() => done("registered"), (error) => done(error.name));
    """
    assert browser.run_until_done(script, "/") != "registered"
