"""A disk that is full or fails, and databases that a host must not touch."""

from __future__ import annotations

import errno
import shutil
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import tarp

from failing_disk import Disk, host_on_disk
from host import DEADLINE, CallFailed, Host, MakeHost, eventually, run_binary

#: What fails, how, and what a caller is told of it.
FAULTS = [
    ("write", errno.ENOSPC, 507, "StorageFull"),
    ("write", errno.EIO, 503, "Unavailable"),
    ("sync", errno.EIO, 503, "Unavailable"),
    ("sync", errno.ENOSPC, 503, "Unavailable"),
]
each_fault = pytest.mark.parametrize(("what", "error", "status", "kind"), FAULTS)


@pytest.fixture
def failing_host(make_host: MakeHost, faults: Path, tmp_path: Path) -> tuple[Host, Disk]:
    """A host with one place for jobs, and its disk."""
    return host_on_disk(make_host, faults, tmp_path, "[jobs]\nplaces = 1\n")


def refused(action: Callable[[], object], status: int, kind: str) -> None:
    with pytest.raises(CallFailed) as caught:
        action()
    assert (caught.value.status, caught.value.kind) == (status, kind), caught.value
    reply = caught.value.reply
    assert "Location" not in reply.headers
    assert str(reply.request.url) not in caught.value.message
    assert ".sqlite" not in caught.value.message, "the host's own paths are nobody's business"


@pytest.mark.attack(
    "a disk that refuses to write",
    "the submission is refused, and never runs",
)
@each_fault
def test_a_submission_that_cannot_be_stored_is_refused_and_never_runs(
    failing_host: tuple[Host, Disk], what: str, error: int, status: int, kind: str
) -> None:
    host, disk = failing_host
    before = host.submit("add", 1, 2)["id"]
    assert host.result(before) == 3
    with disk.failing(what, error):
        for number in range(5):
            refused(lambda n=number: host.submit("add", n, 1, Idempotency_Key=f"{n}"), status, kind)
        assert host.rpc("add", 1, 2) == 3, "a call needs no disk"
        assert host.result(before) == 3, "what is there can be read"
        assert [job["id"] for job in host.jobs()] == [before]
    after = host.submit("add", 0, 1, Idempotency_Key="0")["id"]
    assert host.result(after) == 1
    assert [job["id"] for job in host.jobs()] == [after, before]
    host.kill()
    host.restart()
    assert [job["id"] for job in host.jobs()] == [after, before]


@pytest.mark.parametrize(
    ("error", "kind"), [(errno.ENOSPC, "StorageFull"), (errno.EIO, "Unavailable")]
)
def test_the_python_client_raises_what_it_is(
    failing_host: tuple[Host, Disk], error: int, kind: str
) -> None:
    host, disk = failing_host
    with tarp.connect(host.address) as client:
        with disk.failing("write", error), pytest.raises(getattr(tarp, kind)) as caught:
            client.add.submit(1, 2)
        assert isinstance(caught.value, OSError) == (kind == "StorageFull")
        assert client.add.submit(1, 2).result(DEADLINE) == 3


@each_fault
def test_a_refusal_stands_when_the_host_is_killed_before_anything_else_is_stored(
    failing_host: tuple[Host, Disk], what: str, error: int, status: int, kind: str
) -> None:
    """After a failed sync all of the refused job may be in the database's log."""
    host, disk = failing_host
    before = host.submit("add", 1, 2)["id"]
    assert host.result(before) == 3
    with disk.failing(what, error):
        refused(lambda: host.submit("add", 3, 4, Idempotency_Key="k"), status, kind)
        host.kill()
    host.restart()
    assert [job["id"] for job in host.jobs()] == [before]


@pytest.mark.attack(
    "the same when a job ends",
    "its end is recorded once that is possible",
)
@each_fault
def test_the_end_of_a_job_is_recorded_once_that_is_possible(
    failing_host: tuple[Host, Disk], what: str, error: int, status: int, kind: str
) -> None:
    host, disk = failing_host
    running = host.submit("count_to", 25, 20)["id"]
    eventually(lambda: host.job(running)["progress"])
    waiting = host.submit("add", 1, 2)["id"]
    with disk.failing(what, error):
        eventually(lambda: running in host.log)
        assert host.job(running)["state"] == "running", "nothing is told that is not on the disk"
        refused(lambda: host.cancel(waiting), status, kind)
        assert host.rpc("add", 1, 2) == 3
    job = host.ended(running)
    assert (job["state"], job["attempts"]) == ("succeeded", 1)
    assert host.result(running) == 25
    assert host.result(waiting) == 3
    host.kill()
    host.restart()
    assert host.job(running)["state"] == host.job(waiting)["state"] == "succeeded"


