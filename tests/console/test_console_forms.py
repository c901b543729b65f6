"""Forms in the console: what a result is of, what was typed and stays, long pastes, files that are
dropped, and what the author wrote about parameters."""

from __future__ import annotations

import time
from typing import Any

import pytest

from browser import Browser
from console import RESULT, Console, field
from host import Host, MakeHost, eventually, place


@pytest.fixture
def console(browser: Browser, host: Host) -> Console:
    browser.resize(1280, 720)
    return Console(browser, host)


def value(console: Console, path: str) -> str | None:
    return console.browser.run(
        "return document.querySelector(arguments[0])?.value ?? null", field(path)
    )


def go(console: Console, *path: str) -> None:
    """Goes to a page without loading the console again."""
    console.browser.run("location.hash = arguments[0]", "#/" + "/".join(path))


# What a result is of.


def test_a_result_says_what_it_is_of_and_when_the_form_has_changed(console: Console) -> None:
    browser = console.browser
    console.open_procedure("add")
    browser.fill(field("x"), "12")
    browser.fill(field("y"), "30")
    console.call()
    assert browser.text(".answer .given-arguments").split() == ["x", "12", "y", "30"]
    assert not browser.run("return document.querySelector('.stale')")
    browser.fill(field("x"), "13")
    console.says("The form has changed since", ".answer .stale")
    assert "42" in console.shown()
    browser.fill(field("x"), "12")
    console.until("!document.querySelector('.stale')")
    browser.fill(field("x"), "14")
    console.says("changed", ".stale")
    console.press("Put back", ".answer")
    console.until("!document.querySelector('.stale')")
    assert value(console, "x") == "12"


