"""`tarp call` and `tarp jobs` with something on the way to the host that answers in its place: no
outcome is told that did not happen, and what is safe is tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from command_line import CommandLine
from host import Host
from proxy import (
    BAD_GATEWAY,
    CUT_OFF,
    GATEWAY_TIMEOUT,
    NOT_FOUND,
    NOT_YET,
    PORTAL,
    Answer,
    Proxy,
    proxy_before,
)

STRANGERS = [BAD_GATEWAY, GATEWAY_TIMEOUT, PORTAL, NOT_FOUND, CUT_OFF]


@pytest.fixture
def proxy(host: Host) -> Iterator[Proxy]:
    with proxy_before(host.address) as made:
        yield made


@pytest.mark.parametrize("part", ["/result", "/events"])
@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_job_is_followed_through_answers_of_strangers(
    proxy: Proxy, part: str, stranger: Answer
) -> None:
    proxy.answer_once(part, stranger, stranger)
    assert CommandLine(proxy.address).ok("call", "--job", "count_to", "3", "5").text == "3\n"


def test_a_submission_whose_reply_is_lost_makes_one_job(proxy: Proxy, host: Host) -> None:
    before = len(host.request("GET", "/-/jobs?procedure=reverse").json()["jobs"])
    proxy.losses = 1
    assert CommandLine(proxy.address).ok("call", "--job", "reverse", "abc").text == "cba\n"
    assert [asked for asked in proxy.asked if asked[0] == "POST"] == [("POST", "/reverse")] * 2
    after = host.request("GET", "/-/jobs?procedure=reverse").json()["jobs"]
    assert len(after) == before + 1


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_submission_is_sent_again_after_a_stranger_s_answer(
    proxy: Proxy, stranger: Answer
) -> None:
    proxy.answer_once("POST /add", stranger)
    assert CommandLine(proxy.address).ok("call", "--job", "add", "1", "2").text == "3\n"


def test_busy_answers_of_a_cache_are_no_outcome(proxy: Proxy) -> None:
    tarp = CommandLine(proxy.address)
    job = tarp.ok("call", "--detach", "add", "1", "2").text.strip()
    tarp.ok("jobs", "result", job, "--wait", "60")
    proxy.answer_once("/result", NOT_YET, NOT_YET)
    assert tarp.ok("jobs", "result", job).text == "3\n"


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_plain_call_is_not_repeated_and_has_no_stranger_s_result(
    proxy: Proxy, stranger: Answer
) -> None:
    proxy.answer_once("POST /add", stranger)
    ran = CommandLine(proxy.address)("call", "add", "1", "2")
    assert ran.code == 3
    assert ran.text == ""
    assert proxy.asked.count(("POST", "/add")) == 1
