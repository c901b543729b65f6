"""Web procedures in the console: a request as it is, and pictures as pictures."""

from __future__ import annotations

import pytest

from browser import Browser
from console import RESULT, Console
from host import Host, MakeHost


@pytest.fixture(scope="module")
def plotting(make_module_host: MakeHost) -> Host:
    return make_module_host("plot")


@pytest.fixture
def console(browser: Browser, plotting: Host) -> Console:
    browser.resize(1280)
    return Console(browser, plotting)


def query(console: Console, **pairs: str) -> None:
    """Fills in the pairs of the query."""
    for i, (name, value) in enumerate(pairs.items(), 1):
        if i > 1:
            console.press("Add")
        console.browser.type(f'[aria-label="Query: name {i}"]', name)
        console.browser.type(f'[aria-label="Query: value {i}"]', value)


def test_a_picture_is_shown(console: Console) -> None:
    console.open_procedure("get_plot")
    query(console, frequency="2", amplitude="0.5")
    console.call()
    loaded = "(x => x?.complete && x.naturalWidth > 50)(document.querySelector('img.picture'))"
    assert console.until(loaded)
    assert "image/png" in console.shown()
    assert "Fuel" in console.shown()
    console.says("/get_plot?frequency=2&amplitude=0.5'", ".snippets pre")
    assert console.complaints() == []


def test_a_picture_stands_on_white_in_the_dark_too(console: Console) -> None:
    """The lines of an SVG are black where it does not say otherwise."""
    console.browser.prefer("dark")
    try:
        console.open_procedure("get_plot")
        query(console, frequency="2")
        console.call()
        style = "getComputedStyle(document.querySelector('img.picture'))"
        assert "rgb(255, 255, 255)" in console.until(f"{style}.backgroundImage")
        assert console.browser.run(f"return {style}.colorScheme") == "light"
    finally:
        console.browser.prefer("light")


def test_json_that_no_type_describes_is_plotted_too(console: Console) -> None:
    console.open_procedure("get_data")
    query(console, frequency="1", amplitude="2")
    console.call()
    console.browser.find(f"{RESULT} .plot canvas")
    data = console.json()
    assert len(data["t"]) == len(data["y"]) > 10


def test_a_body_is_sent_as_what_it_is(console: Console) -> None:
    browser = console.browser
    console.open_procedure("set_params")
    assert not browser.run("return document.querySelector('input[name=method]')"), "POST alone"
    browser.type('[aria-label="Body"]', '{"frequency": 3, "amplitude": 0.25}')
    console.call()
    shown = console.json_text()
    assert '"frequency": 3' in shown
    browser.fill('[aria-label="Body"]', '{"frequency": "high"}')
    console.call()
    assert "400" in browser.text(".receipt")


def test_a_form_is_sent_as_a_form(console: Console) -> None:
    console.open_procedure("set_params")
    console.choose("Form")
    console.browser.type('[aria-label="Fields: name 1"]', "frequency")
    console.browser.type('[aria-label="Fields: value 1"]', "3 & more")
    for language in ("curl", "Python", "JavaScript"):
        console.choose(language, ".snippets")
        console.says("frequency=3+%26+more", ".snippets pre")
        console.says("application/x-www-form-urlencoded", ".snippets pre")
    console.call()
    assert "400" in console.browser.text(".receipt")
