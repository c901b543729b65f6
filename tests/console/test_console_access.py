"""The console for everybody: by keyboard, on a narrow screen, in the dark, with a screen reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from browser import Browser
from console import RESULT, Console, field
from host import Host, MakeHost, eventually, place

AXE = (Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js").read_text()

#: All rules that are settled.
CHECK = """
    const done = arguments[arguments.length - 1];
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    axe.run(document, {runOnly})
        .then(({violations, passes}) => done({
            passes: passes.length,
            violations: violations.map(({id, nodes}) => [id, nodes.map(({html, failureSummary}) =>
                [html.slice(0, 200), failureSummary])]),
        }), (error) => done({error: String(error)}));
"""


@pytest.fixture
def console(browser: Browser, host: Host) -> Console:
    browser.resize(1280)
    browser.prefer("light")
    return Console(browser, host)


def check(browser: Browser) -> None:
    """No violation of axe's rules, and no empty run of them either."""
    # The page moves colours softly; what is looked at is where they end.
    browser.run("document.getAnimations().forEach((animation) => animation.finish?.())")
    browser.run(AXE)
    seen = browser.run_until_done(CHECK)
    assert "error" not in seen, seen
    assert seen["passes"] > 15
    assert seen["violations"] == []


def overflow(browser: Browser) -> int:
    """By how many pixels the page is wider than the window."""
    script = """
        const {scrollWidth, clientWidth} = document.documentElement;
        return scrollWidth - clientWidth;
    """
    return browser.run(script)


# Every page and state. Each leaves the console as it is to be looked at.


def home(console: Console) -> None:
    console.open()
    eventually(console.names)


def searched(console: Console) -> None:
    home(console)
    console.browser.type("#search", "echo")
    console.says(" of ", "#found")


def form(console: Console) -> None:
    console.open_procedure("echo_sample")


def faults(console: Console) -> None:
    form(console)
    console.browser.click("button.primary")
    console.says("A number is needed.")


def rows(console: Console) -> None:
    console.open_procedure("geometry/nearest")
    console.press("Add row")


def items(console: Console) -> None:
    console.open_procedure("echo_list_measurement")
    console.press("Add variant")


def upload(console: Console) -> None:
    console.open_procedure("echo_bytes")
    console.choose("File")


def plot(console: Console) -> None:
    console.open_procedure("linspace")
    for name, text in (("start", "0"), ("stop", "1"), ("count", "50")):
        console.browser.type(field(name), text)
    console.call()
    console.browser.find(".plot canvas")


def table(console: Console) -> None:
    console.open_procedure("word_count")
    console.browser.type(field("text"), "a rose is a rose")
    console.call()
    console.browser.find(".answer table")


def record(console: Console) -> None:
    console.open_procedure("statistics/summary")
    console.browser.type(field("values"), "1 2 3")
    console.call()


def json_view(console: Console) -> None:
    table(console)
    console.json_text()


def failure(console: Console) -> None:
    console.open_procedure("panic")
    console.browser.type(field("message"), "m" * 200)
    console.call()


def missing(console: Console) -> None:
    console.open_procedure("no_such_procedure")


def stale(console: Console) -> None:
    plot(console)
    console.browser.fill(field("stop"), "2")
    console.says("changed", ".stale")


def pasted(console: Console) -> None:
    console.open_procedure("statistics/mean")
    console.browser.run(
        """
        const control = document.querySelector(arguments[0]);
        control.value = "x, ".repeat(40_000);
        control.dispatchEvent(new Event("input", {bubbles: true}));
        """,
        field("values"),
    )
    console.says("Pasted text", ".chosen-file")


def cancelled_job(console: Console) -> None:
    handle = console.host.submit("spin")["id"]
    console.host.running(handle)
    console.host.cancel(handle)
    console.open("jobs", handle)
    console.says("cancelled", ".job-panel .note")


def jobs(console: Console) -> None:
    console.host.submit("count_to", 2000, 10)
    console.host.ended(console.host.submit("fail_after", 1, "a long reason " * 20)["id"])
    console.open("jobs")
    console.browser.find(".jobs li progress[value]")


def running_job(console: Console) -> None:
    handle = console.host.submit("count_to", 2000, 10)["id"]
    console.host.running(handle)
    console.open("jobs", handle)
    console.browser.find(".job-panel progress[value]")


def ended_job(console: Console) -> None:
    handle = console.host.submit("note", "a line of the log")["id"]
    console.host.ended(handle)
    console.open("jobs", handle)
    console.says("a line of the log", ".log")


def overview(console: Console) -> None:
    console.open("overview")
    console.until("document.querySelector('.tiles, .note[role=status]')")


