"""Ways to publish that leave a moment without the file, its sidecar or the folder: no call fails,
no limit is lost, and what comes next is seen."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from binary import U8, Builder
from components import version_of_math
from host import Host, MakeHost, eventually, guest, in_background, place

#: What the sidecar of `math` says in these tests: with so little fuel a long `linspace` does not
#: work.
SCARCE = "[procedures.linspace.limits]\nfuel = 10000\n"


def described(host: Host, text: str) -> bool:
    return text in host.descriptions().get("add", "")


def keeps_serving(host: Host, change: Callable[[], None], text: str, *, limited: bool) -> None:
    """Calls must work while the folder changes, and until the version with `text` is served."""
    calls = 0

    def call(over: threading.Event) -> None:
        nonlocal calls
        while not over.is_set():
            assert host.outcome("add", 1, 2) == "success"
            if limited:
                assert host.outcome("linspace", 0.0, 1.0, 100_000) == "OutOfFuel", "limits lost"
            calls += 1

    with in_background(call):
        change()
        eventually(lambda: described(host, text))
    assert calls


def new_version(folder: Path) -> bytes:
    return version_of_math(guest("math"), f"Version of {folder.name}.")


def remove_and_copy(folder: Path, new: bytes) -> None:
    (folder / "math.wasm").unlink()
    (folder / "math.toml").unlink()
    time.sleep(0.3)  # A slow deployment; nothing is awaited.
    (folder / "math.wasm").write_bytes(new)
    time.sleep(0.3)
    (folder / "math.toml").write_text(SCARCE)


def rename(folder: Path, new: bytes) -> None:
    (folder / "math.wasm").rename(folder / "sums.wasm")
    time.sleep(0.3)
    (folder / "math.toml").rename(folder / "sums.toml")
    place(new, folder / "sums.wasm")


def write_the_sidecar_anew(folder: Path, new: bytes) -> None:
    """As an editor that keeps a backup does it."""
    (folder / "math.toml").rename(folder / "math.toml~")
    place(new, folder / "math.wasm")
    time.sleep(0.3)
    with (folder / "math.toml").open("w") as sidecar:
        time.sleep(0.3)
        sidecar.write(SCARCE)


def check_out(folder: Path, new: bytes) -> None:
    """As git does it: away with the old, then the new, file by file."""
    (folder / "math.toml").unlink()
    (folder / "math.wasm").unlink()
    (folder / "math.toml").write_text(SCARCE)
    time.sleep(0.3)
    (folder / "math.wasm").write_bytes(new)


def make_the_folder_anew(folder: Path, new: bytes) -> None:
    shutil.rmtree(folder)
    time.sleep(0.3)
    folder.mkdir()
    place(SCARCE.encode(), folder / "math.toml")
    place(new, folder / "math.wasm")


def exchange_the_folder(folder: Path, new: bytes) -> None:
    other = folder.with_name("other")
    other.mkdir()
    place(new, other / "math.wasm")
    place(SCARCE.encode(), other / "math.toml")
    folder.rename(folder.with_name("old"))
    other.rename(folder)


@pytest.mark.attack(
    "`rm` and `cp`, a rename, a sidecar that is written anew, under load",
    "no call fails and no limit is lost",
)
@pytest.mark.parametrize(
    "change",
    [
        remove_and_copy,
        rename,
        write_the_sidecar_anew,
        check_out,
        make_the_folder_anew,
        exchange_the_folder,
    ],
)
def test_a_moment_without_the_file_fails_no_call_and_loses_no_limit(
    make_host: MakeHost, change: Callable[[Path, bytes], None]
) -> None:
    # Long enough for a busy machine to get from one step to the next.
    host = make_host("math", sidecars={"math": SCARCE}, config='[loading]\nremoval_grace = "20 s"')
    new = version_of_math(guest("math"), "The new version.")
    keeps_serving(host, lambda: change(host.folder, new), "The new version.", limited=True)
    eventually(lambda: host.problems() == {}, 60)
    # It has not gone deaf.
    (sidecar,) = host.folder.glob("*.toml")
    place(version_of_math(guest("math"), "And one more."), sidecar.with_suffix(".wasm"))
    eventually(lambda: described(host, "And one more."))


@pytest.mark.attack(
    "a folder that is a link, swapped",
    "the new folder is served and watched",
)
def test_the_folder_may_be_a_link_that_is_swapped(make_host: MakeHost, tmp_path: Path) -> None:
    for release in ("one", "two"):
        new = version_of_math(guest("math"), f"Release {release}.")
        place(new, tmp_path / release / "math.wasm")
    current = tmp_path / "current"
    current.symlink_to("one")
    host = make_host(folder=current)

    def swap() -> None:
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").rename(current)

    keeps_serving(host, swap, "Release two.", limited=False)
    new = version_of_math(guest("math"), "Later.")
    place(new, tmp_path / "two" / "math.wasm")
    eventually(lambda: described(host, "Later."))


def test_what_is_gone_is_served_for_the_grace_and_no_longer(make_host: MakeHost) -> None:
    host = make_host("math")
    start = time.monotonic()
    (host.folder / "math.wasm").unlink()
    eventually(lambda: not host.serves("add"))
    assert time.monotonic() - start > 1.9
    host = make_host("math", config='[loading]\nremoval_grace = "0 s"')
    (host.folder / "math.wasm").unlink()
    eventually(lambda: not host.serves("add"))


def test_a_sidecar_that_stays_away_takes_its_limits_along(make_host: MakeHost) -> None:
    host = make_host("math", sidecars={"math": SCARCE})
    assert host.outcome("linspace", 0.0, 1.0, 100_000) == "OutOfFuel"
    (host.folder / "math.toml").unlink()
    eventually(lambda: host.outcome("linspace", 0.0, 1.0, 100_000) == "success")


@pytest.mark.parametrize("what", ["file", "sidecar", "folder"])
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read what nobody may")
def test_what_cannot_be_read_is_not_gone(make_host: MakeHost, what: str) -> None:
    host = make_host()
    place(SCARCE.encode(), host.folder / "lab" / "math.toml")
    place(guest("math"), host.folder / "lab" / "math.wasm")
    eventually(lambda: host.serves("lab/add"))
    names = {"file": "lab/math.wasm", "sidecar": "lab/math.toml", "folder": "lab"}
    hidden = host.folder / names[what]
    mode = hidden.stat().st_mode
    hidden.chmod(0)
    try:
        (problem,) = eventually(lambda: next(iter(host.problems().values()), None))
        assert "cannot be read" in problem["message"]
        assert host.rpc("lab/add", 1, 2) == 3
        assert host.outcome("lab/linspace", 0.0, 1.0, 100_000) == "OutOfFuel"
    finally:
        hidden.chmod(mode)
    eventually(lambda: host.problems() == {})


def test_many_files_are_looked_at_and_published_a_few_times(make_host: MakeHost) -> None:
    """Work that grows with the square of the files shows in how often all are gone through."""
    host = make_host(start=False, environment={"TARP_LOG": "debug"})
    component = Builder().export(["f"], U8).binary
    for number in range(300):
        place(component, host.folder / f"n{number}" / "f.wasm")
    host.start()
    assert len(host.descriptions()) == 300
    looks = host.log.count("looked at the folder")
    catalogs = host.log.count("published the catalog")
    assert looks < 60, "for 300 files"
    assert catalogs < 150, "for 300 files"


@pytest.mark.attack(
    "a busy directory beside the folder",
    "the folder is not scanned for it",
)
def test_a_busy_neighbour_is_no_reason_to_look(make_host: MakeHost) -> None:
    host = make_host("math", environment={"TARP_LOG": "debug"})
    busy = host.folder / "logs"
    busy.mkdir()

    def looks() -> int:
        return host.log.count("looked at the folder")

    eventually(
        lambda: (
            time.sleep(0.5) is None and (n := looks()) and time.sleep(0.5) is None and n == looks()
        )
    )
    before = looks()
    start = time.monotonic()
    for number in range(2000):
        (busy / "state.part").write_text(str(number))
        (busy / "state.part").rename(busy / "state.txt")
        (busy / f"{number % 10}.log").open("a").write("x")
    took = time.monotonic() - start
    assert looks() - before <= 2 + took / 2, "the patrols"
    place(guest("text"), host.folder / "text.wasm")
    eventually(lambda: host.serves("reverse"))
