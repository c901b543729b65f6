"""What the store keeps of jobs, gives back and refuses, and jobs that cannot run or be kept."""

from __future__ import annotations

import errno
import json
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from failing_disk import Disk, host_on_disk
from host import DEADLINE, CallFailed, Host, MakeHost, eventually, guest, place

# Jobs whose procedure is not there.


@pytest.mark.attack(
    "jobs whose procedure is missing for a moment",
    "they wait, with the reason, and run when it is back",
)
def test_a_job_waits_for_a_procedure_that_is_missing_for_a_moment(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave", config="[jobs]\nplaces = 1\n")
    blocker = host.submit("spin")["id"]
    host.running(blocker)
    waiting = host.submit("add", 1, 2)["id"]
    (host.folder / "math.wasm").unlink()
    eventually(lambda: not host.serves("add"))
    host.cancel(blocker)
    job = eventually(lambda: (job := host.job(waiting))["reason"] and job)
    assert (job["state"], job["position"], job["attempts"]) == ("queued", None, 0)
    assert "`add`" in job["reason"]
    host.kill()
    host.restart()
    assert eventually(lambda: host.job(waiting)["reason"])
    place(guest("math"), host.folder / "math.wasm")
    assert host.result(waiting) == 3
    assert (host.job(waiting)["reason"], host.job(waiting)["attempts"]) == (None, 1)


@pytest.mark.attack(
    "jobs whose procedure stays away",
    "they fail after `wait_for_procedure`",
)
def test_a_job_whose_procedure_stays_away_fails_at_last(make_host: MakeHost) -> None:
    config = "[jobs]\nplaces = 1\nwait_for_procedure = '2 s'\n"
    host = make_host("math", "misbehave", config=config)
    blocker = host.submit("spin")["id"]
    host.running(blocker)
    failing, cancelled = host.submit("add", 1, 2)["id"], host.submit("add", 3, 4)["id"]
    (host.folder / "math.wasm").unlink()
    eventually(lambda: not host.serves("add"))
    host.cancel(blocker)
    eventually(lambda: host.job(cancelled)["reason"])
    assert host.cancel(cancelled)["state"] == "cancelled"
    with pytest.raises(CallFailed, match="wait_for_procedure") as caught:
        host.result(failing)
    assert (caught.value.kind, host.job(failing)["state"]) == ("NotFound", "failed")


def test_a_job_runs_in_the_version_that_it_is_pinned_to(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave", config="[jobs]\nplaces = 1\n")
    digest = host.job(host.submit("add", 1, 2)["id"])["digest"]
    with pytest.raises(CallFailed, match=digest) as caught:
        host.submit("add", 1, 2, X_Tarp_Digest="0" * 64)
    assert (caught.value.status, caught.value.kind) == (409, "Conflict")
    reply = host.request("GET", "/add?x=1&y=2", headers={"X-Tarp-Digest": "0" * 64})
    assert reply.status_code == 409, "of a call too"
    blocker = host.submit("spin")["id"]
    host.running(blocker)
    pinned = host.submit("add", 1, 2, X_Tarp_Digest=digest)
    free = host.submit("add", 3, 4)
    assert (pinned["is_pinned"], free["is_pinned"]) == (True, False)
    component = guest("math").read_bytes()
    # A custom section at its end makes another version of the same component.
    place(component + b"\x00\x03\x01x.", host.folder / "math.wasm")
    eventually(lambda: host.job(host.submit("add", 5, 6)["id"])["digest"] != digest)
    host.cancel(blocker)
    assert host.result(free["id"]) == 7
    assert host.job(free["id"])["digest"] != digest
    assert digest in eventually(lambda: host.job(pinned["id"])["reason"])
    place(component, host.folder / "math.wasm")
    assert host.result(pinned["id"]) == 3
    assert host.job(pinned["id"])["digest"] == digest


# Limits.


@pytest.mark.attack(
    "`[limits]` raised for calls",
    "jobs have them as well",
)
def test_limits_of_calls_reach_jobs(make_host: MakeHost) -> None:
    host = make_host("misbehave", config="[limits]\nresult = '10 KiB'\nmemory = '32 MiB'\n")
    assert host.outcome("flood_result", 20_000) == "TooLarge"
    with pytest.raises(CallFailed) as caught:
        host.result(host.submit("flood_result", 20_000)["id"])
    assert caught.value.kind == "TooLarge"
    assert host.outcome("flood_result", 40_000_000) == "OutOfMemory"
    with pytest.raises(CallFailed) as caught:
        host.result(host.submit("flood_result", 40_000_000)["id"])
    assert caught.value.kind == "OutOfMemory"


@pytest.mark.attack(
    "many long jobs of one procedure with `max_running`",
    "others run beside them",
)
def test_a_long_procedure_leaves_places_for_others(make_host: MakeHost) -> None:
    host = make_host(
        *("misbehave", "math"),
        config="[jobs]\nplaces = 2\n",
        sidecars={"misbehave": "[procedures.spin]\nmax_running = 1\n"},
    )
    first, second, third = (host.submit("spin")["id"] for _ in range(3))
    host.running(first)
    assert [host.result(host.submit("add", n, 1)["id"]) for n in range(5)] == [1, 2, 3, 4, 5]
    job = host.job(second)
    assert (job["state"], job["position"]) == ("queued", None)
    assert "`spin`" in job["reason"]
    assert host.cancel(second)["state"] == "cancelled"
    host.cancel(first)
    host.running(third)
    host.cancel(third)


@pytest.mark.attack(
    "many long jobs of one submitter with `max_running_per_submitter`",
    "those of others run beside them",
)
def test_a_greedy_submitter_leaves_places_for_others(make_host: MakeHost) -> None:
    host = make_host(
        *("misbehave", "math"), config="[jobs]\nplaces = 2\nmax_running_per_submitter = 1\n"
    )
    first, second, third = (host.submit("spin")["id"] for _ in range(3))
    host.running(first)

    def submit_from_elsewhere(number: int) -> str:
        """All of 127.0.0.0/8 is this machine, and each address another peer."""
        url = urlsplit(host.address)
        connection = HTTPConnection(
            url.hostname, url.port, timeout=DEADLINE, source_address=("127.0.0.2", 0)
        )
        with closing(connection):
            headers = {"Prefer": "respond-async"}
            connection.request("GET", f"/add?x={number}&y=1", headers=headers)
            return json.loads(connection.getresponse().read())["id"]

    others = [submit_from_elsewhere(number) for number in range(5)]
    assert [host.result(handle) for handle in others] == [1, 2, 3, 4, 5]
    job = host.job(second)
    assert (job["state"], job["position"]) == ("queued", None)
    assert "submitter" in job["reason"]
    host.kill()
    host.restart()
    left = [first, second, third]
    for _ in range(3):
        # Whichever had its turn first when the procedure was loaded.
        (running,) = eventually(lambda: host.jobs(state="running"))
        assert running["id"] in left
        assert len(host.jobs(state="queued")) == len(left) - 1
        left.remove(running["id"])
        host.cancel(running["id"])
        host.ended(running["id"])


# What is kept, and how it goes.


def test_a_job_that_has_ended_is_removed_when_it_is_deleted(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave")
    kept, removed = (host.submit("add", n, 1, Idempotency_Key=f"{n}")["id"] for n in range(2))
    for handle in (kept, removed):
        host.ended(handle)
    assert host.cancel(kept)["state"] == "succeeded", "keep=true only asks to stop"
    assert host.result(kept) == 1
    reply = host.request("DELETE", f"/-/jobs/{removed}")
    assert (reply.status_code, reply.json()["state"]) == (200, "succeeded"), "as it was"
    for path in ("", "/result", "/logs", "/events"):
        assert host.request("GET", f"/-/jobs/{removed}{path}").status_code == 410
    assert host.request("DELETE", f"/-/jobs/{removed}").status_code == 410
    assert [job["id"] for job in host.jobs()] == [kept]
    with pytest.raises(CallFailed) as caught:
        host.submit("add", 1, 1, Idempotency_Key="1")
    assert caught.value.status == 410, "the key is not free for another run"
    host.kill()
    host.restart()
    assert host.request("GET", f"/-/jobs/{removed}").status_code == 410
    running = host.submit("spin")["id"]
    host.running(running)
    host.request("DELETE", f"/-/jobs/{running}")
    assert host.ended(running)["state"] == "cancelled"


def size_of(host: Host) -> int:
    return sum(file.stat().st_size for file in host.data.iterdir() if file.is_file())


@pytest.mark.attack(
    "jobs that are removed",
    "their space goes back to the disk",
)
def test_space_that_is_freed_goes_back_to_the_disk(make_host: MakeHost) -> None:
    host = make_host("misbehave")
    handles = [host.submit("flood_result", 4_000_000)["id"] for _ in range(12)]
    for handle in handles:
        assert host.ended(handle)["state"] == "succeeded"
    host.stop()
    assert size_of(host) > 45_000_000
    host.restart()
    for handle in handles:
        host.request("DELETE", f"/-/jobs/{handle}")
    host.stop()
    assert size_of(host) < 10_000_000
    assert (host.data / "jobs.clean").exists(), "closed in good order"
    assert not (host.data / "jobs.sqlite-wal").exists()
    host.restart()
    assert host.jobs() == []
    assert not (host.data / "jobs.clean").exists()


@pytest.mark.attack(
    "more jobs than `max_disk` has room for",
    "507 for what is beyond it",
)
def test_no_more_is_kept_than_the_quota(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave", "text", config="[jobs]\nmax_disk = '2 MiB'\n")
    small = host.submit("add", 1, 2)["id"]
    assert host.result(small) == 3
    big = ["x" * 1_500_000]
    first = host.submit("reverse", *big)["id"]
    # What it gives takes the room of what it was given.
    assert host.ended(first)["state"] == "succeeded"
    host.request("DELETE", f"/-/jobs/{first}")
    held = host.submit("flood_result", 1_500_000)["id"]
    assert host.ended(held)["state"] == "succeeded"
    with pytest.raises(CallFailed, match="max_disk") as caught:
        host.submit("reverse", *big)
    assert (caught.value.status, caught.value.kind) == (507, "StorageFull")
    assert host.result(small) == 3, "what is there stays"
    host.request("DELETE", f"/-/jobs/{held}")
    again = host.submit("reverse", *big)["id"]
    host.cancel(again)


@pytest.mark.attack(
    "a result that is larger than the quota",
    "the job fails, and is not tried for ever",
)
def test_a_result_beyond_the_quota_is_a_failure_and_not_tried_for_ever(
    make_host: MakeHost,
) -> None:
    host = make_host("misbehave", config="[jobs]\nmax_disk = '1 MiB'\nwait_for_room = '1 s'\n")
    job = host.ended(host.submit("flood_result", 3_000_000)["id"])
    assert (job["state"], job["error"]["type"]) == ("failed", "StorageFull")
    assert "max_disk" in job["error"]["message"]


# A disk that is full.


@pytest.fixture
def full_host(make_host: MakeHost, faults: Path, tmp_path: Path) -> tuple[Host, Disk]:
    config = "[jobs]\nplaces = 2\nwait_for_room = '1 s'\ncancel_grace = '1 s'\n"
    return host_on_disk(make_host, faults, tmp_path, config)


@pytest.mark.attack(
    "a running job, with a full disk",
    "it can be cancelled",
)
def test_what_runs_can_be_stopped_though_the_disk_is_full(full_host: tuple[Host, Disk]) -> None:
    host, disk = full_host
    running = host.submit("spin")["id"]
    host.running(running)
    with disk.failing("write", errno.ENOSPC):
        assert host.cancel(running)["cancel_requested"] is True
        eventually(lambda: "cannot record the end" in host.log)
    assert host.ended(running)["state"] == "cancelled"


@pytest.mark.attack(
    "a result that finds no room on the disk",
    "the job fails after `wait_for_room`",
)
def test_a_result_that_finds_no_room_for_long_is_a_failure(full_host: tuple[Host, Disk]) -> None:
    host, disk = full_host
    handle = host.submit("count_to", 25, 20)["id"]
    eventually(lambda: host.job(handle)["progress"])
    with disk.failing("write", errno.ENOSPC):
        eventually(lambda: "cannot be kept" in host.log)
        assert host.job(handle)["state"] == "running", "nothing is told that is not on the disk"
    job = host.ended(handle)
    assert (job["state"], job["error"]["type"]) == ("failed", "StorageFull")


@pytest.mark.attack(
    "a start with a full disk",
    "calls are served",
)
def test_a_host_starts_and_serves_calls_though_the_disk_is_full(
    full_host: tuple[Host, Disk],
) -> None:
    host, disk = full_host
    running, waiting = host.submit("count_to", 100, 20)["id"], host.submit("add", 1, 2)["id"]
    host.running(running)
    host.kill()
    with disk.failing("write", errno.ENOSPC):
        host.restart()
        assert host.rpc("add", 1, 2) == 3
        assert host.request("GET", "/-/health/ready").status_code == 503
    eventually(lambda: host.request("GET", "/-/health/ready").status_code == 200)
    assert (host.result(running), host.result(waiting)) == (100, 3)


def test_a_host_makes_its_store_once_there_is_room(full_host: tuple[Host, Disk]) -> None:
    host, disk = full_host
    host.stop()
    host.data = host.data / "another"
    with disk.failing("write", errno.ENOSPC):
        host.start()
        assert host.rpc("add", 1, 2) == 3
        with pytest.raises(CallFailed) as caught:
            host.submit("add", 1, 2)
        assert (caught.value.status, caught.value.kind) in {
            (507, "StorageFull"),
            (503, "Unavailable"),
        }
    eventually(lambda: host.request("GET", "/-/health/ready").status_code == 200)
    assert host.result(host.submit("add", 1, 2)["id"]) == 3


@pytest.mark.attack(
    "health with a full disk",
    "not ready",
)
def test_a_host_is_not_ready_while_its_disk_is_full(full_host: tuple[Host, Disk]) -> None:
    host, disk = full_host
    assert host.request("GET", "/-/health").status_code == 200
    with disk.failing("write", errno.ENOSPC):
        eventually(lambda: host.request("GET", "/-/health").status_code == 503)
        health = host.request("GET", "/-/health").json()
        assert (health["live"], health["ready"]) == (True, False)
        assert "room" in health["reason"]
        assert ".sqlite" not in health["reason"]
    eventually(lambda: host.request("GET", "/-/health").status_code == 200)


# Restarts.


@pytest.mark.attack(
    "several orderly restarts while a job runs",
    "they do not count as attempts that failed",
)
def test_orderly_restarts_are_no_fault_of_a_job(make_host: MakeHost) -> None:
    host = make_host("misbehave", config="[server]\ngrace = '100 ms'\n")
    handle = host.submit("sleep_for", 6000)["id"]
    for _ in range(3):
        host.running(handle)
        host.stop()
        host.restart()
    host.running(handle)
    host.kill()
    host.restart()
    job = host.ended(handle)
    assert (job["state"], job["attempts"]) == ("succeeded", 5)


@pytest.mark.attack(
    "`kill -9` while a job runs",
    "its log and progress so far are kept",
)
def test_a_crash_leaves_log_and_progress(make_host: MakeHost) -> None:
    config = "[jobs]\nplaces = 1\n"
    host = make_host("jobs", config=config)
    handle = host.submit("count_to", 1000, 20)["id"]
    eventually(lambda: (host.job(handle)["progress"] or {"done": 0})["done"] > 200)
    host.kill()
    # Without its procedure the job stays as the crash left it.
    (host.folder / "jobs.wasm").unlink()
    host.restart()
    job = eventually(lambda: (job := host.job(handle))["reason"] and job)
    assert job["state"] == "queued"
    assert job["progress"]["done"] > 0
    assert "counting to 1000" in [line["message"] for line in host.logs(handle)["log"]]


# Where the data are.


class OfUser(Host):
    """A host that keeps its jobs where it does if nobody says where."""

    def _command(self) -> list[str]:
        command = super()._command()
        at = command.index("--data")
        return command[:at] + command[at + 2 :]


@pytest.mark.attack(
    "another folder with the same default directories",
    "each folder has data of its own",
)
def test_each_folder_has_data_of_its_own(tmp_path: Path, cache: Path) -> None:
    environment = {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "data")}
    hosts: list[Host] = []
    try:
        for name in ("one", "two"):
            folder = tmp_path / name / "procedures"
            folder.mkdir(parents=True)
            place(guest("math"), folder / "math.wasm")
            log = tmp_path / name / "log"
            host = OfUser(folder, cache=cache, log_file=log, environment=environment)
            hosts.append(host)
            host.start()
            handle = host.submit("add", 1, 2)["id"]
            assert host.result(handle) == 3
            assert [job["id"] for job in host.jobs()] == [handle]
        assert hosts[0].stop() == 0
        assert len(hosts[0].restart().jobs()) == 1
    finally:
        for host in hosts:
            host.kill()


def test_a_job_waits_for_a_host_with_its_labels(make_host: MakeHost) -> None:
    sidecars = {"math": '[procedures.add]\nrequires = ["gpu", "large"]\n'}
    host = make_host("math", sidecars=sidecars, config='[jobs]\nlabels = ["large"]\n')
    waits = host.submit("add", 1, 2)["id"]
    assert host.result(host.submit("sum", [1.0, 2.0])["id"]) == 3
    job = host.job(waits)
    assert (job["state"], job["position"]) == ("queued", None)
    assert job["reason"].startswith("waits for a host with the label `gpu`;")
    assert host.post("add", [1, 2]) == 3, "calls that are waited for are served where they arrive"
    host.stop()
    config = host.log_file.parent / "tarp.toml"
    config.write_text('[jobs]\nlabels = ["gpu", "large"]\n')
    host.restart()
    assert host.result(waits) == 3
