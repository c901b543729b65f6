"""`tarp call` of jobs, and `tarp jobs`: bars, Ctrl-C, and coming back another day."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from command_line import CommandLine
from host import DEADLINE, TERMINAL, Host, MakeHost, eventually

CTRL_C = "\x03"
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


# Calls that are jobs.


def test_an_asynchronous_procedure_runs_as_a_job(tarp: CommandLine, host: Host) -> None:
    document = tarp.ok("call", "--json", "count_aside", "3").json
    assert document["result"] == 3
    assert document["receipt"]["fuel"] > 0
    assert host.job(document["job"])["state"] == "succeeded"
    assert tarp.ok("call", "count_aside", "3").text == "3\n"


@pytest.mark.parametrize("pause", ["0", "30"])
def test_log_lines_go_to_standard_error_also_of_a_quick_job(tarp: CommandLine, pause: str) -> None:
    ran = tarp.ok("call", "--job", "count_to", "5", pause)
    assert ran.text == "5\n"
    lines = [line.split(maxsplit=2)[1:] for line in ran.err.splitlines()]
    assert lines == [["info", "counting to 5"], ["info", "counted to 5"]]


def test_a_terminal_shows_a_bar_with_log_lines_above(tarp: CommandLine) -> None:
    with tarp.terminal("call", "--job", "count_to", "20", "50") as terminal:
        terminal.until(r"count_to \[=+>? *\] +\d+% .*\d+ of 20 · step \d+ of 20")
        terminal.until(r"info +counting to 20\r\n")
        assert terminal.ended() == 0
        assert terminal.shown.endswith("20\r\n")
        # The bar is cleared in the end: the last line is written from its beginning.
        assert terminal.raw.endswith("\r\x1b[2K20\r\n")


def test_a_pipe_has_no_bar(tarp: CommandLine) -> None:
    ran = tarp.ok("call", "--job", "count_to", "10", "20")
    assert "[" not in ran.err
    assert "\r" not in ran.err


def test_a_job_that_fails_fails_as_a_call(tarp: CommandLine) -> None:
    ran = tarp("call", "--job", "fail_after", "1", "no")
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err.endswith("ProcedureError: no\n")


def test_wrong_arguments_make_no_job(tarp: CommandLine, host: Host) -> None:
    before = len(host.jobs(procedure="echo_char"))
    ran = tarp("call", "--job", "echo_char", "ab")
    assert ran.code == 2
    assert "exactly one character" in ran.err
    assert len(host.jobs(procedure="echo_char")) == before


def test_ctrl_c_leaves_the_job_running_and_says_how_to_come_back(
    tarp: CommandLine, host: Host
) -> None:
    with tarp.terminal("call", "--job", "count_to", "1000000", "5") as terminal:
        terminal.until(r"\d+ of 1000000")
        terminal.press(CTRL_C)
        assert terminal.ended() == 130
        handle = terminal.until(rf"the job ({UUID}) goes on").group(1)
        terminal.until(rf"  tarp jobs show {handle} ")
    assert host.job(handle)["state"] == "running"
    host.cancel(handle)
    assert host.ended(handle)["state"] == "cancelled"


def test_the_way_back_names_a_host_that_is_not_the_usual_one(host: Host) -> None:
    elsewhere = CommandLine("http://127.0.0.1:1")
    process = elsewhere.start("call", host.address, "--job", "count_to", "1000000", "5")
    (job,) = eventually(lambda: host.jobs(procedure="count_to", state="running"))
    assert process.stderr
    # Its first log line says that it listens to the events.
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert f"tarp jobs --url {host.address} show {job['id']}" in err.decode()
    host.cancel(job["id"])
    host.ended(job["id"])


def test_ctrl_c_cancels_where_that_is_asked_for(tarp: CommandLine, host: Host) -> None:
    words = ("call", "--job", "--cancel-on-interrupt", "count_to", "1000000", "5")
    with tarp.terminal(*words) as terminal:
        terminal.until(r"\d+ of 1000000")
        terminal.press(CTRL_C)
        assert terminal.ended() == 130
        handle = terminal.until(rf"cancelled the job ({UUID})").group(1)
    assert host.job(handle)["state"] == "cancelled"


def test_a_detached_job_is_left_to_itself(tarp: CommandLine, host: Host) -> None:
    handle = tarp.ok("call", "--detach", "add", "1", "2").text.strip()
    assert host.result(handle) == 3
    document = tarp.ok("call", "--detach", "--json", "--priority", "1", "add", "1", "2").json
    assert document["priority"] == 1


def test_a_submission_can_be_repeated_with_its_key(tarp: CommandLine) -> None:
    words = ("call", "--detach", "--idempotency-key", "from-the-command-line", "add", "1")
    first = tarp.ok(*words, "2")
    assert tarp.ok(*words, "2").text == first.text
    other = tarp(*words, "3")
    assert other.code == 2
    assert other.err.startswith("Conflict: ")


def test_a_job_is_followed_through_a_restart_of_the_host(make_host: MakeHost) -> None:
    host = make_host("jobs")
    with CommandLine(host.address).terminal("call", "--job", "count_to", "60", "20") as terminal:
        terminal.until(r"\d+ of 60")
        host.kill()
        terminal.until("lost the connection; trying again")
        host.restart()
        assert terminal.ended() == 0
        assert terminal.shown.endswith("60\r\n")


def test_a_host_without_jobs_is_told_apart(make_host: MakeHost) -> None:
    host = make_host("math", "jobs", flags=["--jobs", "none"])
    tarp = CommandLine(host.address)
    ran = tarp("call", "--job", "add", "1", "2")
    assert ran.code == 2
    assert "keeps no jobs" in ran.err
    assert tarp.ok("call", "count_aside", "3").text == "3\n", "it is called at once"
    ran = tarp("jobs")
    assert ran.code == 2
    assert "--jobs none" in ran.err


# tarp jobs.


@pytest.fixture(scope="module")
def jobs_host(make_module_host: MakeHost) -> Host:
    """A host whose list of jobs only these tests fill, and with one place for them."""
    return make_module_host("math", "jobs", "misbehave", config="[jobs]\nplaces = 1\n")


@pytest.fixture(scope="module")
def jobs(jobs_host: Host) -> CommandLine:
    return CommandLine(jobs_host.address)


def test_jobs_are_listed_newest_first(jobs: CommandLine, jobs_host: Host) -> None:
    assert jobs.ok("jobs").err == "no jobs\n"
    first = jobs_host.ended(jobs_host.submit("add", 1, 2)["id"])["id"]
    second = jobs_host.ended(jobs_host.submit("fail_after", 1, "no")["id"])["id"]
    running = jobs_host.submit("count_to", 1_000_000, 5)["id"]
    jobs_host.running(running)
    queued = jobs_host.submit("add", 3, 4)["id"]
    listed = jobs.ok("jobs").text.splitlines()
    assert listed[0].split() == ["ID", "PROCEDURE", "STATE", "PROGRESS", "AGE", "RAN"]
    rows = [line.split()[:3] for line in listed[1:]]
    assert rows == [
        [queued, "add", "queued"],
        [running, "count_to", "running"],
        [second, "fail_after", "failed"],
        [first, "add", "succeeded"],
    ]
    assert "next in the queue" in listed[1]
    assert " of 1000000 · step " in listed[2]
    assert "ProcedureError" in listed[3]

    def handles(*words: str) -> list[str]:
        return [job["id"] for job in jobs.ok("jobs", *words, "--json").json["jobs"]]

    assert handles("list") == [queued, running, second, first]
    assert handles("--state", "failed", "--state", "succeeded") == [second, first]
    assert handles("list", "--procedure", "add", "--limit", "1") == [queued]
    assert handles("--since", "1h") == [queued, running, second, first]
    since = jobs_host.job(running)["submitted"]
    assert handles("--since", since) == [queued, running]
    assert "--limit N" in jobs.ok("jobs", "--limit", "1").err
    jobs.ok("jobs", "cancel", running, queued)
    assert jobs_host.ended(running)["state"] == "cancelled"


def test_colours_are_of_the_state(jobs: CommandLine, jobs_host: Host) -> None:
    jobs_host.ended(jobs_host.submit("add", 1, 2)["id"])
    with jobs.terminal("jobs") as terminal:
        assert terminal.ended() == 0
        assert "\x1b[32msucceeded\x1b[0m" in terminal.raw
    with jobs.terminal("jobs", NO_COLOR="1") as terminal:
        assert terminal.ended() == 0
        assert "\x1b" not in terminal.raw


def test_a_job_is_shown_also_by_the_beginning_of_its_id(jobs: CommandLine, jobs_host: Host) -> None:
    handle = jobs_host.ended(jobs_host.submit("fail_after", 1, "no")["id"])["id"]
    shown = jobs.ok("jobs", "show", handle).text
    for part in (handle, "fail_after", "failed", "ProcedureError: no", "1 of 1"):
        assert part in shown
    # Enough of it that no other job of this host begins so.
    assert jobs.ok("jobs", "show", handle[:20], "--json").json["id"] == handle
    assert "several jobs" in jobs("jobs", "show", "0").err
    for unknown in ("ffff", "00000000-0000-0000-0000-000000000000", "nonsense"):
        assert jobs("jobs", "show", unknown).code == 2


def test_logs_are_printed_and_followed(jobs: CommandLine, jobs_host: Host) -> None:
    handle = jobs_host.submit("count_to", 30, 20)["id"]
    followed = jobs.ok("jobs", "logs", "--follow", handle).text
    assert jobs_host.job(handle)["state"] in TERMINAL, "it goes on until the end"
    assert [line.split(maxsplit=2)[2] for line in followed.splitlines()] == [
        "counting to 30",
        "counted to 30",
    ]
    assert jobs.ok("jobs", "logs", handle).text == followed
    assert jobs.ok("jobs", "logs", "-f", handle).text == followed, "after its end, too"
    assert [line["message"] for line in jobs.ok("jobs", "logs", handle, "--json").json["log"]] == [
        "counting to 30",
        "counted to 30",
    ]
    chatty = jobs_host.ended(jobs_host.submit("chatter", "hello")["id"])["id"]
    assert "stdout:\n" in jobs.ok("jobs", "logs", chatty).text


def test_a_job_is_cancelled(jobs: CommandLine, jobs_host: Host) -> None:
    handle = jobs_host.submit("spin")["id"]
    jobs_host.running(handle)
    assert jobs.ok("jobs", "cancel", handle).text == f"{handle}  asked to stop\n"
    jobs_host.ended(handle)
    assert jobs.ok("jobs", "cancel", handle).text == f"{handle}  cancelled\n"
    assert jobs.ok("jobs", "cancel", handle, "--json").json["jobs"][0]["state"] == "cancelled"


def test_a_result_is_waited_for(jobs: CommandLine, jobs_host: Host, tmp_path: Path) -> None:
    handle = jobs_host.submit("count_to", 1_000_000, 5)["id"]
    ran = jobs("jobs", "result", handle)
    assert ran.code == 4
    assert "--wait" in ran.err
    start = time.monotonic()
    ran = jobs("jobs", "result", handle, "--wait", "0.3", "--json")
    assert 0.3 <= time.monotonic() - start < 5
    assert (ran.code, ran.json["type"]) == (4, "OperationInProgress")
    jobs_host.cancel(handle)
    ran = jobs("jobs", "result", handle, "--wait", "inf")
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("Cancelled: ")

    handle = jobs_host.submit("linspace", 0, 1, 3)["id"]
    assert jobs.ok("jobs", "result", handle, "--wait", "60").json == [0, 0.5, 1]
    document = jobs.ok("jobs", "result", handle, "--json").json
    assert (document["result"], document["job"]) == ([0, 0.5, 1], handle)
    jobs.ok("jobs", "result", handle, "-o", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "0.0\n0.5\n1.0\n"


def test_the_host_may_be_named_anywhere(jobs_host: Host) -> None:
    nowhere = CommandLine("http://127.0.0.1:1")
    assert nowhere("jobs").code == 3
    for words in [
        ("jobs", "--url", jobs_host.address),
        ("jobs", "list", "--url", jobs_host.address),
        ("jobs", "--url", jobs_host.address, "list"),
    ]:
        assert nowhere(*words).code == 0


def test_options_of_the_list_are_for_the_list(jobs: CommandLine) -> None:
    ran = jobs("jobs", "--state", "failed", "show", "x")
    assert ran.code == 2
    assert "behind `list`" in ran.err
    assert "running" in jobs("jobs", "--state", "done").err
    assert "2h" in jobs("jobs", "--since", "yesterday").err


def test_the_host_may_be_named_first(tarp: CommandLine, host: Host) -> None:
    job = host.submit("add", 1, 2)["id"]
    host.ended(job)
    elsewhere = {"TARP_URL": "http://127.0.0.1:9"}
    for address in (host.address, host.address.removeprefix("http://")):
        assert job[:8] in tarp.ok("jobs", address, **elsewhere).text
        assert tarp.ok("jobs", address, "result", job, **elsewhere).text == "3\n"
