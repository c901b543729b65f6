"""A job's events in a real browser: Chromium's own EventSource, headless, in a page of the host."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from browser import Browser
from host import Host, MakeHost, eventually

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


def test_a_browser_follows_a_job_to_its_end_and_then_asks_no_more(
    browser: Browser, host: Host
) -> None:
    # First, since the job does not wait for a page to be there.
    browser.open(f"{host.address}/-/jobs")
    handle = host.submit("count_to", 400, 10)["id"]
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
