"""Jobs in the console: a bar that moves, logs as they come, results, filters, cancelling; and the
overview."""

from __future__ import annotations

import pytest

from browser import Browser
from console import Console, field
from host import Host, MakeHost, eventually


@pytest.fixture
def console(browser: Browser, host: Host) -> Console:
    browser.resize(1280)
    return Console(browser, host)


def share(console: Console) -> float:
    """How full the first bar is."""
    script = "return document.querySelector('progress')?.getAttribute('value') ?? '0'"
    return float(console.browser.run(script))


def test_a_bar_moves_and_ends_with_the_result(console: Console) -> None:
    browser = console.browser
    console.open_procedure("count_to")
    browser.type(field("n"), "100")
    browser.type(field("pause_ms"), "30")
    console.press("Run as a job")
    browser.find(".job-panel progress[value]")
    first = eventually(lambda: share(console))
    assert eventually(lambda: share(console) > first)
    console.says("running", ".job-panel")
    console.says("counting to 100", ".log")
    console.says("succeeded", ".job-panel")
    assert eventually(lambda: browser.text(".job-panel .big")) == "100"
    assert share(console) == 1


def test_a_job_has_a_page_of_its_own(console: Console) -> None:
    job = console.host.submit("count_to", 3, 1)
    console.host.ended(job["id"])
    console.open("jobs", job["id"])
    console.says("succeeded")
    assert console.browser.text("main h1") == "count_to"
    assert eventually(lambda: console.browser.text(".job-panel .big")) == "3"
    console.says("Fuel")


def test_output_and_logs_come_while_the_job_runs(console: Console) -> None:
    handle = console.host.submit("until_asked_to_stop")["id"]
    console.host.running(handle)
    console.open("jobs", handle)
    console.says("Standard output")
    console.press("Cancel")
    eventually(lambda: console.browser.text(".state") in ("cancelled", "succeeded"))
    logged = console.host.submit("note", "one <b>line</b>")["id"]
    console.host.ended(logged)
    console.open("jobs", logged)
    console.says("one <b>line</b>", ".log")
    levels = console.browser.run(
        "return [...document.querySelectorAll('.level')].map(x => x.innerText)"
    )
    assert levels == ["trace", "debug", "info", "warn", "error"]


def test_a_job_that_failed_shows_how(console: Console) -> None:
    handle = console.host.submit("fail_after", 2, "no light")["id"]
    console.host.ended(handle)
    console.open("jobs", handle)
    console.says("failed")
    console.says("no light", ".failure")


def test_a_result_of_64_bits_stays_exact(console: Console) -> None:
    handle = console.host.submit("echo_u64", 2**64 - 1)["id"]
    console.host.ended(handle)
    console.open("jobs", handle)
    console.says(str(2**64 - 1), ".job-panel")


def test_a_handle_that_nobody_gave_says_so(console: Console) -> None:
    console.open("jobs", "01234567-89ab-7cde-8f01-23456789abcd")
    console.says("no job", "[role=alert]")


def rows(console: Console) -> list[str]:
    script = "return [...document.querySelectorAll('.jobs li')].map((row) => row.innerText)"
    return console.browser.run(script)


