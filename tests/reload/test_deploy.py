"""Components that are deployed, rolled back and removed from elsewhere, while the host serves."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from command_line import CommandLine
from components import CORE_MODULE, version_of_math, with_section
from host import Host, MakeHost, bare, eventually, guest, in_background, place
from tokens import bearer, create, knows

WASM = {"Content-Type": "application/wasm"}


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    """A host that serves `math` and takes components from whoever reaches it."""
    return make_host("math", flags=["--allow-deploy"])


def put(
    host: Host, component: bytes, name: str = "math", sidecar: str | None = None, **headers: str
) -> requests.Response:
    given = {header.replace("_", "-"): value for header, value in headers.items()}
    address = f"/-/components/{name}"
    if sidecar is None:
        return host.request("PUT", address, data=component, headers=WASM | given)
    form = {
        "component": ("math.wasm", component, "application/wasm"),
        "sidecar": ("math.toml", sidecar, "application/toml"),
    }
    return host.request("PUT", address, files=form, headers=given)


def newer(text: str) -> bytes:
    return version_of_math(guest("math"), text)


def told(host: Host, text: str) -> bool:
    return text in host.descriptions().get("add", "")


def component(host: Host, name: str = "math") -> dict[str, Any]:
    return bare(host.request("GET", f"/-/components/{name}"))


def contents(host: Host) -> dict[str, bytes]:
    """Every file in the folder, hidden ones too."""
    files = (path for path in host.folder.rglob("*") if path.is_file())
    return {str(path.relative_to(host.folder)): path.read_bytes() for path in files}


def refusal(reply: requests.Response, status: int, kind: str) -> str:
    assert (reply.status_code, reply.json()["type"]) == (status, kind), reply.text
    return reply.json()["message"]


# Deploying.


def test_a_new_component_is_served_when_the_reply_comes(host: Host) -> None:
    reply = put(host, guest("text").read_bytes(), "text")
    assert reply.status_code == 201, reply.text
    deployed = reply.json()
    assert host.rpc("reverse", "abc") == "cba"
    assert (deployed["name"], deployed["file"]) == ("text", "text.wasm")
    assert "reverse" in deployed["procedures"]
    assert "reverse(text: string) -> string" in deployed["changes"]["added"]
    assert deployed["previous"] is None
    assert reply.headers["ETag"] == f'"{deployed["digest"]}"'
    assert contents(host).keys() == {"math.wasm", "text.wasm"}
    assert (host.folder / "text.wasm").stat().st_mode & 0o777 == 0o666 & ~umask()
    procedures = bare(host.request("GET", "/-/procedures"))["procedures"]
    digests = {entry["digest"] for entry in procedures if entry["file"] == "text.wasm"}
    assert digests == {deployed["digest"]}


def umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_a_version_is_replaced_under_load_and_no_call_fails(host: Host) -> None:
    def call(over: threading.Event) -> None:
        while not over.is_set():
            assert host.get("add", {"x": 1, "y": 2}) == 3

    with in_background(call, count=4):
        for number in range(6):
            reply = put(host, newer(f"Version {number}."))
            assert reply.status_code == 200, reply.text
            assert told(host, f"Version {number}."), "it is served when the reply comes"
    assert contents(host).keys() == {"math.wasm"}


def test_what_changes_is_told(host: Host) -> None:
    before = component(host)
    changed = put(host, guest("stats").read_bytes()).json()
    assert changed["previous"] == before["version"]
    assert "add(x: s64, y: s64) -> s64" in changed["changes"]["removed"]
    names = {text.split("(")[0] for text in changed["changes"]["added"]}
    assert "mean" in names
    again = put(
        host, guest("stats").read_bytes(), sidecar="[procedures.mean]\ndefaults = {values = [1]}"
    ).json()
    assert [one["before"].split("(")[0] for one in again["changes"]["changed"]] == ["mean"]
    assert not again["changes"]["added"]
    assert not again["changes"]["removed"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file"),
        (b"no component", "not WebAssembly"),
        (CORE_MODULE, "a core module"),
        (with_section(guest("math").read_bytes(), "x", b"")[:-9], "not a usable component"),
    ],
)
def test_what_cannot_be_served_replaces_nothing(host: Host, content: bytes, says: str) -> None:
    before = contents(host)
    message = refusal(put(host, content), 400, "BadRequest")
    assert says in message
    assert "math.wasm" in message
    assert "nothing was changed" in message
    assert contents(host) == before
    assert host.get("add", {"x": 1, "y": 2}) == 3
    assert host.problems() == {}


def test_names_of_other_files_are_not_taken(host: Host) -> None:
    message = refusal(put(host, newer("Rival."), "rival"), 409, "Conflict")
    assert "`add` is already served from math.wasm" in message
    assert contents(host).keys() == {"math.wasm"}
    assert put(host, newer("Rival."), "rival", sidecar='prefix = "rival"').status_code == 201
    assert host.get("rival/add", {"x": 1, "y": 2}) == 3
    assert put(host, newer("Its own.")).status_code == 200, "its own names it may keep"


@pytest.mark.parametrize(
    "name", ["..%2fmath", ".math", "lab%2fmath", "%2fetc%2fmath", "a%5cb", "math%00", "%20"]
)
def test_a_component_is_put_into_the_folder_itself(host: Host, name: str) -> None:
    before = contents(host)
    assert put(host, newer("Elsewhere."), name).status_code == 400
    assert contents(host) == before


def test_a_component_is_sent_as_such(host: Host) -> None:
    content = guest("text").read_bytes()
    for headers in ({}, {"Content-Type": "application/octet-stream"}):
        reply = host.request("PUT", "/-/components/text", data=content, headers=headers)
        assert "application/wasm" in refusal(reply, 415, "UnsupportedMediaType")
    packed = WASM | {"Content-Encoding": "gzip"}
    reply = host.request("PUT", "/-/components/text", data=content, headers=packed)
    refusal(reply, 415, "UnsupportedMediaType")
    for form in ({"file": b"x"}, {"component": content, "other": b"x"}):
        reply = host.request("PUT", "/-/components/text", files=form)
        assert "component" in refusal(reply, 400, "BadRequest")


def test_a_component_that_is_too_large_is_refused(make_host: MakeHost) -> None:
    config = '[server]\nmax_component = "64 KiB"\nmax_body = "1 KiB"'
    host = make_host("math", config=config, flags=["--allow-deploy"])
    message = refusal(put(host, bytes(65 << 10), "large"), 413, "TooLarge")
    assert "`max_component`" in message
    assert contents(host).keys() == {"math.wasm"}
    refusal(put(host, bytes(33 << 10), "large"), 400, "BadRequest")


def test_an_upload_that_breaks_off_leaves_nothing_behind(host: Host) -> None:
    before = contents(host)
    content = newer("Half.")
    head = (
        f"PUT /-/components/math HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/wasm\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    for sent in (0, len(content) // 2, len(content) - 1):
        with socket.create_connection(("127.0.0.1", host.port)) as connection:
            connection.sendall(head.encode() + content[:sent])
    assert put(host, newer("Whole.")).status_code == 200
    assert contents(host).keys() == before.keys()
    assert told(host, "Whole.")


# Sidecars.


def test_component_and_sidecar_change_together(host: Host) -> None:
    def call(over: threading.Event) -> None:
        while not over.is_set():
            reply = host.request("GET", "/-/procedures").json()["procedures"]
            entries = [entry for entry in reply if entry["name"] == "add"]
            seen.add((entries[0]["documentation"].split(".")[0], entries[0]["limits"]["fuel"]))

    seen: set[tuple[str, int]] = set()
    assert put(host, newer("Version 0."), sidecar="[limits]\nfuel = 1000000").status_code == 200
    with in_background(call, count=2):
        for number in range(1, 6):
            fuel = 1_000_000 + number
            reply = put(host, newer(f"Version {number}."), sidecar=f"[limits]\nfuel = {fuel}")
            assert reply.status_code == 200, reply.text
    assert seen <= {(f"Version {number}", 1_000_000 + number) for number in range(6)}
    assert len(seen) > 1
    assert contents(host).keys() == {"math.wasm", "math.toml"}


def test_a_sidecar_stays_is_replaced_or_goes(host: Host) -> None:
    def fuel() -> int:
        entries = bare(host.request("GET", "/-/procedures"))["procedures"]
        return next(entry["limits"]["fuel"] for entry in entries if entry["name"] == "add")

    usual = fuel()
    address = "/-/components/math"
    reply = host.request("PUT", address, files={"sidecar": b"[limits]\nfuel = 5000000"})
    assert (reply.status_code, fuel()) == (200, 5_000_000), reply.text
    assert put(host, newer("With it.")).status_code == 200
    assert fuel() == 5_000_000
    message = refusal(
        host.request("PUT", address, files={"sidecar": b"[limits]\nfuel = 0"}), 400, "BadRequest"
    )
    assert "math.toml" in message
    assert "line 2" in message
    assert str(host.folder) not in message
    assert fuel() == 5_000_000
    assert host.request("PUT", address, files={"sidecar": b""}).status_code == 200
    assert fuel() == usual
    assert contents(host).keys() == {"math.wasm"}
    reply = host.request("PUT", "/-/components/absent", files={"sidecar": b""})
    refusal(reply, 404, "NotFound")


GRANTS = '[grants]\nenvironment = { MODE = "fast" }'


def test_grants_come_from_who_may_do_everything(make_host: MakeHost) -> None:
    host = make_host("math", start=False)
    deployer, admin = (create(host.data, right, right) for right in ("deploy", "admin"))
    host.start()
    knows(host, admin)
    deploying, everything = bearer(deployer), bearer(admin)
    message = refusal(put(host, newer("1."), sidecar=GRANTS, **deploying), 403, "Forbidden")
    assert "`admin`" in message
    assert contents(host).keys() == {"math.wasm"}
    assert put(host, newer("1."), sidecar=GRANTS, **everything).status_code == 200
    # Those that are there are no more than before.
    assert put(host, newer("2."), **deploying).status_code == 200
    assert put(host, newer("3."), sidecar=f"{GRANTS}\n[limits]\nfuel = 9", **deploying).ok
    more = GRANTS.replace("fast", "slow")
    refusal(put(host, newer("4."), sidecar=more, **deploying), 403, "Forbidden")
    assert put(host, newer("5."), sidecar="", **deploying).status_code == 200
    # To return to them is to grant them again.
    back = host.request("POST", "/-/components/math/rollback", headers=deploying)
    refusal(back, 403, "Forbidden")
    back = host.request("POST", "/-/components/math/rollback", headers=everything)
    assert back.status_code == 200, back.text
    assert (host.folder / "math.toml").read_text().startswith(GRANTS)


def test_nobody_grants_without_a_token(host: Host) -> None:
    refusal(put(host, newer("1."), sidecar=GRANTS), 403, "Forbidden")
    assert contents(host).keys() == {"math.wasm"}


# Who may, and under which condition.


def test_without_a_token_nothing_is_deployed_unless_the_host_says_so(make_host: MakeHost) -> None:
    host = make_host("math")
    before = contents(host)
    for reply in (
        put(host, newer("Stranger.")),
        host.request("POST", "/-/components/math/rollback"),
        host.request("DELETE", "/-/components/math"),
    ):
        message = refusal(reply, 403, "Forbidden")
        assert "tarp token create" in message
        assert "--allow-deploy" in message
    assert contents(host) == before
    assert component(host)["procedures"]


def test_a_page_of_another_site_never_deploys(make_host: MakeHost) -> None:
    config = '[server]\nallowed_origins = ["https://lab.example"]'
    host = make_host("math", config=config, flags=["--allow-deploy"])
    before = contents(host)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": "http://localhost:3000"},
        {"Origin": "https://lab.example"},
    ):
        refusal(put(host, newer("Page."), **headers), 403, "Forbidden")
    assert contents(host) == before


def test_two_deployers_do_not_overwrite_each_other(host: Host) -> None:
    first = component(host)
    tag = host.request("GET", "/-/components/math").headers["ETag"]
    assert tag == f'"{first["digest"]}"'
    assert put(host, newer("Ours."), If_Match=tag).status_code == 200
    message = refusal(put(host, newer("Theirs."), If_Match=tag), 412, "PreconditionFailed")
    assert component(host)["version"] in message
    assert told(host, "Ours.")
    refusal(put(host, newer("New."), If_None_Match="*"), 412, "PreconditionFailed")
    refusal(put(host, newer("New."), "absent", If_Match="*"), 412, "PreconditionFailed")
    reply = put(host, guest("text").read_bytes(), "text", If_None_Match="*")
    assert reply.status_code == 201, reply.text
    refusal(put(host, newer("x"), If_Match="unquoted"), 400, "BadRequest")


def test_of_many_at_once_one_replaces_the_version_that_all_have_seen(host: Host) -> None:
    tag = host.request("GET", "/-/components/math").headers["ETag"]
    with ThreadPoolExecutor(8) as pool:
        deploying = [
            pool.submit(put, host, newer(f"Deployer {n}."), If_Match=tag) for n in range(8)
        ]
        codes = sorted(future.result().status_code for future in deploying)
    assert codes == [200] + [412] * 7
    with ThreadPoolExecutor(8) as pool:
        deploying = [pool.submit(put, host, newer(f"Any {n}.")) for n in range(8)]
        digests = {future.result().json()["digest"] for future in deploying}
    assert len(digests) == 8
    assert component(host)["digest"] in digests
    assert contents(host).keys() == {"math.wasm"}


def test_a_file_that_somebody_has_dropped_meanwhile_is_not_overwritten(host: Host) -> None:
    tag = host.request("GET", "/-/components/math").headers["ETag"]
    (host.folder / "math.wasm").write_bytes(b"being copied")
    message = refusal(put(host, newer("Ours."), If_Match=tag), 412, "PreconditionFailed")
    assert "another file" in message or "another version" in message
    assert (host.folder / "math.wasm").read_bytes() == b"being copied"
    assert put(host, newer("Whatever is there.")).status_code == 200
    eventually(lambda: host.problems() == {})


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errno.EROFS, 403, "Forbidden"),
        (errno.EACCES, 403, "Forbidden"),
        (errno.ENOSPC, 507, "StorageFull"),
        (errno.EIO, 503, "Unavailable"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_a_clear_failure(
    make_host: MakeHost, faults: Path, tmp_path: Path, error: int, status: int, kind: str
) -> None:
    folder, trigger = tmp_path / "procedures", tmp_path / "trigger"
    preloaded = {"LD_PRELOAD": str(faults), "FAULTS_UNDER": str(folder)}
    environment = {**preloaded, "FAULTS_TRIGGER": str(trigger)}
    flags = ["--allow-deploy"]
    host = make_host("math", flags=flags, folder=folder, environment=environment)
    before = contents(host)
    trigger.write_text(f"write {error}")
    message = refusal(put(host, newer("No.")), status, kind)
    assert "folder" in message
    trigger.unlink()
    assert contents(host) == before
    assert list(host.folder.iterdir()) == [host.folder / "math.wasm"]
    assert put(host, newer("Yes.")).status_code == 200


# Versions.


def roll_back(host: Host, name: str = "math", to: str = "") -> requests.Response:
    query = {"to": to} if to else None
    return host.request("POST", f"/-/components/{name}/rollback", params=query)


def kept(host: Host, name: str = "math") -> list[str]:
    return [version["version"] for version in component(host, name)["versions"]]


def test_a_version_is_returned_to_again_and_again(host: Host) -> None:
    deployed = [component(host)["version"]]
    deployed += [put(host, newer(f"Version {n}.")).json()["version"] for n in (1, 2)]
    assert kept(host) == deployed[::-1]
    assert [v["current"] for v in component(host)["versions"]] == [True, False, False]
    assert [v["origin"] for v in component(host)["versions"]] == ["deploy", "deploy", "folder"]
    back = roll_back(host)
    assert (back.status_code, back.json()["version"]) == (200, deployed[1]), back.text
    assert told(host, "Version 1.")
    assert roll_back(host).json()["version"] == deployed[0]
    assert "before" in refusal(roll_back(host), 404, "NotFound")
    assert roll_back(host, to=deployed[2][:12]).json()["previous"] == deployed[0]
    assert told(host, "Version 2.")
    refusal(roll_back(host, to="f" * 64), 404, "NotFound")
    refusal(host.request("POST", "/-/components/math/rollback?from=1"), 400, "BadRequest")
    assert kept(host) == deployed[::-1], "to return to a version changes none"


def test_versions_survive_a_restart_with_their_sidecars(host: Host) -> None:
    put(host, newer("Version 1."), sidecar="[limits]\nfuel = 1000000")
    put(host, newer("Version 2."), sidecar="")
    before = kept(host)
    assert len(before) == 3
    assert roll_back(host).status_code == 200
    host.stop()
    host.restart()
    assert kept(host) == before
    assert told(host, "Version 1.")
    assert (host.folder / "math.toml").read_text() == "[limits]\nfuel = 1000000"
    assert roll_back(host).json()["version"] == before[2], "that before the one that is served"
    assert contents(host).keys() == {"math.wasm"}
    assert "Adds two integers" in host.descriptions()["add"]


def test_what_was_dropped_is_kept_as_well(host: Host) -> None:
    eventually(lambda: len(kept(host)) == 1)
    place(newer("Dropped."), host.folder / "math.wasm")
    eventually(lambda: told(host, "Dropped.") and len(kept(host)) == 2)
    # In place, as `cp` does it.
    (host.folder / "math.wasm").write_bytes(newer("Copied."))
    eventually(lambda: told(host, "Copied.") and len(kept(host)) == 3)
    assert roll_back(host).status_code == 200
    assert told(host, "Dropped.")
    place(guest("stats"), host.folder / "lab" / "stats.wasm")
    eventually(lambda: host.serves("lab/mean"))
    place(guest("plot"), host.folder / "lab" / "stats.wasm")
    eventually(lambda: len(kept(host, "lab%2Fstats")) == 2)
    assert roll_back(host, "lab%2Fstats").status_code == 200
    assert host.serves("lab/mean")


def test_so_many_versions_are_kept(make_host: MakeHost) -> None:
    host = make_host("math", config="[loading]\nkeep_versions = 2", flags=["--allow-deploy"])
    deployed = [put(host, newer(f"Version {n}.")).json()["version"] for n in range(4)]
    assert kept(host) == deployed[:1:-1]
    blobs = list((host.data / "versions").rglob("*.wasm"))
    assert len(blobs) == 2, blobs
    none = make_host("math", config="[loading]\nkeep_versions = 0", flags=["--allow-deploy"])
    assert put(none, newer("Version 1.")).status_code == 200
    assert "keep_versions" in refusal(roll_back(none), 404, "NotFound")
    assert not (none.data / "versions").exists()


def test_a_kept_version_that_is_damaged_is_not_returned_to(host: Host) -> None:
    put(host, newer("Version 1."))
    for blob in (host.data / "versions").rglob("*.wasm"):
        blob.write_bytes(b"damaged")
    refusal(roll_back(host), 404, "NotFound")
    assert told(host, "Version 1.")


def test_a_component_is_removed_and_brought_back(host: Host) -> None:
    put(host, newer("With limits."), sidecar="[limits]\nfuel = 1000000")
    version = component(host)["version"]
    other = host.request("DELETE", "/-/components/math", headers={"If-Match": '"other"'})
    refusal(other, 412, "PreconditionFailed")
    removed = host.request("DELETE", "/-/components/math", headers={"If-Match": f'"{version}"'})
    assert removed.status_code == 200, removed.text
    assert "digest" not in removed.json()
    assert host.outcome("add", 1, 2) == "NotFound"
    assert contents(host) == {}
    refusal(host.request("DELETE", "/-/components/math"), 404, "NotFound")
    back = roll_back(host)
    assert (back.status_code, back.json()["version"]) == (201, version), back.text
    assert host.get("add", {"x": 1, "y": 2}) == 3
    assert contents(host).keys() == {"math.wasm", "math.toml"}


def test_components_are_listed(host: Host) -> None:
    (host.folder / "broken.wasm").write_bytes(b"no component")
    listed = bare(host.request("GET", "/-/components"))["components"]
    assert [entry["name"] for entry in listed] == ["math"]
    assert "add" in listed[0]["procedures"]
    eventually(lambda: "broken.wasm" in host.problems())
    broken = component(host, "broken")
    assert "not WebAssembly" in broken["problems"][0]
    assert "digest" not in broken
    refusal(host.request("GET", "/-/components/absent"), 404, "NotFound")


# Ends.


def test_a_host_that_ends_at_any_moment_has_all_of_a_version_or_none(host: Host) -> None:
    versions = {
        f"Version {n}.": (newer(f"Version {n}."), f"[limits]\nfuel = {1_000_000 + n}")
        for n in range(30)
    }
    whole = {(component, sidecar.encode()) for component, sidecar in versions.values()}
    whole.add((guest("math").read_bytes(), b""))
    for delay in (0.0, 0.01, 0.05, 0.2):
        begun = threading.Event()

        def deploy(begun: threading.Event = begun) -> None:
            for content, sidecar in versions.values():
                begun.set()
                try:
                    put(host, content, sidecar=sidecar)
                except requests.ConnectionError:
                    return

        deploying = threading.Thread(target=deploy)
        deploying.start()
        begun.wait()
        threading.Event().wait(delay)
        host.stop(signal.SIGKILL)
        deploying.join()
        host.restart()
        found = contents(host)
        visible = {name: content for name, content in found.items() if not name.startswith(".")}
        pair = (visible["math.wasm"], visible.get("math.toml", b""))
        assert pair in whole
        assert host.get("add", {"x": 1, "y": 2}) == 3


# The command line.


def test_components_are_deployed_from_the_command_line(host: Host, tmp_path: Path) -> None:
    tarp = CommandLine(host.address)
    file = tmp_path / "math.wasm"
    file.write_bytes(newer("From a shell."))
    shown = tarp.ok("deploy", file).text
    assert shown.startswith("deployed math.wasm ")
    assert "11 procedures, in place of" in shown
    assert told(host, "From a shell.")
    sidecar = tmp_path / "other.toml"
    sidecar.write_text('prefix = "lab"')
    words = ["deploy", host.address, file, "--name", "lab", "--sidecar", sidecar, "--new", "--json"]
    assert "lab/add" in tarp.ok(*words).json["procedures"]
    refused = tarp(*words)
    assert refused.code == 2
    assert json.loads(refused.out)["type"] == "PreconditionFailed"
    listed = tarp.ok("versions").text.splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", "lab", "math"]
    assert len(tarp.ok("versions", "math").text.splitlines()) == 3
    shown = tarp.ok("rollback", "math").text
    assert shown.startswith("returned to math.wasm ")
    assert tarp("rollback", "math").code == 2
    digest = component(host)["versions"][0]["digest"]
    assert tarp.ok("rollback", host.address, "math", "--to", digest[:10]).code == 0
    assert told(host, "From a shell.")
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(b"no component")
    refused = tarp("deploy", broken)
    assert refused.code == 2
    assert "not WebAssembly" in refused.err
    assert tarp("deploy", tmp_path / "absent.wasm").code == 2
    assert tarp("deploy", file, "--if-match", 'a"b').code == 2


def test_ci_deploys_with_a_token(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host("math", start=False)
    token = create(host.data, "ci", "deploy")
    caller = create(host.data, "caller", "call:*", "jobs:all", "metrics")
    host.start()
    knows(host, token)
    file = tmp_path / "math.wasm"
    file.write_bytes(newer("By a robot."))
    tarp = CommandLine(host.address, TARP_TOKEN=token)
    assert tarp.ok("deploy", file, "--json").json["file"] == "math.wasm"
    versions = tarp.ok("versions", "math", "--json").json["versions"]
    assert [version["by"] for version in versions] == ["ci", None]
    refused = CommandLine(host.address, TARP_TOKEN=caller)("deploy", file)
    assert refused.code == 2
    assert "`deploy`" in refused.err
