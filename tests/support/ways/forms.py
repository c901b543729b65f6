"""The console: a form that is filled in by Chromium, key by key, and what the page shows."""

from __future__ import annotations

import base64
import json
from itertools import count
from pathlib import Path
from typing import Any

from browser import Browser
from console import RESULT, Console, field
from host import Host, eventually
from notation import (
    cases_of,
    commas,
    from_json,
    is_bytes,
    is_number,
    is_text,
    kind_of,
    members_of,
    parse,
    to_json,
    to_text,
)
from value_table import Failed, Row
from ways.way import Signature, Way

#: More characters are not typed but chosen as a file, and not shown but saved.
LONG = 2000

#: Longer text comes in one piece, since a key takes a while in a browser under control.
KEYS = 8

#: Presses `Save the bytes` or `JSON`, and gives the bytes that the page hands to the browser.
SAVED = """
    const [label, within, done] = arguments;
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
        URL.createObjectURL = make;
        blob.arrayBuffer().then((all) => {
            let text = "";
            for (const byte of new Uint8Array(all)) text += String.fromCharCode(byte);
            done(btoa(text));
        });
        return "blob:none";
    };
    const buttons = [...document.querySelectorAll(`${within} .more button`)];
    buttons.find((one) => one.textContent.trim() === label).click();
"""


#: What the page shows of an outcome, by kinds of elements.
SEEN = """
    const outcome = document.querySelector(arguments[0]);
    const text = (selector) => outcome.querySelector(selector)?.textContent ?? null;
    const failure = [text(".failure-type strong"), text(".failure-message")];
    return {
        failure: failure[0] && failure,
        note: text(".note"),
        big: text(".big"),
        text: text(".result-text"),
        empty: text(".result-text > .none"),
        nested: outcome.querySelector(".segments") !== null,
    };
"""

#: Chooses an option of a menu as a person does.
CHOOSE = """
    const [menu, option] = arguments;
    const control = document.querySelector(menu);
    control.value = option;
    control.dispatchEvent(new Event("change", {bubbles: true}));
"""

#: The button is there as soon as something was filled in.
CLEAR = """
    const buttons = [...document.querySelectorAll("form button")];
    buttons.find((one) => one.textContent === "Clear the form")?.click();
"""