def test_a_result_of_a_version_before_says_so(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("math")
    console = Console(browser, host)
    console.open_procedure("add")
    browser.fill(field("x"), "1")
    browser.fill(field("y"), "2")
    console.call()
    sections = b"\x00\x06\x04note!"
    wasm = (host.folder / "math.wasm").read_bytes()
    place(wasm + sections, host.folder / "math.wasm")
    console.says("The procedure was replaced since", ".answer .stale")
    assert value(console, "x") == "1"


def test_a_failure_says_what_it_is_of_too(console: Console) -> None:
    browser = console.browser
    console.open_procedure("fail_with_string")
    browser.fill(field("message"), "first")
    console.call()
    browser.fill(field("message"), "second")
    console.says("changed", ".stale")
    assert '"first"' in browser.text(".answer .given-arguments")


@pytest.mark.parametrize(
    ("procedure", "typed"),
    [
        ("linspace", {"start": "0", "stop": "1", "count": "50"}),
        ("statistics/summary", {"values": "1 2 3"}),
        ("panic", {"message": "no"}),
    ],
)
def test_a_result_is_in_view(console: Console, procedure: str, typed: dict[str, str]) -> None:
    browser = console.browser
    console.open_procedure(procedure)
    for name, text in typed.items():
        browser.fill(field(name), text)
    console.call()
    script = """
        const {top, bottom} = document.querySelector(arguments[0]).getBoundingClientRect();
        return top >= 56 && top < innerHeight / 2 && Math.min(bottom, top + 200) <= innerHeight;
    """
    assert eventually(lambda: browser.run(script, RESULT))


# What was typed stays.


def test_what_was_typed_outlives_a_reload_and_other_pages(console: Console) -> None:
    browser = console.browser
    console.open_procedure("echo_sample")
    browser.fill(field("value.label"), "run 7")
    browser.click('[data-path="value.unit"] .given input')
    browser.fill(field("value.unit"), "mV")
    go(console, "jobs")
    console.until("document.title.startsWith('Jobs')")
    go(console, "procedures", "echo_sample")
    console.until("document.getElementById('field-value.label')?.value === 'run 7'")
    browser.command("POST", "refresh", {})
    console.until("document.getElementById('field-value.label')?.value === 'run 7'")
    assert value(console, "value.unit") == "mV"
    console.press("Clear the form", "form")
    console.until("document.getElementById('field-value.label').value === ''")
    browser.command("POST", "refresh", {})
    browser.find(field("value.label"))
    assert value(console, "value.label") == ""


def test_what_was_typed_last_stays_when_the_page_is_left_at_once(console: Console) -> None:
    """Before the form is drawn again with it."""
    browser = console.browser
    console.open_procedure("echo_sample")
    browser.fill(field("value.label"), "run 7")
    browser.run(
        """
        const typed = document.getElementById('field-value.label');
        const property = Object.getOwnPropertyDescriptor(typed.constructor.prototype, 'value');
        property.set.call(typed, 'run 78');
        typed.dispatchEvent(new InputEvent('input', {bubbles: true}));
        location.hash = '#/jobs';
        """
    )
    console.until("document.title.startsWith('Jobs')")
    go(console, "procedures", "echo_sample")
    browser.find(field("value.label"))
    assert value(console, "value.label") == "run 78"


def test_rows_that_were_typed_can_be_removed_after_a_reload(console: Console) -> None:
    browser = console.browser
    console.open_procedure("geometry/bounding_box")
    browser.fill(field("points[0].x"), "1")
    console.press("Add row")
    browser.fill(field("points[1].x"), "2")
    browser.command("POST", "refresh", {})
    console.until("document.getElementById('field-points[1].x')?.value === '2'")
    console.press("Add row")
    console.press("Remove row 1 of points")
    console.until("document.getElementById('field-points[0].x').value === '2'")
    assert value(console, "points[1].x") == ""
    assert value(console, "points[2].x") is None


def test_another_default_changes_only_what_nobody_typed(
    browser: Browser, make_host: MakeHost
) -> None:
    sidecar = "[procedures.linspace]\ndefaults = {{ count = {}, stop = {} }}"
    host = make_host("math", sidecars={"math": sidecar.format(5, "1.0")})
    console = Console(browser, host)
    console.open_procedure("linspace")
    browser.fill(field("start"), "12")
    browser.fill(field("stop"), "7")
    place(sidecar.format(9, "2.0").encode(), host.folder / "math.toml")
    console.until("document.getElementById('field-count').value === '9'")
    assert (value(console, "start"), value(console, "stop")) == ("12", "7")
    console.says("default 2.0", '[data-path="stop"]')


def test_a_request_to_a_web_procedure_stays_too(browser: Browser, make_host: MakeHost) -> None:
    console = Console(browser, make_host("plot"))
    console.open_procedure("set_params")
    browser.fill('[aria-label="Body"]', '{"frequency": 3, "amplitude": 0.25}')
    console.call()
    browser.command("POST", "refresh", {})
    body = "document.querySelector('[aria-label=\"Body\"]')?.value"
    console.until(f'{body} === \'{{"frequency": 3, "amplitude": 0.25}}\'')
    console.call()
    assert "POST /set_params" in browser.text(".given-line")
    browser.fill('[aria-label="Body"]', "{}")
    console.says("The request has changed since", ".stale")


# Long pastes and files.

PASTE = """
    const [selector, text] = arguments;
    const control = document.querySelector(selector);
    control.focus();
    const data = new DataTransfer();
    data.setData("text/plain", text === null ? window.pasted : text);
    const given = {clipboardData: data, bubbles: true, cancelable: true};
    control.dispatchEvent(new ClipboardEvent("paste", given));
"""


def test_a_million_numbers_can_be_pasted(console: Console) -> None:
    browser = console.browser
    console.open_procedure("statistics/mean")
    browser.run("window.pasted = Array.from({length: 1e6}, (_, i) => i).join(', ')")
    start = time.monotonic()
    browser.run(PASTE, field("values"), None)
    console.says("Pasted text", ".chosen-file")
    console.says("1 M numbers", '[data-path="values"]')
    browser.run("return document.title")
    assert time.monotonic() - start < 30, "it took 74 seconds once"
    console.call()
    assert browser.text(f"{RESULT} .big") == "499999.5"
    console.press("Leave the pasted text of values out")
    console.until("document.getElementById('field-values')?.value === ''")


def test_a_short_paste_goes_where_it_is_pasted(console: Console) -> None:
    """Together with what is there already it may be long."""
    console.open_procedure("echo_string")
    browser = console.browser
    browser.run(
        """
        const control = document.querySelector(arguments[0]);
        control.value = "ab" + "x".repeat(99_000);
        control.dispatchEvent(new Event("input", {bubbles: true}));
        control.setSelectionRange(1, 2);
        """,
        field("value"),
    )
    browser.run(PASTE, field("value"), "-" * 2000)
    console.says("Pasted text", ".chosen-file")
    console.call()
    shown = browser.run("return document.querySelector('.result-text').textContent.trim()")
    assert shown == "a" + "-" * 2000 + "x" * 99_000


DROP = """
    const [selector, files] = arguments;
    const target = document.querySelector(selector);
    const data = new DataTransfer();
    for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
    const given = {dataTransfer: data, bubbles: true, cancelable: true};
    const over = new DragEvent("dragover", given);
    target.dispatchEvent(over);
    target.dispatchEvent(new DragEvent("drop", given));
    return over.defaultPrevented;
"""


def drop(console: Console, path: str, *files: tuple[str, bytes]) -> bool:
    """Drops files on a field's name, far from any button."""
    listed = [[name, list(content)] for name, content in files]
    where = f'[data-path="{path}"] .name'
    return console.browser.run(DROP, where, listed)


@pytest.mark.parametrize(
    ("procedure", "name", "content", "expected"),
    [
        ("statistics/mean", "values", b"1\n2\n6\n", "3.0"),
        ("echo_string", "value", "grüße".encode(), "grüße"),
        ("checksum", "data", b"123456789", "3421780262"),
        ("echo_bytes", "value", b"hi", "hi"),
    ],
)
def test_a_file_can_be_dropped_on_a_field(
    console: Console, procedure: str, name: str, content: bytes, expected: str
) -> None:
    console.open_procedure(procedure)
    assert drop(console, name, ("data.csv", content))
    eventually(lambda: console.browser.run("return !document.querySelector('.field.over')"))
    time.sleep(0.2)
    console.call()
    assert expected in console.shown()


def test_files_that_cannot_be_taken_are_refused_by_name(console: Console) -> None:
    console.open_procedure("echo_string")
    drop(console, "value", ("a.txt", b"\xff\xfe"))
    console.says("a.txt was not taken: it is not text in UTF-8", "[role=alert]")
    drop(console, "value", ("a.txt", b"a"), ("b.txt", b"b"))
    console.says("One file at a time: of these 2, none was taken.", "[role=alert]")
    assert value(console, "value") == ""
    console.open_procedure("add")
    assert drop(console, "x", ("a.txt", b"1")), "the browser does not leave for the file"


def test_a_file_has_to_be_chosen_again_after_a_reload(console: Console) -> None:
    console.open_procedure("checksum")
    drop(console, "data", ("photo.png", b"123456789"))
    console.says("9 bytes", ".chosen-file")
    console.browser.command("POST", "refresh", {})
    console.says("photo.png has to be chosen again", '[data-path="data"]')


# Documentation.

SIDECAR = '''
[procedures.linspace]
description = """
Evenly *spaced* numbers.

Args:
    start: the **first** number
    count (int): how many,
        both ends included

Returns:
    all of them

## Notes

1. one
2. two

See [numpy](https://numpy.org), not [this](/nothing) or ![that](/answer).
"""
defaults = { count = 50 }
'''


def test_documentation_is_markdown_and_parameters_have_their_part(
    browser: Browser, make_host: MakeHost
) -> None:
    console = Console(browser, make_host("math", "shapes", sidecars={"math": SIDECAR}))
    console.open_procedure("linspace")

    def found(selector: str) -> Any:
        script = "return [...document.querySelectorAll(arguments[0])].map((x) => x.textContent)"
        return browser.run(script, selector)

    assert found(".about .prose em") == ["spaced"]
    assert found(".about .prose li") == ["one", "two"]
    assert found(".about .prose h2") == ["Notes"]
    assert found(".about .prose a") == ["numpy"]
    assert "this (/nothing)" in browser.text(".about .prose")
    assert found(".prose img") == []
    assert found('[data-path="start"] .said strong') == ["first"]
    assert "both ends included" in browser.text('[data-path="count"] .said')
    assert "first number" not in browser.text(".about")
    assert "all of them" in browser.text(".about")
    assert found('[data-path="count"] .mark') == ["default 50"]
    assert found('[data-path="start"] .mark') == []
    console.open_procedure("echo_nested_option")
    assert found('[data-path="value"] .mark') == ["optional"]


def test_a_problem_is_told_where_it_belongs(browser: Browser, make_host: MakeHost) -> None:
    """And not on every page: on that of its file, on the list, and when it comes up."""
    host = make_host("math", "text")
    place(b"this is no component", host.folder / "broken.wasm")
    eventually(host.problems)
    time.sleep(3)
    console = Console(browser, host)
    console.open()
    console.says("broken.wasm", ".problems")
    console.open_procedure("add")
    assert not browser.run("return document.querySelector('.problem')")
    place(b"nor is this", host.folder / "text.wasm")
    console.says("text.wasm", ".problem")
    assert not browser.run("return document.querySelector('.problem.bad')")
    console.press("Dismiss", ".problems")
    console.until("!document.querySelector('.problem')")
    go(console, "procedures", "reverse")
    console.says("its procedures still serve", ".problems")


# Maps.


def test_a_map_has_a_line_for_each_key(console: Console) -> None:
    browser = console.browser
    console.open_procedure("echo_map_floats")
    console.says("an empty map")
    for i, (key, number) in enumerate([("7", "0.5"), ("3", "1.5"), ("7", "2.5")]):
        console.press("Add entry")
        browser.fill(field(f"value[{i}].key"), key)
        browser.fill(field(f"value[{i}].value"), number)
    browser.click("button.primary")
    console.says("The key 7 comes twice.")
    browser.fill(field("value[2].key"), "1")
    console.call()
    assert console.json() == {"7": 0.5, "3": 1.5, "1": 2.5}
    console.choose("Table", RESULT)
    titles = (
        "return [...document.querySelectorAll('.outcome thead th')].map((one) => one.textContent)"
    )
    assert browser.run(titles)[-2:] == ["key", "value"]
