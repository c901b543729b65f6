"""What a sidecar grants: variables, configuration, folders; and nothing beside it."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from command_line import CommandLine
from host import REPOSITORY, CallFailed, Host, MakeHost, eventually, guest, place

ENTRY = 4 << 10


def grant(*folders: str, **tables: str) -> str:
    """A sidecar with these grants."""
    lines = [f"{name} = {table}" for name, table in tables.items()]
    return "\n".join(["[grants]", f"folders = [{', '.join(folders)}]", *lines, ""])


def folder(host: Path, guest: str, quota: str = "") -> str:
    access = f'access = "write", quota = "{quota}"' if quota else 'access = "read"'
    return f'{{ host = "{host}", guest = "{guest}", {access} }}'


def refused(host: Host, name: str, *arguments: object) -> str:
    """Why a call fails."""
    with pytest.raises(CallFailed) as failure:
        host.post(name, list(arguments))
    return failure.value.message


# Variables and configuration


@pytest.fixture(scope="module")
def granted(make_module_host: MakeHost) -> Host:
    sidecar = grant(
        environment='{ MODE = "fast", "WITH SPACE" = "ä" }', config='{ station = "north" }'
    )
    return make_module_host("grants", sidecars={"grants": sidecar})


def test_a_guest_has_the_variables_that_were_granted_and_no_others(granted: Host) -> None:
    assert granted.post("variable", ["MODE"]) == "fast"
    assert granted.post("variable", ["WITH SPACE"]) == "ä"
    assert granted.post("variables", []) == ["MODE", "WITH SPACE"]
    assert granted.post("variable", ["PATH"]) is None


def test_both_drafts_of_the_configuration_have_what_was_granted(granted: Host) -> None:
    assert granted.post("configured", ["station"]) == ["north", "north"]
    assert granted.post("keys", []) == ["station", "station"]
    assert granted.post("configured", ["password"]) == [None, None]


def test_a_call_that_lacks_a_key_fails_with_the_line_that_grants_it(granted: Host) -> None:
    message = refused(granted, "needed", "password")
    assert message.startswith("no such key\n")
    assert 'config = { "password" = "…" }' in message


# Folders to read


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of data, beside something that is nobody's affair."""
    (tmp_path / "secret.txt").write_text("nobody's affair")
    data = tmp_path / "data"
    (data / "runs").mkdir(parents=True)
    (data / "one.csv").write_text("1,2\n")
    (data / "runs" / "two.csv").write_text("3,4\n")
    return data


def reader(make_host: MakeHost, data: Path) -> Host:
    return make_host("grants", sidecars={"grants": grant(folder(data, "/spectra"))})


def test_a_folder_can_be_read_and_not_written(make_host: MakeHost, data: Path) -> None:
    host = reader(make_host, data)
    assert host.post("folders", []) == ["/spectra"]
    assert host.post("entries", ["/spectra"]) == ["one.csv", "runs"]
    assert host.post("read", ["/spectra/one.csv"]) == "1,2\n"
    assert host.post("read", ["/spectra/runs/two.csv"]) == "3,4\n"
    for call in (
        ("write", "/spectra/three.csv", ""),
        ("write", "/spectra/one.csv", ""),
        ("append", "/spectra/one.csv", 1),
        ("resize", "/spectra/one.csv", 0),
        ("make_folder", "/spectra/new"),
        ("remove", "/spectra/one.csv"),
        ("rename", "/spectra/one.csv", "/spectra/three.csv"),
        ("link", "/spectra/one.csv", "/spectra/three.csv"),
        ("symlink", "one.csv", "three.csv"),
    ):
        assert "not permitted" in refused(host, *call).lower(), call
    assert (data / "one.csv").read_text() == "1,2\n"
    assert sorted(path.name for path in data.iterdir()) == ["one.csv", "runs"]


@pytest.mark.attack(
    "links out of a granted folder, `..`, absolute paths, pipes and devices in it",
    "refused; nothing outside of the folder is read",
)
def test_no_path_leads_out_of_a_folder(make_host: MakeHost, data: Path) -> None:
    outside = data.parent / "secret.txt"
    (data / "absolute").symlink_to(outside)
    (data / "relative").symlink_to("../secret.txt")
    (data / "up").symlink_to("..")
    (data / "runs" / "chain").symlink_to("../relative")
    (data / "within").symlink_to("runs/two.csv")
    (data / "runs" / "back").symlink_to("../one.csv")
    os.mkfifo(data / "pipe")
    (data / "magic").symlink_to("/proc/self/root")
    host = reader(make_host, data)
    assert host.post("read", ["/spectra/within"]) == "3,4\n"
    assert host.post("read", ["/spectra/runs/back"]) == "1,2\n"
    assert host.post("read", ["/spectra/runs/../one.csv"]) == "1,2\n"
    for path in (
        "absolute",
        "relative",
        "runs/chain",
        "up/secret.txt",
        "../secret.txt",
        "runs/../../secret.txt",
        "magic/etc/passwd",
        "pipe",
        str(outside),
        "",
        "a" * 5000,
        "a/" * 3000,
    ):
        message = refused(host, "open_raw", path)
        assert "nobody's affair" not in message, path
        for read in (f"/spectra/{path}", path):
            assert "nobody's affair" not in refused(host, "read", read), read
    assert host.post("read", ["/spectra/one.csv"]) == "1,2\n"