def test_jobs_that_cannot_be_begun_wait_until_they_can(failing_host: tuple[Host, Disk]) -> None:
    host, disk = failing_host
    # It ends so long after the last submission that what comes next is not begun on trust.
    blocker = host.submit("count_to", 50, 20)["id"]
    eventually(lambda: host.job(blocker)["progress"])
    handles = [host.submit("add", n, 1)["id"] for n in range(20)]
    with disk.failing("write", errno.EIO):
        eventually(lambda: blocker in host.log)
        assert {host.job(handle)["state"] for handle in handles} == {"queued"}
    assert [host.result(handle) for handle in handles] == [n + 1 for n in range(20)]
    assert {host.job(handle)["attempts"] for handle in handles} == {1}


@pytest.mark.attack(
    "a disk that does not answer",
    "jobs are refused and health says so within seconds; calls go on, what runs can be stopped",
)
def test_a_disk_that_does_not_answer_keeps_nothing_up_but_jobs(
    make_host: MakeHost, faults: Path, tmp_path: Path
) -> None:
    config = "[jobs]\nplaces = 1\n[server]\ngrace = '100 ms'\n"
    host, disk = host_on_disk(make_host, faults, tmp_path, config)
    running = host.submit("spin")["id"]
    host.running(running)
    with disk.failing("hang", 1):
        for _ in range(2):
            refused(lambda: host.submit("add", 1, 2), 503, "Unavailable")
        with pytest.raises(CallFailed, match="has not answered"):
            host.submit("add", 1, 2)
        health = host.request("GET", "/-/health")
        assert health.status_code == 503
        assert "has not answered" in health.json()["reason"]
        assert host.rpc("add", 1, 2) == 3
        assert host.cancel(running)["id"] == running
        assert host.job(running)["cancel_requested"]
    assert host.ended(running)["state"] == "cancelled"
    eventually(lambda: [job["id"] for job in host.jobs()] == [running])
    after = host.submit("add", 1, 2)["id"]
    assert host.result(after) == 3
    with disk.failing("hang", 1):
        with pytest.raises(CallFailed, match="has not answered"):
            host.submit("add", 1, 2)
        host.stop()


def test_of_many_submissions_in_a_bad_moment_only_the_acknowledged_are_there(
    failing_host: tuple[Host, Disk],
) -> None:
    """The writer makes one transaction of many: all of it, or each for itself."""
    host, disk = failing_host
    acknowledged = []

    def submit(number: int) -> None:
        headers = {"Prefer": "respond-async"}
        reply = host.request("GET", f"/add?x={number}&y=1", headers=headers)
        assert reply.status_code in (202, 503, 507), reply.text
        if reply.ok:
            acknowledged.append(reply.json()["id"])

    for what, error, *_ in FAULTS:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(submit, range(40)))
            with disk.failing(what, error):
                list(pool.map(submit, range(40)))
    assert 160 <= len(acknowledged) < 320
    host.kill()
    host.restart()
    assert {job["id"] for job in host.jobs()} == set(acknowledged)
    assert {host.ended(handle)["state"] for handle in acknowledged} == {"succeeded"}


# Databases that are not to be touched.


@pytest.fixture(scope="module", params=["orderly end", "kill -9"])
def good(request: pytest.FixtureRequest, make_module_host: MakeHost) -> Path:
    """The data of a host that has ended, with a few hundred jobs in it."""
    host = make_module_host("math")
    with ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda n: host.submit("add", n, 1)["id"], range(300)))
    for handle in handles:
        host.ended(handle)
    host.stop(signal.SIGKILL if request.param == "kill -9" else signal.SIGTERM)
    return host.data