STATES = [
    *(home, searched, form, faults, rows, items, upload, plot, table, record, json_view),
    *(failure, missing, stale, pasted, cancelled_job, jobs, running_job, ended_job, overview),
]


@pytest.fixture
def in_state(console: Console) -> Any:
    """Brings the console into a state; jobs that a state began do not outlive it."""
    yield lambda state: state(console)
    for job in console.host.jobs(state=["queued", "running"]):
        console.host.cancel(job["id"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(console: Console, in_state: Any, state: Any, scheme: str) -> None:
    console.browser.prefer(scheme)
    in_state(state)
    check(console.browser)


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_cut_off_at_320_pixels(console: Console, in_state: Any, state: Any) -> None:
    console.browser.resize(320, 640)
    in_state(state)
    assert overflow(console.browser) == 0
    wide = console.browser.run(
        """
        const seen = (one) => one.checkVisibility() && !one.closest(".scroll, pre, .unseen, .log");
        return [...document.querySelectorAll("main *, header *")]
            .filter((one) => seen(one) && one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.outerHTML.slice(0, 120));
        """
    )
    assert wide == []
    check(console.browser)


def test_a_problem_is_shown_to_all(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("math")
    place(b"this is no component", host.folder / "a-file-with-quite-a-long-name.wasm")
    console = Console(browser, host)
    for width in (1280, 320):
        browser.resize(width)
        for path in ((), ("procedures", "add")):
            console.open(*path)
            console.says("a-file-with-quite-a-long-name.wasm", ".problems")
            assert overflow(browser) == 0
            check(browser)


# Colours.


def background(browser: Browser) -> int:
    """How bright the page is, 0 to 255."""
    script = "return getComputedStyle(document.documentElement).backgroundColor"
    return int(browser.run(script).split("(")[1].split(",")[0])


def test_dark_and_light_follow_the_system_until_one_is_chosen(console: Console) -> None:
    browser = console.browser
    browser.prefer("dark")
    home(console)
    assert background(browser) < 60
    browser.prefer("light")
    eventually(lambda: background(browser) > 200)
    console.press("Dark colours", "header")
    eventually(lambda: background(browser) < 60)
    home(console)
    assert background(browser) < 60, "it is remembered"
    console.press("Light colours", "header")
    eventually(lambda: background(browser) > 200)
    browser.prefer("dark")
    eventually(lambda: background(browser) < 60)


# The keyboard.


def test_a_call_by_keyboard_alone(console: Console) -> None:
    browser = console.browser
    home(console)
    browser.press("/")
    active = "return document.activeElement.id || document.activeElement.textContent"
    eventually(lambda: browser.run(active) == "search")
    for key in "linsp":
        browser.press(key)
    eventually(lambda: console.names() == ["linspace"])
    browser.press("Down")
    assert "linspace" in browser.run(active)
    browser.press("Enter")
    console.until("document.activeElement.tagName === 'H1'")
    assert browser.text("main h1") == "linspace"
    while browser.run(active) != "field-start":
        browser.press("Tab")
    for text in ("0", "8", "9"):
        browser.press(text)
        browser.press("Tab")
    browser.press("Shift", "Tab")
    browser.press("Control", "Enter")
    browser.find(RESULT)
    spoken = "return [...document.querySelectorAll('[role=status]')].map((one) => one.textContent)"
    assert "Result: 9 items" in eventually(lambda: browser.run(spoken))


def test_the_focus_can_be_seen_wherever_it_goes(console: Console) -> None:
    """Through the whole page with Tab: each stop has an outline, and none is a trap."""
    browser = console.browser
    form(console)
    script = """
        const one = document.activeElement;
        if (one === document.body) return null;
        const shown = (element) => getComputedStyle(element).outlineStyle !== "none";
        const label = one.closest("label");
        return [one.outerHTML.slice(0, 100), shown(one) || (label !== null && shown(label))];
    """
    stops = []
    browser.run("document.activeElement.blur(); document.querySelector('#search').remove()")
    browser.run("document.querySelector('.contents').remove()")
    for _ in range(80):
        browser.press("Tab")
        stop = browser.run(script)
        if stop is None:
            break
        stops.append(stop)
    assert len(stops) > 15
    assert stop is None or stop == stops[0], "it comes round"
    assert [html for html, seen in stops if not seen] == []


def test_the_first_stop_leads_past_the_navigation(console: Console) -> None:
    browser = console.browser
    form(console)
    browser.run("document.activeElement.blur()")
    browser.press("Tab")
    assert "Skip" in browser.run("return document.activeElement.textContent")
    browser.press("Enter")
    assert browser.run("return document.activeElement.closest('main') !== null")
    assert browser.run("return location.hash") == "#/procedures/echo_sample"
