"""How many streams the console keeps: a browser has six connections for one host, over HTTP/1.1."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browser import Browser
from console import Console, field
from host import Host, MakeHost, eventually
from relay import Relay, relay_to

TABS = 10


@pytest.fixture
def counting(make_host: MakeHost) -> Iterator[tuple[Host, Relay]]:
    host = make_host("math", "jobs")
    with relay_to(host.address) as relay:
        yield host, relay


def test_ten_tabs_on_a_running_job_share_one_stream(
    browser: Browser, counting: tuple[Host, Relay]
) -> None:
    host, relay = counting
    handle = host.submit("count_to", 100_000, 20)["id"]
    host.running(handle)
    console = Console(browser, relay)
    first = browser.command("GET", "window")
    try:
        for _ in range(TABS):
            browser.switch(browser.new_tab())
            console.open("jobs", handle)
            browser.find(".job-panel progress[value]")
        console.says("Live", ".link")
        eventually(lambda: relay.streams == ["/-/events"])
        before = browser.run("return document.querySelector('progress').value")
        eventually(lambda: browser.run("return document.querySelector('progress').value") > before)
        console.open_procedure("add")
        browser.fill(field("x"), "1")
        browser.fill(field("y"), "2")
        console.call()
        assert "3" in console.shown()
    finally:
        for tab in browser.command("GET", "window/handles"):
            if tab != first:
                browser.switch(tab)
                browser.command("DELETE", "window")
        browser.switch(first)
    eventually(lambda: not relay.streams)
    host.cancel(handle)


@pytest.mark.parametrize("shared", [True, False])
def test_a_page_has_one_stream_and_leaves_it(
    browser: Browser, counting: tuple[Host, Relay], *, shared: bool
) -> None:
    """Also where a browser has no workers that tabs share."""
    host, relay = counting
    console = Console(browser, relay)
    without = "" if shared else "delete window.SharedWorker"
    with browser.before_scripts(without):
        handle = host.submit("count_to", 100_000, 20)["id"]
        console.open("jobs", handle)
        browser.find(".job-panel progress[value]")
        console.says("Live", ".link")
        assert relay.streams == ["/-/events"]
        browser.run("""
            Object.defineProperty(document, "hidden", {get: () => true, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        """)
        eventually(lambda: not relay.streams)
        browser.run("""
            delete document.hidden;
            document.dispatchEvent(new Event("visibilitychange"));
        """)
        eventually(lambda: relay.streams == ["/-/events"])
        host.cancel(handle)
        console.says("cancelled", ".job-panel")
        browser.open("about:blank")
        eventually(lambda: not relay.streams)
        assert set(relay.seen) == {"/-/events"}
