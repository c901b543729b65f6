"""The console in a browser, as its user sees it: pages, forms, results.

Where things are in the page is known here; what they are to be, the tests know.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from browser import Browser
from host import Host, eventually

RESULT = ".answer .outcome"


def field(path: str) -> str:
    """The control of a field by its path, such as `points[2].x`."""
    return f'[id="field-{path}"]'


class Console:
    """One window that shows the console of a host."""

    def __init__(self, browser: Browser, host: Host) -> None:
        self.browser = browser
        self.host = host

    def open(self, *path: str) -> None:
        """Opens a page anew, with nothing of what was typed before, and waits until it is drawn."""
        route = "/".join(quote(step, safe="") for step in path)
        self.browser.open("about:blank")
        with self.browser.before_scripts("sessionStorage.clear()"):
            self.browser.open(f"{self.host.address}/#/{route}")
        self.browser.find("main h1")

    def open_procedure(self, name: str) -> None:
        self.open("procedures", name)
        eventually(lambda: self.browser.text("main h1").replace("\n", "") == name)

    def call(self) -> None:
        """Presses the button, and waits for an outcome that was not there before."""
        self.browser.run("document.querySelector(arguments[0])?.remove()", RESULT)
        self.browser.click("button.primary")
        self.browser.find(RESULT)

    def shown(self) -> str:
        """The text of the outcome."""
        return self.browser.text(RESULT)

    def json(self) -> Any:
        """The result as the page has it as JSON; numbers exact."""
        return json.loads(self.json_text())

    def json_text(self) -> str:
        """The text below `JSON`, where there is one to choose."""
        self.choose("JSON", RESULT)
        return self.browser.text(f"{RESULT} pre")

    def choose(self, view: str, within: str = "main") -> None:
        """Chooses one of a row of choices by its word."""
        script = """
            const labels = [...document.querySelectorAll(`${arguments[1]} .segments label`)];
            const label = labels.find((one) => one.textContent.trim() === arguments[0]);
            if (!label) throw new Error(`there is no choice ${arguments[0]}`);
            label.querySelector("input").click();
        """
        self.browser.run(script, view, within)

    def press(self, label: str, within: str = "main") -> None:
        """Presses the first button with this text or name."""
        script = """
            const name = (one) => one.getAttribute("aria-label") ?? one.textContent.trim();
            const buttons = [...document.querySelectorAll(`${arguments[1]} button`)];
            const found = buttons.find((one) => name(one) === arguments[0]);
            if (!found) throw new Error(`no button ${arguments[0]}: ${buttons.map(name)}`);
            found.click();
        """
        self.browser.run(script, label, within)

    def names(self) -> list[str]:
        """The procedures in the list, as far as it is narrowed by a search."""
        script = """
            return [...document.querySelectorAll(".contents li a")]
                .map((link) => decodeURIComponent(link.hash.replace("#/procedures/", "")));
        """
        return self.browser.run(script)

    def says(self, text: str, selector: str = "main") -> None:
        """Waits until a text is shown."""
        eventually(lambda: text in self.browser.text(selector))

    def until(self, script: str) -> Any:
        """Waits until an expression in the page is true."""
        return eventually(lambda: self.browser.run(f"return {script}"))

    def complaints(self) -> list[str]:
        """What the browser complains of, but for replies that say by their status what they are."""
        return [one for one in self.browser.complaints() if "Failed to load resource" not in one]
