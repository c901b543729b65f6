"""A job's events in a real browser: Chromium's own EventSource, headless, in a page of the host.

Chromium is driven over the W3C WebDriver protocol, which is JSON over HTTP."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from host import DEADLINE, Host, MakeHost, eventually

STARTED = re.compile(r"ChromeDriver was started successfully on port (\d+)")

ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--no-proxy-server"),
)

#: Opens the stream of the job that `arguments[0]` names, and keeps what comes in `window.seen`.
FOLLOW = """
    window.seen = [];
    window.opened = 0;
    window.source = new EventSource(`/-/jobs/${arguments[0]}/events`);
    source.onopen = () => opened += 1;
    for (const kind of ["state", "progress", "log"])
        source.addEventListener(kind, (event) =>
            seen.push([kind, event.lastEventId, JSON.parse(event.data)]));
"""

#: Calls back when the browser itself has given the stream up.
CLOSED = """
    const done = arguments[0];
    const look = () =>
        source.readyState === EventSource.CLOSED ? done([seen, opened]) : setTimeout(look, 20);
    look();
"""


class Browser:
    """One window."""

    def __init__(self, address: str, profile: Path) -> None:
        options = {"args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
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

    def run_until_done(self, script: str) -> Any:
        """For a script that calls its last argument with what it has to say."""
        return self.command("POST", "execute/async", {"script": script, "args": []})

    def close(self) -> None:
        self.http.delete(self.address, timeout=60)
        self.http.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
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
            profile = tmp_path_factory.mktemp("browser")
            browser = Browser(f"http://127.0.0.1:{port}", profile)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            driver.kill()
            driver.wait(DEADLINE)


def test_a_browser_follows_a_job_to_its_end_and_then_asks_no_more(
    browser: Browser, host: Host
) -> None:
    handle = host.submit("count_to", 400, 10)["id"]
    browser.open(f"{host.address}/-/jobs/{handle}")
    browser.run(FOLLOW, handle)
    seen, opened = browser.run_until_done(CLOSED)
    kinds = [kind for kind, _, _ in seen]
    assert kinds[0] == kinds[-1] == "state"
    assert {"progress", "log"} <= set(kinds)
    assert (seen[-1][1], seen[-1][2]["state"]) == ("end", "succeeded")
    assert [kind for kind, number, _ in seen if number == "end"] == ["state"], "told once"
    assert opened == 1, "a second connection was refused with 204"


def test_a_browser_that_comes_late_is_told_the_end(browser: Browser, host: Host) -> None:
    job = host.ended(host.submit("fail_after", 1, "no light")["id"])
    browser.open(f"{host.address}/-/jobs/{job['id']}")
    browser.run(FOLLOW, job["id"])
    (*lines, (kind, number, told)), _ = browser.run_until_done(CLOSED)
    assert [line[0] for line in lines] == ["log"] * len(host.logs(job["id"])["log"])
    assert (kind, number, told["state"]) == ("state", "end", "failed")
    assert told["error"]["message"] == "no light"


def test_a_browser_comes_back_by_itself_when_the_host_was_restarted(
    browser: Browser, make_host: MakeHost
) -> None:
    host = make_host("jobs")
    handle = host.submit("count_to", 100, 20)["id"]
    browser.open(f"{host.address}/-/jobs/{handle}")
    browser.run(FOLLOW, handle)
    eventually(lambda: browser.run("return seen.some(([kind]) => kind === 'progress')"))
    host.kill()
    eventually(lambda: browser.run("return source.readyState === EventSource.CONNECTING"))
    host.restart()
    seen, opened = browser.run_until_done(CLOSED)
    assert opened == 2
    assert seen[-1][2]["state"] == "succeeded"
    assert seen[-1][2]["attempts"] == 2
    numbers = [int(number) for _, number, _ in seen[:-1]]
    assert numbers == sorted(set(numbers)), "nothing twice, nothing out of order"


def test_a_page_can_call_cancel_and_wait(browser: Browser, host: Host) -> None:
    """All of it with the page's own means: fetch, and nothing else."""
    browser.open(f"{host.address}/-/jobs")
    handle = browser.run_until_done("""
        const done = arguments[0];
        fetch("/spin", {method: "POST", headers: {"Prefer": "respond-async"}})
            .then((reply) => reply.json()).then((job) => done(job.id));
    """)
    host.running(handle)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            browser.run_until_done,
            f"""
            const done = arguments[0];
            const job = "/-/jobs/{handle}";
            fetch(job, {{method: "DELETE"}})
                .then(() => fetch(job + "/result?wait=20")).then((reply) => reply.json())
                .then((failure) => done(failure.type));
            """,
        )
        assert waiting.result() == "Cancelled"
