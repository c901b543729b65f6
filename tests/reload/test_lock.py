"""`components.lock`: a host that serves what it names, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import run
from components import version_of_math
from host import DEADLINE, Host, MakeHost, eventually, guest, place, run_binary

LOCKED = ["--locked"]


def lock(folder: Path) -> None:
    done = run("lock", folder, deadline=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert "component" in done.stdout


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    """A host whose folder was locked with `math` and `text` in it."""
    host = make_host("math", "text", flags=[*LOCKED, "--allow-deploy"], start=False)
    lock(host.folder)
    return host.start()


def problem(host: Host, file: str) -> str:
    return eventually(lambda: " ".join(one["message"] for one in host.problems().get(file, ())))


def test_a_host_needs_its_lock_file(tmp_path: Path) -> None:
    refused = run_binary("serve", tmp_path, "--port", 0, *LOCKED)
    assert refused.returncode == 1
    assert "`tarp lock`" in refused.stderr
    (tmp_path / "components.lock").write_text("[components]\nmath = 1\n")
    refused = run_binary("serve", tmp_path, "--port", 0, *LOCKED)
    assert "line 2" in refused.stderr


def test_what_is_not_in_the_lock_file_is_never_served(host: Host) -> None:
    assert host.serves("add")
    place(guest("stats"), host.folder / "stats.wasm")
    assert "is not in components.lock" in problem(host, "stats.wasm")
    assert "`tarp lock`" in problem(host, "stats.wasm")
    # Without its sidecar's digest, a sidecar is no part of what was locked.
    place(b"[limits]\nfuel = 5", host.folder / "text.toml")
    eventually(lambda: "digest of its sidecar" in problem(host, "text.wasm"))
    place(version_of_math(guest("math"), "Slipped in."), host.folder / "math.wasm")
    assert "its digest is" in problem(host, "math.wasm")
    assert "Slipped in." not in host.descriptions()["add"]
    assert host.get("add", {"x": 1, "y": 2}) == 3, "the version that was locked goes on"
    host.stop()
    host.restart()
    assert not host.serves("add")
    assert not host.serves("reverse")
    assert host.problems().keys() == {"math.wasm", "stats.wasm", "text.wasm"}


def test_another_lock_file_is_followed_at_once(host: Host) -> None:
    place(version_of_math(guest("math"), "Meant."), host.folder / "math.wasm")
    place(guest("stats"), host.folder / "stats.wasm")
    assert problem(host, "math.wasm")
    assert problem(host, "stats.wasm")
    lock(host.folder)
    eventually(lambda: "Meant." in host.descriptions()["add"] and host.serves("mean"))
    eventually(lambda: not {"math.wasm", "stats.wasm"} & host.problems().keys())
    # What is no longer named is no longer served, though its file is there.
    text = (host.folder / "components.lock").read_text()
    tables = text.split("[components.")
    without = [table for table in tables if not table.startswith('"stats.wasm"')]
    assert len(without) == len(tables) - 1
    place("[components.".join(without).encode(), host.folder / "components.lock")
    eventually(lambda: not host.serves("mean"))
    assert host.serves("add")


def test_a_lock_file_that_is_spoilt_or_gone_changes_nothing(host: Host) -> None:
    place(guest("stats"), host.folder / "stats.wasm")
    for spoil in (
        lambda: place(b"[components]\nmath = 1\n", host.folder / "components.lock"),
        lambda: (host.folder / "components.lock").unlink(),
    ):
        spoil()
        assert "still holds" in problem(host, "components.lock")
        assert host.serves("add")
        assert not host.serves("mean")
    lock(host.folder)
    eventually(lambda: host.serves("mean") and "components.lock" not in host.problems())


def test_nothing_is_deployed_to_a_locked_host(host: Host) -> None:
    component = version_of_math(guest("math"), "No.")
    wasm = {"Content-Type": "application/wasm"}
    address = "/-/components/math"
    for reply in (
        host.request("PUT", address, data=component, headers=wasm),
        host.request("POST", f"{address}/rollback"),
        host.request("DELETE", address),
    ):
        assert (reply.status_code, reply.json()["type"]) == (409, "Conflict"), reply.text
        assert "`tarp lock`" in reply.json()["message"]
    assert (host.folder / "math.wasm").read_bytes() == guest("math").read_bytes()
    assert host.request("GET", "/-/components").json()["locked"] is True


def test_the_configuration_locks_as_well(make_host: MakeHost) -> None:
    host = make_host("math", config="[loading]\nlocked = true", start=False)
    lock(host.folder)
    host.start()
    place(guest("text"), host.folder / "text.wasm")
    assert "components.lock" in problem(host, "text.wasm")
    assert host.serves("add")


def test_check_says_what_a_locked_host_would_not_serve(make_host: MakeHost) -> None:
    folder = make_host("math", start=False).folder
    words = ["check", folder, "--locked", "--cache", folder.parent / "cache"]
    refused = run(*words, deadline=DEADLINE)
    assert refused.returncode == 1
    assert "`tarp lock`" in refused.stderr
    lock(folder)
    assert run(*words, deadline=DEADLINE).returncode == 0
    place(guest("stats"), folder / "stats.wasm")
    told = run(*words, deadline=DEADLINE)
    assert told.returncode == 1
    assert "stats.wasm: " in told.stdout
    assert "is not in components.lock" in told.stdout