class Form(Way):
    def __init__(self, browser: Browser, host: Host, folder: Path) -> None:
        self.browser = browser
        self.console = Console(browser, host)
        self.files = (folder / str(n) for n in count())
        #: The procedure whose page is open.
        self.shown: str | None = None

    def refusal(self, row: Row, _: Signature) -> Failed | None:
        """A field of one line takes no line ends."""
        if row.procedure == "echo_char" and row.arguments["value"] == "\n":
            return Failed("form", "Exactly one character.")
        return None

    def call(self, row: Row, signature: Signature) -> Any:
        self._open(row.procedure)
        for name, type_, value in signature.typed(row):
            self.fill(type_, value, name, f'main [data-path="{name}"]')
        self.browser.run("document.querySelector(arguments[0])?.remove()", RESULT)
        eventually(self._submit)
        ended = f"[{json.dumps(RESULT)}, 'form .fault'].find((one) => document.querySelector(one))"
        if self.console.until(ended) != RESULT:
            self.shown = None
            raise Failed("form", self.browser.text("form .fault"))
        return self._result(signature.result)

    def _submit(self) -> bool:
        """Presses the button, once the page has come to rest below the bar at its top."""
        button = "button.primary"
        script = "document.querySelector(arguments[0]).scrollIntoView({block: 'center'})"
        self.browser.run(script, button)
        self.browser.click(button)
        return True

    def _open(self, procedure: str) -> None:
        """The page with an empty form: the page of the row before, if it is the same."""
        if self.shown == procedure:
            self.browser.run(CLEAR)
        elif self.shown is None:
            self.console.open_procedure(procedure)
        else:
            path = procedure.replace("/", "%2F")
            self.browser.run(f"location.hash = '#/procedures/{path}'")
            heading = "document.querySelector('main h1')?.textContent"
            self.console.until(f"{heading} === {json.dumps(procedure)}")
        self.shown = procedure

    # Arguments.

    def fill(self, type_: Any, value: Any, path: str, scope: str) -> None:
        """Fills in the empty field at a path, which is inside of the element `scope`."""
        kind = kind_of(type_)
        if is_text(type_) and kind != "enum":
            self._text(type_, value, path, scope)
        elif is_number(type_):
            self._type(path, to_text(type_, value))
        elif is_bytes(type_):
            self._bytes(value, path, scope)
        elif kind == "list" and is_typed_as_text(type_["list"]):
            self._numbers(type_["list"], value, path)
        elif kind == "list" and is_table(type_["list"]):
            self._rows(type_["list"], value, path, scope)
        elif kind == "list":
            self._items(type_["list"], value, path, scope)
        elif kind == "bool" and value:
            self._click(field(path))
        elif kind == "record":
            for name, member in members_of(type_):
                inner = f"{path}.{name}"
                self.fill(member, value[name], inner, f'main [data-path="{inner}"]')
        elif kind == "tuple":
            for i, (member, one) in enumerate(zip(type_["tuple"], value, strict=True)):
                inner = f"{path}[{i}]"
                self.fill(member, one, inner, f'main [data-path="{inner}"]')
        elif kind == "option" and value is not None:
            self._click(f"{scope} > .given input")
            if kind_of(type_["option"]) == "option":
                value = value["some"]
            self.fill(type_["option"], value, path, f"{scope} > .nested")
        elif kind == "enum":
            self._choose(path, value)
        elif kind == "flags":
            for name in value:
                place = type_["flags"].index(name) + 1
                box = f"{scope} > .flags label:nth-of-type({place}) input"
                self.browser.run("document.querySelector(arguments[0]).click()", box)
        elif kind in ("variant", "result"):
            self._case(type_, value, path, scope)

    def _case(self, type_: Any, value: Any, path: str, scope: str) -> None:
        name, carried = (value, None) if isinstance(value, str) else next(iter(value.items()))
        self._choose(path, name)
        types = cases_of(type_)
        if types[name] is not None:
            self.fill(types[name], carried, f"{path}.{name}", f"{scope} > .nested")

    def _text(self, type_: Any, value: str, path: str, scope: str) -> None:
        """What a field for typing would change or not hold, a file has."""
        if type_ == "string" and (len(value) > LONG or {"\0", "\r"} & {*value}):
            self._file(scope, value.encode())
        else:
            self._type(path, value)

    def _bytes(self, value: bytes, path: str, scope: str) -> None:
        if len(value) > LONG:
            self._file(scope, value)
        elif value:
            self.console.choose("Base64", scope)
            self._type(path, base64.b64encode(value).decode())

    def _numbers(self, item: Any, value: list[Any], path: str) -> None:
        """A line of numbers; lines, or brackets where lines cannot be so long."""
        if is_number(item):
            text = commas(item, value)
        elif value and value[0] and len({*map(len, value)}) == 1:
            text = "\n".join(commas(item["list"], row) for row in value)
        else:
            text = json.dumps(to_json({"list": item}, value)) if value else ""
        self._type(path, text)

    def _items(self, item: Any, values: list[Any], path: str, scope: str) -> None:
        for i, value in enumerate(values):
            self._click(f"{scope} > .tools > button")
            inner = f"{scope} > .list-items > li:nth-child({i + 1}) > .item"
            self.fill(item, value, f"{path}[{i}]", inner)

    def _rows(self, item: Any, values: list[Any], path: str, scope: str) -> None:
        """A table, which has one empty row to begin with."""
        if not values:
            self.console.press("Clear", scope)
        for i, value in enumerate(values):
            if i:
                self._click(f"{scope} > .tools > button")
            if kind_of(item) == "record":
                cells = [(f".{name}", type_, value[name]) for name, type_ in members_of(item)]
            else:
                parts = zip(item["tuple"], value, strict=True)
                cells = [(f"[{j}]", *part) for j, part in enumerate(parts)]
            for step, type_, cell in cells:
                self.fill(type_, cell, f"{path}[{i}]{step}", scope)

    def _choose(self, path: str, option: str) -> None:
        self.browser.find(field(path))
        self.browser.run(CHOOSE, field(path), option)

    def _click(self, selector: str) -> None:
        self.browser.find(selector)
        self.browser.run("document.querySelector(arguments[0]).click()", selector)

    def _type(self, path: str, text: str) -> None:
        """Types what has keys; the rest comes in one piece, as from an input method."""
        if text and len(text) <= KEYS and text.isprintable() and max(text) < "\ud800":
            self.browser.type(field(path), text)
        elif text:
            self.browser.run("document.querySelector(arguments[0]).focus()", field(path))
            self.browser.devtools("Input.insertText", text=text)

    def _file(self, scope: str, content: bytes) -> None:
        path = next(self.files)
        path.write_bytes(content)
        self.browser.type(f"{scope} input[type=file]", str(path))

    # Results.

    def _result(self, type_: Any) -> Any:
        seen = self.browser.run(SEEN, RESULT)
        if seen["failure"]:
            raise Failed(*seen["failure"])
        if type_ is None:
            assert seen["note"] == "Done. It gives no value.", seen
            return None
        if is_bytes(type_):
            return b"" if seen["note"] == "No bytes." else self._saved("Save the bytes")
        if seen["nested"]:
            self.console.choose("JSON", RESULT)
            self.console.until(f"document.querySelector('{RESULT} pre')")
            text = self.browser.run(
                "return document.querySelector(arguments[0]).textContent", f"{RESULT} pre"
            )
            return from_json(type_, parse(text))
        if seen["note"]:
            assert seen["note"] == "Nothing (null).", seen
            return from_json(type_, None)
        if seen["text"] is not None:
            return from_json(type_, "" if seen["empty"] else seen["text"])
        return from_json(type_, parse(seen["big"]))

    def _saved(self, label: str) -> bytes:
        return base64.b64decode(self.browser.run_until_done(SAVED, label, RESULT))


def is_typed_as_text(item: Any) -> bool:
    """Whether a list of these is a text of numbers."""
    if kind_of(item) == "list":
        return is_number(item["list"]) and item["list"] != "u8"
    return is_number(item)


def is_table(item: Any) -> bool:
    """Whether a list of these is a table: all cells are single values."""
    if kind_of(item) == "record":
        return all(isinstance(type_, str) for _, type_ in members_of(item))
    return kind_of(item) == "tuple" and all(isinstance(type_, str) for type_ in item["tuple"])
