"""The console in a real browser: the page itself, the list of procedures, and what comes without a
refresh."""

from __future__ import annotations

import re

import pytest
import requests

from browser import Browser
from console import Console
from host import Host, MakeHost, bare, eventually, guest, place, result_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def console(browser: Browser, host: Host) -> Console:
    browser.resize(1280)
    return Console(browser, host)


# The page over HTTP.


def page(host: Host, path: str = "/", **headers: str) -> requests.Response:
    return host.request("GET", path, headers=BROWSER | headers)


def test_a_browser_gets_a_page_and_programs_the_listing(host: Host) -> None:
    reply = page(host)
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.text.startswith("<!doctype html>")
    assert "Accept" in reply.headers["Vary"].title()
    for accept in ("*/*", "application/json", ""):
        listing = host.request("GET", "/", headers={"Accept": accept})
        assert {"GET", "POST", "RPC", "ASYNCRPC", "problems"} <= set(result_of(listing))
        assert "Accept" in listing.headers["Vary"].title()


def test_the_page_may_run_and_reach_nothing_but_its_host(host: Host) -> None:
    for path in ("/", "/-/console/main.js", "/-/console/icon.svg"):
        headers = page(host, path).headers
        policy = dict(
            part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
        )
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' blob: data:",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_everything_that_the_page_names_is_there_and_of_its_kind(host: Host) -> None:
    """Follows the page's addresses and the modules' imports to the last one."""
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    seen: set[str] = set()
    # Relative ones, since a proxy may have put the page below a path.
    waiting = [f"/{it}" for it in re.findall(r'(?:src|href)="(-/console/[^"]+)"', page(host).text)]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        reply = page(host, path)
        assert reply.status_code == 200, path
        assert reply.headers["Content-Type"].startswith(kinds[path.rsplit(".", 1)[1]]), path
        if path.endswith(".js") and "/vendor/" not in path:
            here = path.rsplit("/", 1)[0]
            imports = re.findall(r'from "(\.[^"]+)"', reply.text)
            address = f"{host.address}{here}/"
            joined = [requests.compat.urljoin(address, one) for one in imports]
            waiting += [one.removeprefix(host.address) for one in joined]
    assert len(seen) > 30, sorted(seen)