def test_a_call_without_a_folder_fails_with_the_line_that_grants_one(make_host: MakeHost) -> None:
    host = make_host("grants")
    message = refused(host, "read", "/spectra/one.csv")
    line = re.search(r"`(folders = .+)`", message)
    assert line, message
    place(f"[grants]\n{line.group(1)}\n".encode(), host.folder / "grants.toml")
    problem = "the folder /path/on/this/machine that its sidecar grants cannot be opened"
    eventually(lambda: problem in str(host.problems()))


def test_a_folder_that_is_missing_is_told_at_the_load_and_where_it_is_needed(
    make_host: MakeHost, data: Path
) -> None:
    missing = data / "not-yet"
    host = make_host("grants", sidecars={"grants": grant(folder(missing, "/spectra"))})
    (problem,) = host.problems()["grants.wasm"]
    assert problem["serving"]
    assert f"the folder {missing} that its sidecar grants cannot be opened" in problem["message"]
    message = refused(host, "read", "/spectra/one.csv")
    assert "the folder `/spectra` that it was granted cannot be opened" in message
    assert str(missing) not in message, "where it is on the machine is no caller's affair"
    assert host.post("variable", ["MODE"]) is None, "what needs no folder goes on"
    missing.mkdir()
    (missing / "one.csv").write_text("5,6\n")
    assert host.post("read", ["/spectra/one.csv"]) == "5,6\n"


