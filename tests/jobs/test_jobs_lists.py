"""Lists of jobs: their order, their filters, their pages."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from host import (
    CallFailed,
    Host,
    MakeHost,
    at,
    bare,
)


@pytest.fixture(scope="module")
def listed(make_module_host: Any) -> tuple[Host, list[dict[str, Any]]]:
    """A host with thirty jobs that have ended, and these in the order of their submission."""
    host = make_module_host("math", "jobs")
    calls = [("add", [1, 2]), ("fail_after", [0, "no"]), ("note", ["x"])] * 10
    return host, [host.ended(host.submit(name, *call)["id"]) for name, call in calls]


def handles(jobs: list[dict[str, Any]]) -> list[str]:
    return [job["id"] for job in jobs]


Listed = tuple[Host, list[dict[str, Any]]]


def test_a_list_is_newest_first_and_has_the_jobs_as_they_are(listed: Listed) -> None:
    host, jobs = listed
    newest = host.jobs()
    assert handles(newest) == handles(jobs)[::-1]
    for one, other in zip(newest, jobs[::-1], strict=True):
        # `expires` counts from the host's own clock, which goes on once a minute.
        assert one | {"expires": None} == other | {"expires": None}


def test_a_list_is_filtered_by_state_procedure_and_time(listed: Listed) -> None:
    host, jobs = listed
    newest = jobs[::-1]
    failed = [job for job in newest if job["state"] == "failed"]
    assert handles(host.jobs(state="failed")) == handles(failed)
    assert handles(host.jobs(state=["failed", "succeeded"])) == handles(newest)
    assert host.jobs(state=["queued", "running"]) == []
    notes = [job for job in newest if job["procedure"] == "note"]
    assert handles(host.jobs(procedure="note")) == handles(notes)
    assert host.jobs(procedure="note", state="failed") == []
    assert host.jobs(procedure="nobody") == []
    moment = jobs[11]["submitted"]
    later = [job for job in newest if at(job["submitted"]) > at(moment)]
    earlier = [job for job in newest if at(job["submitted"]) < at(moment)]
    # What a job shows is cut to the millisecond: the job of that moment may be on either side.
    assert set(handles(later)) <= set(handles(host.jobs(since=moment)))
    assert not set(handles(earlier)) & set(handles(host.jobs(since=moment)))
    assert handles(host.jobs(until=moment)) == handles(earlier)
    assert host.jobs(since="2999-01-01T00:00:00Z") == []


@pytest.mark.parametrize("query", [{}, {"state": "succeeded"}, {"procedure": "add"}])
def test_pages_have_everything_once_and_in_order(listed: Listed, query: dict[str, str]) -> None:
    host, _ = listed
    pages, after = [], {}
    while True:
        wanted = query | {"limit": 7} | after
        page = bare(host.request("GET", "/-/jobs", params=wanted))
        pages.append(handles(page["jobs"]))
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert list(chain(*pages)) == handles(host.jobs(**query))
    assert all(len(page) == 7 for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= 7


def test_a_job_that_comes_between_two_pages_moves_nothing(make_host: MakeHost) -> None:
    host = make_host("math")
    old = [host.submit("add", n, 1)["id"] for n in range(4)]
    first = bare(host.request("GET", "/-/jobs?limit=2"))
    host.submit("add", 9, 9)
    second = bare(host.request("GET", f"/-/jobs?limit=2&after={first['next']}"))
    assert handles(first["jobs"]) + handles(second["jobs"]) == old[::-1]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("state=done", "succeeded"),
        ("limit=0", "1000"),
        ("limit=1001", "1000"),
        ("since=yesterday", "since"),
        ("after=x", "next"),
        ("colour=red", "procedure"),
    ],
)
def test_a_query_that_says_nothing_sensible_is_told_what_it_may_say(
    host: Host, query: str, word: str
) -> None:
    with pytest.raises(CallFailed, match=word) as caught:
        bare(host.request("GET", f"/-/jobs?{query}"))
    assert caught.value.status == 400