def test_what_a_browser_has_is_not_sent_again(host: Host) -> None:
    for path in ("/", "/-/console/main.js"):
        first = page(host, path)
        assert first.headers["Cache-Control"] == "no-cache"
        again = page(host, path, **{"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        head = host.request("HEAD", path, headers=BROWSER)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["ETag"] == first.headers["ETag"]


def test_what_is_no_file_of_the_console_is_not_found(host: Host) -> None:
    for name in ("nothing.js", "lib", "", "/main.js", "lib%2f..%2fmain.js", "MAIN.JS"):
        reply = host.request("GET", f"/-/console/{name}")
        assert reply.status_code == 404, name
    assert host.request("POST", "/-/console/main.js").status_code == 405


# The list.


def test_it_opens_with_every_procedure_by_file_and_namespace(console: Console) -> None:
    browser = console.browser
    console.open()
    listed = bare(console.host.request("GET", "/-/procedures"))["procedures"]
    eventually(lambda: sorted(console.names()) == sorted(one["name"] for one in listed))
    assert browser.run("return document.title") == "Procedures · TARP"
    assert f"{len(listed)} procedures" in browser.text("h1")
    files = browser.run("return [...document.querySelectorAll('.groups h2')].map(x => x.innerText)")
    assert [name.split("!")[0].strip() for name in files] == sorted({one["file"] for one in listed})
    spaces = browser.run(
        "return [...document.querySelectorAll('.groups h3')].map(x => x.innerText)"
    )
    assert {"statistics/", "geometry/", "reservations/"} <= set(spaces)
    assert console.complaints() == []


def test_a_search_looks_at_names_documentation_and_files(console: Console) -> None:
    console.open()
    console.browser.type("#search", "stand dev")
    eventually(lambda: console.names() == ["statistics/standard_deviation", "statistics/summary"])
    assert console.browser.text("#found").startswith("2 of ")
    console.browser.fill("#search", "crc-32")
    eventually(lambda: console.names() == ["checksum"])
    console.browser.fill("#search", "there is nothing like it")
    eventually(lambda: console.names() == [])
    console.browser.press("Escape")
    eventually(lambda: len(console.names()) > 100)


def test_a_procedure_shows_what_there_is_to_know(console: Console) -> None:
    console.open_procedure("statistics/summary")
    shown = console.browser.text(".about")
    for text in (
        "(values: list<f64>) -> result<record, string>",
        "Count, extremes, mean, median and standard deviation at once",
        "math.wasm",
        "512 MiB",
        "1 min",
    ):
        assert text in shown, shown
    console.browser.click(".about summary")
    console.says("standard_deviation: option<f64>", ".about")


def test_a_name_that_is_not_there_says_so(console: Console) -> None:
    console.open_procedure("no/such")
    console.says("There is no procedure of this name now.")


# Without a refresh.


def test_what_changes_in_the_folder_shows_by_itself(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("math")
    console = Console(browser, host)
    console.open()
    eventually(lambda: "add" in console.names())
    browser.run("window.here = true")
    place(guest("text"), host.folder / "words.wasm")
    eventually(lambda: "reverse" in console.names())
    (host.folder / "math.wasm").unlink()
    eventually(lambda: "add" not in console.names())
    assert browser.run("return window.here"), "it was not loaded again"


def test_a_file_that_is_broken_is_told_of_at_once(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("math")
    console = Console(browser, host)
    console.open_procedure("add")
    assert not browser.run("return document.querySelector('.problem')")
    place(b"this is no component", host.folder / "broken.wasm")
    console.says("broken.wasm", ".problems")
    ((problem,),) = host.problems().values()
    console.says(problem["message"], ".problems")
    console.says("not served", ".problems")
    assert problem["message"] in browser.run(
        "return [...document.querySelectorAll('[role=status]')].map(x => x.textContent).join()"
    ), "a screen reader is told too"
    place(b"nor is this", host.folder / "math.wasm")
    console.says("its procedures still serve", ".problems")
    (host.folder / "broken.wasm").unlink()
    place(guest("math"), host.folder / "math.wasm")
    console.until("!document.querySelector('.problem')")


def test_a_new_signature_shows_a_new_form_and_the_same_one_keeps_what_was_typed(
    browser: Browser, make_host: MakeHost
) -> None:
    host = make_host("math")
    console = Console(browser, host)
    console.open_procedure("add")
    browser.type('[id="field-x"]', "12")
    place(guest("text"), host.folder / "text.wasm")
    eventually(lambda: "reverse" in console.names())
    assert browser.run("return document.getElementById('field-x').value") == "12"
    browser.run("location.hash = '#/procedures/sum'")
    console.says("compensation for rounding errors", ".about")
    browser.run("location.hash = '#/procedures/add'")
    console.until("document.getElementById('field-x')?.value === '12'")


def test_a_host_that_is_gone_is_noticed_and_so_is_its_return(
    browser: Browser, make_host: MakeHost
) -> None:
    host = make_host("math")
    console = Console(browser, host)
    console.open_procedure("nothing")
    console.says("Live", ".link")
    host.kill()
    console.says("No answer", ".link")
    place(guest("shapes"), host.folder / "shapes.wasm")
    host.restart()
    console.says("Live", ".link")
    console.says("Takes nothing and gives nothing.")


def test_a_component_that_answers_by_itself_is_a_link(
    browser: Browser, make_host: MakeHost
) -> None:
    host = make_host("math", "app")
    console = Console(browser, host)
    console.open()
    way = console.until("document.querySelector('.contents a[href=\"/app/\"]')?.innerText")
    assert "wasi:http 0.2" in way
    assert host.request("GET", "/app/").status_code == 200
