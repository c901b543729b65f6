"""The versions of a component in the console, and the way back."""

from __future__ import annotations

import pytest
from test_console_access import check
from test_console_log_in import Person

from browser import Browser
from components import version_of_math
from console import Console
from host import Host, MakeHost, eventually, guest, place
from tokens import create

VERSIONS = "details.versions"


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    """A host that has served two versions of `math`, and keeps both."""
    host = make_host("math", start=False)
    host.token = create(host.data, "ci", "call:*", "deploy")  # type: ignore[attr-defined]
    return host


def person(browser: Browser, host: Host, token: str) -> Person:
    browser.resize(1280)
    browser.prefer("light")
    somebody = Person(browser, host, token)
    somebody.logged_in()
    # Who is not logged in yet is told so.
    browser.complaints()
    return somebody


def test_who_may_deploy_sees_versions_and_returns_to_one(browser: Browser, host: Host) -> None:
    host.start()
    somebody = person(browser, host, host.token)  # type: ignore[attr-defined]
    place(version_of_math(guest("math"), "The second."), host.folder / "math.wasm")
    console = somebody.console
    console.open_procedure("add")
    eventually(lambda: "The second." in browser.text("header.about"))
    browser.click(f"{VERSIONS} summary")
    eventually(lambda: browser.text(VERSIONS).count("folder") == 2)
    assert browser.text(VERSIONS).count("served") == 1
    check(browser)
    returns = f"{VERSIONS} li button"
    browser.click(returns)
    # Once more, since it is for everybody; and there is a way out.
    console.press("Leave it", VERSIONS)
    assert "The second." in browser.text("header.about")
    browser.click(returns)
    check(browser)
    console.press("Return", VERSIONS)
    eventually(lambda: "The second." not in browser.text("header.about"))
    assert browser.text(VERSIONS).count("served") == 1
    assert not browser.complaints()


def test_a_return_that_is_refused_says_why(browser: Browser, host: Host) -> None:
    host.start()
    somebody = person(browser, host, host.token)  # type: ignore[attr-defined]
    place(version_of_math(guest("math"), "The second."), host.folder / "math.wasm")
    console = somebody.console
    console.open_procedure("add")
    browser.click(f"{VERSIONS} summary")
    eventually(lambda: browser.text(VERSIONS).count("folder") == 2)
    for kept in (host.data / "versions").rglob("*.wasm"):
        kept.write_bytes(b"damaged")
    browser.click(f"{VERSIONS} li button")
    console.press("Return", VERSIONS)
    eventually(lambda: browser.text(f"{VERSIONS} .failure"))
    assert "The second." in browser.text("header.about")


def test_others_see_no_versions(browser: Browser, host: Host) -> None:
    token = create(host.data, "caller", "call:*")
    host.start()
    somebody = person(browser, host, token)
    somebody.console.open_procedure("add")
    browser.find("header.about .facts")
    assert not browser.run("return document.querySelector(arguments[0])", VERSIONS)


def test_versions_are_seen_without_tokens(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("math")
    console = Console(browser, host)
    console.open_procedure("add")
    browser.click(f"{VERSIONS} summary")
    eventually(lambda: "served" in browser.text(VERSIONS))