def test_the_list_lives_and_is_filtered(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("jobs", config="[jobs]\nplaces = 1")
    console = Console(browser, host)
    console.open("jobs")
    console.says("No jobs yet.")
    host.ended(host.submit("fail_after", 1, "no light")["id"])
    first = host.submit("count_to", 2000, 100)["id"]
    second = host.submit("count_aside", 5)["id"]
    eventually(lambda: len(rows(console)) == 3)
    assert eventually(lambda: 0 < share(console) < 1)
    before = share(console)
    assert eventually(lambda: share(console) > before)
    console.says("no light", ".jobs")
    states = "return [...document.querySelectorAll('.jobs .state')].map((one) => one.innerText)"
    assert browser.run(states) == ["running", "queued", "failed"]
    browser.choose(".filters label:nth-of-type(1) select", "failed")
    eventually(lambda: browser.run(states) == ["failed"])
    browser.choose(".filters label:nth-of-type(1) select", "going")
    eventually(lambda: browser.run(states) == ["running", "queued"])
    browser.choose(".filters label:nth-of-type(2) select", "count_to")
    eventually(lambda: browser.run(states) == ["running"])
    console.press(f"Cancel count_to {first[-4:]}")
    eventually(lambda: host.job(first)["state"] in ("cancelled", "succeeded"))
    eventually(lambda: browser.run(states) == [])
    assert host.result(second) == 5


def test_the_overview_shows_how_the_host_fares(console: Console) -> None:
    """Or says that it cannot: a host may not tell."""
    host = console.host
    for _ in range(5):
        host.post("add", {"x": 1, "y": 2})
    told = host.request("GET", "/-/overview")
    console.open("overview")
    if told.status_code == 404:
        console.says("Not available")
        return
    for name in ("Calls per second", "Failures", "Latency", "Running", "Memory"):
        console.says(name, ".tiles")
    console.says("add", ".per-procedure")
    assert console.complaints() == []


# What a job was called with.


def test_a_job_shows_its_arguments_and_can_be_run_again(console: Console) -> None:
    browser = console.browser
    handle = console.host.submit("echo_u64", 2**64 - 1)["id"]
    console.host.ended(handle)
    console.open("jobs", handle)
    console.says(str(2**64 - 1), ".job-given")
    console.press("Run again")
    console.until(f"!location.hash.includes('{handle}')")
    again = browser.run("return location.hash.split('/').pop()")
    assert again != handle
    assert console.host.result(again) == 2**64 - 1
    console.says(str(2**64 - 1), ".job-panel")


def test_a_job_can_be_edited_and_run(console: Console) -> None:
    browser = console.browser
    given = {
        "label": "run 7",
        "values": [1.0, "NaN"],
        "unit": None,
        "taken_at": {"x": 1.5, "y": -2.0},
        "color": "light_blue",
        "marks": ["checked_by_hand"],
        "calibration": {"err": "the lamp was off"},
    }
    handle = console.host.submit("echo_sample", given)["id"]
    console.host.ended(handle)
    console.open("jobs", handle)
    console.says("run 7", ".job-given")
    console.press("Edit and run")
    label = field("value.label")
    console.until("document.getElementById('field-value.label')?.value === 'run 7'")
    browser.fill(label, "run 8")
    console.call()
    assert console.json() == given | {"label": "run 8"}


def test_a_request_to_a_web_procedure_is_run_again(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("plot")
    console = Console(browser, host)
    content = {"Content-Type": "application/json", "Prefer": "respond-async"}
    body = '{"frequency": 3, "amplitude": 0.25}'
    handle = host.request("POST", "/set_params?x=1", data=body, headers=content).json()["id"]
    host.ended(handle)
    console.open("jobs", handle)
    console.says("frequency", ".job-given")
    console.press("Run again")
    console.until(f"!location.hash.includes('{handle}')")
    console.says("0.25", ".job-panel")
    console.press("Edit and run")
    found = "document.querySelector('[aria-label=\"Body\"]')?.value"
    assert console.until(found) == body
    assert (
        browser.run("return document.querySelector('[aria-label=\"Query: name 1\"]').value") == "x"
    )


def test_a_job_that_was_cancelled_is_no_crash(console: Console) -> None:
    handle = console.host.submit("spin")["id"]
    console.host.running(handle)
    console.open("jobs", handle)
    console.press("Cancel")
    console.says("cancelled", ".job-panel .note")
    assert not console.browser.run("return document.querySelector('.failure, [role=alert]')")
    console.open("jobs")
    console.says("cancelled", ".jobs")
    row = """
        const row = [...document.querySelectorAll(".jobs li")]
            .find((one) => one.innerHTML.includes(arguments[0]));
        return row.querySelector(".job-error") === null;
    """
    assert console.browser.run(row, handle)


def test_the_filter_is_in_the_address_and_jobs_are_counted(
    browser: Browser, make_host: MakeHost
) -> None:
    host = make_host("math", "jobs")
    for _ in range(3):
        host.ended(host.submit("add", 1, 2)["id"])
    host.ended(host.submit("fail_after", 0, "no light")["id"])
    console = Console(browser, host)
    console.open("jobs")
    console.says("(4)", ".jobs h2")
    states = "return [...document.querySelectorAll('.jobs .state')].map((one) => one.innerText)"
    browser.choose(".filters label:nth-of-type(1) select", "failed")
    eventually(lambda: browser.run(states) == ["failed"])
    assert browser.run("return location.hash") == "#/jobs?state=failed"
    browser.choose(".filters label:nth-of-type(2) select", "add")
    console.says("No job is like this.")
    assert browser.run("return location.hash") == "#/jobs?state=failed&procedure=add"
    browser.run("history.back()")
    eventually(lambda: browser.run(states) == ["failed"])
    browser.command("POST", "refresh", {})
    eventually(lambda: browser.run(states) == ["failed"])
    option = "return document.querySelector('.filters option[value=succeeded]').textContent"
    assert eventually(lambda: browser.run(option)) == "succeeded (3)"
