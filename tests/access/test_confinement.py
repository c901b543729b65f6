"""What the host gives up at its start: new privileges, and files that it does not need."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from host import CallFailed, Host, MakeHost, eventually, guest, place

LANDLOCK_CREATE_RULESET = 444
LANDLOCK_CREATE_RULESET_VERSION = 1


def landlock_version() -> int:
    """The version of Landlock that the kernel has; negative where it has none."""
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    return syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)


#: With the first version the host does without, and says so.
HAS_LANDLOCK = landlock_version() >= 2

needs_landlock = pytest.mark.skipif(not HAS_LANDLOCK, reason="the kernel has no Landlock")


def grant(folder: Path, access: str = 'access = "read"') -> bytes:
    table = f'{{ host = "{folder}", guest = "/data", {access} }}'
    return f"[grants]\nfolders = [{table}]\n".encode()


WRITE = 'access = "write", quota = "1 MiB"'


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no host needs for itself."""
    data = tmp_path_factory.mktemp("elsewhere") / "data"
    data.mkdir()
    (data / "one.csv").write_text("1,2\n")
    return data


def failure(host: Host, name: str, *arguments: object) -> str:
    with pytest.raises(CallFailed) as failed:
        host.post(name, list(arguments))
    return failed.value.message


def problem(host: Host, file: str, *parts: str) -> None:
    """Waits until the file has a problem whose message has all of these."""

    def is_told() -> bool:
        messages = [problem["message"] for problem in host.problems().get(file, [])]
        return any(all(part in message for part in parts) for message in messages)

    eventually(is_told)


@pytest.mark.parametrize("flags", [[], ["--no-landlock"]])
@pytest.mark.attack(
    "a host that is made to run a program with more rights", "it gains none of them"
)
def test_no_thread_of_the_host_gains_privileges(make_host: MakeHost, flags: list[str]) -> None:
    host = make_host("math", flags=flags)
    assert host.post("add", [1, 2]) == 3
    tasks = list(Path(f"/proc/{host.pid}/task").iterdir())
    assert len(tasks) > 1
    for task in tasks:
        assert "NoNewPrivs:\t1\n" in (task / "status").read_text(), task


def test_what_cannot_be_given_up_is_said(make_host: MakeHost) -> None:
    host = make_host("math")
    assert ("Landlock" in host.log) == (not HAS_LANDLOCK or landlock_version() < 6), host.log


@needs_landlock
@pytest.mark.attack(
    "a file of the machine that a running host is led to: by a link, or by a new sidecar",
    "the kernel refuses it; the problem says that a restart would allow it",
)
def test_a_running_host_reaches_no_files_that_it_did_not_need(
    make_host: MakeHost, data: Path
) -> None:
    host = make_host("grants")
    place(guest("math"), data / "math.wasm")
    (host.folder / "math.wasm").symlink_to(data / "math.wasm")
    problem(host, "math.wasm", "restart it", "reachable_folders")
    place(grant(data), host.folder / "grants.toml")
    problem(host, "grants.wasm", f"the folder {data} that its sidecar grants", "restart it")
    assert "restart it" in failure(host, "read", "/data/one.csv")
    assert str(data) not in failure(host, "read", "/data/one.csv")
    host.stop()
    host.restart()
    assert host.post("read", ["/data/one.csv"]) == "1,2\n"
    assert host.post("add", [1, 2]) == 3
    assert not host.problems()


@needs_landlock
def test_a_folder_to_read_is_not_written_to_before_a_restart(
    make_host: MakeHost, data: Path
) -> None:
    host = make_host("grants", sidecars={"grants": grant(data).decode()})
    assert host.post("read", ["/data/one.csv"]) == "1,2\n"
    place(grant(data, WRITE), host.folder / "grants.toml")
    problem(host, "grants.wasm", "restart it")
    host.stop()
    host.restart()
    host.post("write", ["/data/two.csv", "3,4\n"])
    assert (data / "two.csv").read_text() == "3,4\n"


@pytest.mark.parametrize("how", ["reachable_folders", "landlock", "flag", "variable"])
def test_an_operator_may_keep_more(make_host: MakeHost, data: Path, how: str) -> None:
    config = {
        "reachable_folders": f'[server]\nreachable_folders = ["{data.parent}"]\n',
        "landlock": "[server]\nlandlock = false\n",
    }
    flags = ["--no-landlock"] if how == "flag" else []
    environment = {"TARP_NO_LANDLOCK": "1"} if how == "variable" else {}
    host = make_host("grants", config=config.get(how, ""), flags=flags, environment=environment)
    place(grant(data, WRITE), host.folder / "grants.toml")
    eventually(lambda: host.outcome("write", "/data/two.csv", "3,4\n") == "success")
    assert (data / "two.csv").read_text() == "3,4\n"


def test_what_a_host_needs_may_be_replaced_while_it_runs(make_host: MakeHost, data: Path) -> None:
    host = make_host("grants", start=False)
    later = data.parent / "later"
    (host.folder / "math.wasm").symlink_to(data / "math.wasm")
    place(guest("math"), data / "math.wasm")
    place(grant(later), host.folder / "grants.toml")
    host.start()
    assert host.post("add", [1, 2]) == 3
    # What its link leads to, by another file; a granted folder that was not there yet.
    (data / "math.wasm").unlink()
    place(guest("stats"), data / "math.wasm")
    eventually(lambda: host.serves("describe"))
    later.mkdir()
    (later / "one.csv").write_text("5,6\n")
    assert host.post("read", ["/data/one.csv"]) == "5,6\n"