@pytest.fixture
def data(good: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return shutil.copytree(good, tmp_path / "data")


def database(data: Path) -> Path:
    return data / "jobs.sqlite"


def flushed(data: Path) -> None:
    """Moves everything into the database file itself."""
    with closing(sqlite3.connect(database(data))) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def contents(data: Path) -> dict[str, bytes]:
    """All that the data are: not the lock, in which each host writes who it is, nor SQLite's index
    of its log, nor a log in which there is nothing."""
    index = (".lock", "-shm")
    files = (file for file in data.iterdir() if file.is_file())
    kept = {f.name: f.read_bytes() for f in files if not f.name.endswith(index)}
    return {name: text for name, text in kept.items() if text or not name.endswith("-wal")}


def refusal_of(data: Path, folder: Path, *, in_use: bool = False) -> str:
    """What a host says that refuses these data, and has left them as they were, unless they are in
    use and may change meanwhile."""
    before = contents(data)
    flags = ["--port", "0", "--data", data, "--cache", folder / "cache"]
    ended = run_binary("serve", folder, *flags)
    assert ended.returncode == 1, ended.stderr
    assert "panicked" not in ended.stderr
    assert ended.stdout == "", "it never listened"
    assert str(database(data)) in ended.stderr, "it names the file"
    assert in_use or contents(data) == before
    return ended.stderr


def spoil(file: Path, at: int, with_: bytes) -> None:
    text = bytearray(file.read_bytes())
    assert len(text) >= at + len(with_)
    text[at : at + len(with_)] = with_
    file.write_bytes(text)


def test_the_data_are_good_before_they_are_spoilt(make_host: MakeHost, data: Path) -> None:
    host = make_host("math", start=False)
    host.data = data
    host.start()
    assert len(host.jobs(state="succeeded")) == 300


def test_a_corrupt_database_is_refused(data: Path, tmp_path: Path) -> None:
    flushed(data)
    size = database(data).stat().st_size
    spoil(database(data), 4096, b"\xa5" * (size // 2))
    assert "damaged" in refusal_of(data, tmp_path)


def test_a_truncated_database_is_refused(data: Path, tmp_path: Path) -> None:
    flushed(data)
    text = database(data).read_bytes()
    for size in (len(text) // 2, 3000, 100, 0):
        database(data).write_bytes(text[:size])
        assert "damaged" in refusal_of(data, tmp_path)


def test_what_is_no_database_is_refused(data: Path, tmp_path: Path) -> None:
    flushed(data)
    for text in (b"no database", b"no database" * 10_000, bytes(100_000)):
        database(data).write_bytes(text)
        assert "not an SQLite database" in refusal_of(data, tmp_path)


def test_a_database_of_another_program_is_refused(data: Path, tmp_path: Path) -> None:
    for file in filter(Path.is_file, data.iterdir()):
        file.unlink()
    with closing(sqlite3.connect(database(data))) as connection:
        connection.executescript("CREATE TABLE jobs (id); INSERT INTO jobs VALUES (1);")
    assert "another program" in refusal_of(data, tmp_path)


@pytest.mark.parametrize("in_the_log", [False, True])
def test_a_database_of_a_newer_host_is_refused(
    data: Path, tmp_path: Path, in_the_log: bool
) -> None:
    """Also where only the log says so, as a newer host that was killed leaves it."""
    kept = tmp_path / "kept"
    with closing(sqlite3.connect(database(data))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA user_version = 1000")
        connection.commit()
        if in_the_log:
            shutil.copytree(data, kept)
    if in_the_log:
        assert (kept / "jobs.sqlite-wal").stat().st_size > 0
    assert "version 1000" in refusal_of(kept if in_the_log else data, tmp_path)


def test_a_log_without_its_database_is_refused(data: Path, tmp_path: Path) -> None:
    database(data).unlink()
    (data / "jobs.sqlite-wal").write_bytes(b"7" * 5000)
    assert "damaged" in refusal_of(data, tmp_path)


def test_a_database_that_another_host_has_open_is_refused(
    make_host: MakeHost, tmp_path: Path
) -> None:
    host = make_host("math", "misbehave")
    running = host.submit("spin")["id"]
    host.running(running)
    told = refusal_of(host.data, tmp_path, in_use=True)
    assert "in use by another host (process " in told
    assert host.result(host.submit("add", 1, 2)["id"]) == 3, "the other one goes on"
    assert host.job(running)["attempts"] == 1
    host.kill()
    host.restart()
    assert host.running(running)["attempts"] == 2, "nothing keeps the lock of a host that is dead"


def test_data_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run_binary(
        *("serve", tmp_path, "--port", "0"),
        *("--data", tmp_path / "file" / "data", "--cache", tmp_path / "cache"),
    )
    assert ended.returncode == 1
    assert str(tmp_path / "file" / "data") in ended.stderr
    assert "panicked" not in ended.stderr
