"""Chromium, headless, driven over the W3C WebDriver protocol, which is JSON over HTTP.

Everything that the tests know about starting and steering a browser is here; what is in the pages
they know themselves.
"""

from __future__ import annotations

import base64
import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from host import DEADLINE, eventually

STARTED = re.compile(r"ChromeDriver was started successfully on port (\d+)")

ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--no-proxy-server"),
)

#: The key under which WebDriver has an element in JSON.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

#: Keys by WebDriver's own code points.
KEYS = {
    "Enter": "\ue007",
    "Tab": "\ue004",
    "Escape": "\ue00c",
    "Down": "\ue015",
    "Up": "\ue013",
    "Control": "\ue009",
    "Shift": "\ue008",
    "Space": " ",
}


class Browser:
    """One window."""

    def __init__(self, address: str, profile: Path) -> None:
        options = {"args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        self.http = requests.Session()
        self.http.trust_env = False
        self.address = address
        session = self.command("POST", "session", {"capabilities": {"alwaysMatch": wanted}})
        self.address = f"{address}/session/{session['sessionId']}"
        self.command("POST", "timeouts", {"script": 1000 * DEADLINE})

    def command(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        reply = self.http.request(method, f"{self.address}/{path}", json=body, timeout=60)
        value = reply.json()["value"]
        assert reply.ok, value
        return value

    def open(self, address: str) -> None:
        self.command("POST", "url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        body = {"script": script, "args": list(arguments)}
        return self.command("POST", "execute/sync", body)

    def run_until_done(self, script: str, *arguments: Any) -> Any:
        """For a script that calls its last argument with what it has to say."""
        body = {"script": script, "args": list(arguments)}
        return self.command("POST", "execute/async", body)

    # Elements, by CSS selectors.

    def find(self, selector: str) -> str:
        """The handle of an element as soon as it is there."""
        body = {"using": "css selector", "value": selector}

        def look() -> str:
            found = self.command("POST", "elements", body)
            assert found, f"there is no {selector}"
            return found[0][ELEMENT]

        return eventually(look)

    def click(self, selector: str) -> None:
        self.command("POST", f"element/{self.find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Types at the end of what is there; also gives a file to a field of type file."""
        self.command("POST", f"element/{self.find(selector)}/value", {"text": text})

    def fill(self, selector: str, text: str) -> None:
        """Types in place of what is there."""
        self.command("POST", f"element/{self.find(selector)}/clear", {})
        self.type(selector, text)

    def choose(self, selector: str, value: str) -> None:
        """Chooses an option of a select element by its value."""
        self.click(f"{selector} option[value={value!r}]")

    def text(self, selector: str) -> str:
        return self.command("GET", f"element/{self.find(selector)}/text")

    def press(self, *keys: str) -> None:
        """Presses keys together, by name or as characters, wherever the focus is."""
        codes = [KEYS.get(key, key) for key in keys]
        down = [{"type": "keyDown", "value": code} for code in codes]
        up = [{"type": "keyUp", "value": code} for code in reversed(codes)]
        source = {"type": "key", "id": "keyboard", "actions": down + up}
        self.command("POST", "actions", {"actions": [source]})

    # The window.

    def devtools(self, command: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol, for what WebDriver has no word for."""
        body = {"cmd": command, "params": parameters}
        return self.command("POST", "goog/cdp/execute", body)

    def resize(self, width: int, height: int = 900) -> None:
        """The size of the page itself; narrower than any window may be."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, scheme: str) -> None:
        """What the system says it prefers: `light` or `dark`."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.devtools("Emulation.setEmulatedMedia", features=[feature])

    @contextlib.contextmanager
    def before_scripts(self, script: str) -> Iterator[None]:
        """Runs a script at the start of each page that is opened in the block."""
        added = self.devtools("Page.addScriptToEvaluateOnNewDocument", source=script)
        try:
            yield
        finally:
            self.devtools("Page.removeScriptToEvaluateOnNewDocument", **added)

    def new_tab(self) -> str:
        """Opens a tab, and gives its handle; `switch` goes there."""
        return self.command("POST", "window/new", {"type": "tab"})["handle"]

    def switch(self, tab: str) -> None:
        self.command("POST", "window", {"handle": tab})

    def screenshot(self, file: Path, *, full: bool = False) -> None:
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=full)
        file.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """What the browser's console has shown since it was last asked: errors and the like."""
        entries = self.command("POST", "se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def close(self) -> None:
        self.http.delete(self.address, timeout=60)
        self.http.close()


@contextlib.contextmanager
def browser_in(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, that ends with the block."""
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert driver.stdout
    with driver.stdout as output:
        try:
            lines = iter(output.readline, "")
            port = next(found[1] for line in lines if (found := STARTED.search(line)))
            browser = Browser(f"http://127.0.0.1:{port}", profile)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            driver.kill()
            driver.wait(DEADLINE)