@pytest.mark.attack(
    "a sidecar that grants the host's own directories",
    "refused, also through a link and from above",
)
def test_the_host_s_own_directories_are_not_granted(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host("grants", start=False)
    host.data.mkdir(exist_ok=True)
    link = tmp_path / "link"
    link.symlink_to(host.data)
    host.start()
    for place_of in (host.data, host.cache, host.folder, host.data.parent, link):
        text = grant(folder(place_of, "/own", quota="1 GiB"))
        place(text.encode(), host.folder / "grants.toml")
        expected = f"its sidecar grants the folder {place_of}, which meets"
        eventually(lambda expected=expected: expected in str(host.problems()))


def test_an_own_directory_that_is_put_in_place_later_is_not_opened(
    make_host: MakeHost, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    (tmp_path / "data").mkdir()
    link.symlink_to(tmp_path / "data")
    host = make_host("grants", sidecars={"grants": grant(folder(link, "/own"))})
    assert host.post("entries", ["/own"]) == []
    link.unlink()
    link.symlink_to(host.data)
    assert "cannot be opened (it is the host's own)" in refused(host, "entries", "/own")


def test_reading_costs_fuel_by_its_bytes(make_host: MakeHost, data: Path) -> None:
    (data / "large").write_bytes(bytes(4 << 20))
    (data / "small").write_bytes(bytes(1 << 20))
    host = reader(make_host, data)

    def fuel(name: str) -> int:
        reply = host.request("GET", "/read_all", params={"path": f"/spectra/{name}"})
        assert reply.ok, reply.text
        return int(reply.headers["x-tarp-fuel"])

    assert fuel("large") - fuel("small") > 3 << 20


@pytest.mark.attack(
    "a guest that keeps many files open",
    "128 at once for a call; other calls go on",
)
def test_open_files_are_bounded(make_host: MakeHost, data: Path) -> None:
    host = reader(make_host, data)
    assert host.post("open_many", ["/spectra/one.csv", 100]) == 100
    assert "128 files open" in refused(host, "open_many", "/spectra/one.csv", 1000)
    assert host.post("read", ["/spectra/one.csv"]) == "1,2\n"


@pytest.mark.attack(
    "a folder with more entries than can be listed",
    "the guest traps; the host's memory stays",
)
def test_a_listing_is_bounded(make_host: MakeHost, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(1000):
        (many / f"{number:05}").touch()
    host = make_host("grants", sidecars={"grants": grant(folder(many, "/many"))})
    assert len(host.post("entries", ["/many"])) == 1000
    first = many / "00000"
    for number in range(1000, 100_001):
        if number % 60_000 == 0:
            first = many / f"{number:06}"
            first.touch()
        else:
            os.link(first, many / f"{number:06}")
    before = host.memory
    assert "more than 100000 entries" in refused(host, "entries", "/many")
    assert host.memory - before < 32 << 20


# Folders to write to


def writer(make_host: MakeHost, data: Path, quota: str) -> Host:
    return make_host("grants", sidecars={"grants": grant(folder(data, "/out", quota))})


def test_a_folder_can_be_written_to(make_host: MakeHost, data: Path) -> None:
    host = writer(make_host, data, "1 MiB")
    host.post("write", ["/out/new.csv", "5,6\n"])
    assert (data / "new.csv").read_text() == "5,6\n"
    host.post("append", ["/out/new.csv", 100_000])
    assert (data / "new.csv").stat().st_size == 100_004
    host.post("write_at", ["/out/new.csv", 2])
    assert (data / "new.csv").read_bytes()[:4] == b"5,x\n"
    host.post("resize", ["/out/new.csv", 3])
    assert (data / "new.csv").read_bytes() == b"5,x"
    host.post("make_folder", ["/out/more"])
    host.post("rename", ["/out/new.csv", "/out/more/new.csv"])
    assert host.post("entries", ["/out/more"]) == ["new.csv"]
    host.post("remove", ["/out/more/new.csv"])
    assert not list((data / "more").iterdir())


@pytest.mark.attack(
    "a guest that writes more than its quota: at once, by many calls, by empty files, by a length "
    "without content, by files that are removed while they are open",
    "the disk looks full to it; what is in the folder stays within the quota",
)
def test_a_quota_holds_whatever_a_guest_does(make_host: MakeHost, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    quota = 1 << 20
    host = writer(make_host, out, "1 MiB")

    def used() -> int:
        entries = list(out.rglob("*"))
        return sum(ENTRY + (e.stat().st_size if e.is_file() else 0) for e in entries)

    full = "no room for more within its quota of 1.0 MiB"
    host.post("append", ["/out/a", quota - ENTRY])
    assert used() == quota
    assert full in refused(host, "append", "/out/a", 1)
    assert full in refused(host, "write", "/out/b", "")
    assert full in refused(host, "make_folder", "/out/c")
    assert full in refused(host, "write_at", "/out/a", 1 << 40)
    assert full in refused(host, "resize", "/out/a", 1 << 40)
    assert used() == quota
    # What is there can be written over, and what is removed makes room.
    host.post("write_at", ["/out/a", 0])
    host.post("rename", ["/out/a", "/out/a"])
    assert full in refused(host, "append", "/out/a", 1)
    host.post("remove", ["/out/a"])
    host.post("append", ["/out/b", quota - 3 * ENTRY])
    host.post("write", ["/out/c", ""])
    host.post("rename", ["/out/c", "/out/b"])
    assert used() == ENTRY
    host.post("append", ["/out/b", quota - ENTRY])
    host.post("remove", ["/out/b"])
    # Removed files take their bytes for as long as they are open, and no longer.
    assert full in refused(host, "hoard", "/out", 100, 100_000)
    assert host.post("hoard", ["/out", 5, 100_000]) == 5
    assert host.post("hoard", ["/out", 5, 100_000]) == 5
    assert used() <= quota
    # Empty files count as well.
    for number in range(1000):
        if host.outcome("write", f"/out/empty-{number}", "") != "success":
            break
    assert used() <= quota
    assert len(list(out.iterdir())) <= quota // ENTRY


def test_what_others_remove_makes_room_again(make_host: MakeHost, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "others").write_bytes(bytes(1 << 20))
    host = writer(make_host, out, "1 MiB")
    assert "no room for more" in refused(host, "write", "/out/a", "x")
    (out / "others").unlink()
    eventually(lambda: host.outcome("write", "/out/a", "x") == "success")


def test_writers_at_once_stay_within_one_quota(make_host: MakeHost, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    host = writer(make_host, out, "1 MiB")

    with ThreadPoolExecutor(8) as callers:
        calls = [
            callers.submit(host.outcome, "append", f"/out/{number % 3}", 50_000)
            for number in range(60)
        ]
    outcomes = {call.result() for call in calls}
    assert outcomes == {"success", "ProcedureError"}
    assert sum(ENTRY + path.stat().st_size for path in out.iterdir()) <= 1 << 20


@pytest.mark.attack(
    "links that a guest makes in a folder that it may write to",
    "refused, so that no other program is led out of it",
)
def test_a_guest_makes_no_links(make_host: MakeHost, data: Path) -> None:
    host = writer(make_host, data, "1 MiB")
    for target in ("/etc/passwd", "../secret.txt", "one.csv"):
        assert "not permitted" in refused(host, "symlink", target, "link").lower()
    assert "not permitted" in refused(host, "link", "/out/one.csv", "/out/link").lower()
    assert not (data / "link").is_symlink()


# What may be run twice


@pytest.mark.parametrize("access", ["read", "write"])
def test_a_folder_to_write_to_makes_a_job_that_is_not_run_twice(
    make_host: MakeHost, data: Path, access: str
) -> None:
    quota = "1 MiB" if access == "write" else ""
    sidecar = grant(folder(data, "/data", quota), environment='{ MODE = "fast" }')
    host = make_host("grants", sidecars={"grants": sidecar})
    call = (
        ("write_and_wait", "/data/log") if access == "write" else ("read_and_wait", "/data/one.csv")
    )
    handle = host.submit(*call, 3000)["id"]
    if access == "write":
        eventually(lambda: (data / "log").exists() and (data / "log").read_text())
    else:
        host.running(handle)
    host.kill()
    host.restart()
    job = host.ended(handle)
    if access == "read":
        assert (job["state"], job["attempts"]) == ("succeeded", 2)
    else:
        assert (job["state"], job["attempts"]) == ("interrupted", 1)
        assert (data / "log").read_text() == "line\n"


def test_a_job_with_a_folder_that_is_declared_idempotent_is_run_again(
    make_host: MakeHost, data: Path
) -> None:
    text = (
        grant(folder(data, "/data", "1 MiB")) + "[procedures.write_and_wait]\nidempotent = true\n"
    )
    host = make_host("grants", sidecars={"grants": text})
    handle = host.submit("write_and_wait", "/data/log", 3000)["id"]
    eventually(lambda: (data / "log").exists() and (data / "log").read_text())
    host.kill()
    host.restart()
    assert host.ended(handle)["state"] == "succeeded"
    assert (data / "log").read_text() == "line\nline\n"


# Wanted against granted


def test_the_catalog_has_what_is_wanted_and_what_is_granted_by_name(
    make_host: MakeHost, data: Path
) -> None:
    sidecar = grant(
        folder(data, "/spectra"),
        folder(data, "/out", "1 GiB"),
        environment='{ MODE = "fast" }',
        config='{ station = "north" }',
    )
    host = make_host("grants", sidecars={"grants": sidecar})
    reply = host.request("GET", "/-/procedures")
    (read,) = [entry for entry in reply.json()["procedures"] if entry["name"] == "read"]
    assert {"files", "config"} <= set(read["access"]["wants"])
    assert read["access"]["granted"] == {
        "environment": ["MODE"],
        "folders": [
            {"guest": "/spectra", "access": "read"},
            {"guest": "/out", "access": "write", "quota": 1 << 30},
        ],
        "config": ["station"],
        "http": [],
        "secrets": [],
    }
    assert str(data) not in reply.text
    assert "fast" not in json.dumps(read["access"])
    assert "north" not in reply.text


def test_inspect_and_check_show_what_is_wanted_and_granted(
    tarp: CommandLine, tmp_path: Path, data: Path
) -> None:
    component = tmp_path / "components" / "grants.wasm"
    place(guest("grants"), component)
    shown = tarp("inspect", component).text
    assert "might want files, configuration" in shown
    assert 'config = { KEY = "VALUE" }' in shown
    sidecar = grant(folder(data, "/spectra"), config='{ station = "north" }')
    place(sidecar.encode(), component.with_suffix(".toml"))
    shown = tarp("inspect", component).text
    assert "is granted the configuration station, /spectra to read" in shown
    assert "might want files" not in shown
    report = tarp("inspect", component, "--json").json
    assert report["access"]["granted"]["config"] == ["station"]
    checked = tarp("check", component.parent).text
    assert "grants.wasm is granted the configuration station, /spectra to read" in checked
    report = tarp("check", component.parent, "--json").json
    assert report["access"]["grants.wasm"]["granted"]["folders"][0]["guest"] == "/spectra"


def test_a_new_version_that_wants_more_says_so(make_host: MakeHost) -> None:
    host = make_host("math")
    assert host.problems() == {}
    place(guest("grants"), host.folder / "math.wasm")
    problem = eventually(lambda: host.problems().get("math.wasm"))[-1]
    assert "might want files, configuration" in problem["message"]
    assert "which the one before did not" in problem["message"]
    assert 'config = { KEY = "VALUE" }' in problem["message"]
    assert problem["serving"]


def test_the_page_s_own_sidecars_are_right(tarp: CommandLine, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "grants.md").read_text()
    sidecars = re.findall(r"```toml\n(.+?)```", page, re.S)
    assert len(sidecars) == 2
    place(guest("grants"), tmp_path / "components" / "grants.wasm")
    for text in sidecars:
        for name in set(re.findall(r'host = "(/data/\w+)"', text)):
            (tmp_path / name[1:]).mkdir(parents=True, exist_ok=True)
            text = text.replace(name, str(tmp_path / name[1:]))
        place(text.encode(), tmp_path / "components" / "grants.toml")
        checked = tarp("check", tmp_path / "components", LAB_KEY="x")
        assert checked.code == 0, checked.text
