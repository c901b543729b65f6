"""The cache of compiled components: used at the next start, and trusted only where it may be."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from binary import U8, Builder
from components import version_of_math, with_section
from host import READY, Host, MakeHost, eventually, guest, place, run_binary


def state(cache: Path) -> dict[str, tuple[int, int]]:
    """What changes when a file is written anew: its identity and its length."""
    files = {file.name: file.stat() for file in cache.iterdir()}
    return {name: (stat.st_ino, stat.st_size) for name, stat in files.items()}


@pytest.fixture
def own_cache(tmp_path: Path) -> Path:
    return tmp_path / "state" / "compiled"


def restarted(make_host: MakeHost, host: Host) -> Host:
    assert host.stop() == 0
    return make_host(folder=host.folder, cache=host.cache)


def test_a_second_start_compiles_nothing(make_host: MakeHost, own_cache: Path) -> None:
    host = make_host("math", "text", cache=own_cache)
    assert host.said(READY).group(1, 2, 3) == ("20", "2", "1")
    first = state(own_cache)
    assert len([name for name in first if name.endswith(".cwasm")]) == 2
    host = restarted(make_host, host)
    assert host.said(READY).group(1, 2, 3) == ("20", "2", "1")
    assert host.rpc("add", 1, 2) == 3
    assert host.rpc("reverse", "ab") == "ba"
    assert state(own_cache) == first


def test_the_same_component_is_compiled_once_wherever_it_is(
    make_host: MakeHost, own_cache: Path
) -> None:
    host = make_host("math", cache=own_cache)
    first = state(own_cache)
    place(guest("math"), host.folder / "lab" / "copy.wasm")
    eventually(lambda: host.serves("lab/add"))
    assert state(own_cache) == first


def test_a_new_version_is_compiled_and_kept(make_host: MakeHost, own_cache: Path) -> None:
    host = make_host("math", cache=own_cache)
    first = state(own_cache)
    place(version_of_math(guest("math"), "Second version."), host.folder / "math.wasm")
    eventually(lambda: "Second version." in host.descriptions()["add"])
    second = state(own_cache)
    assert first.items() < second.items()
    host = restarted(make_host, host)
    assert "Second version." in host.descriptions()["add"]
    assert state(own_cache) == second


@pytest.mark.parametrize("damage", [False, True])
def test_a_new_version_of_what_takes_long_uses_what_was_compiled(
    make_host: MakeHost, own_cache: Path, damage: bool
) -> None:
    name = "javascript_text"
    host = make_host(name, cache=own_cache)

    def digest() -> str:
        procedures = host.request("GET", "/-/procedures").json()["procedures"]
        return procedures[0]["digest"]

    first, counted = digest(), host.get("count_words", {"text": "a b a"})
    (functions,) = own_cache.glob("*.functions")
    if damage:
        functions.write_bytes(functions.read_bytes()[:-40])
    edited = with_section(guest(name).read_bytes(), "edited", b"")
    place(edited, host.folder / f"{name}.wasm")
    eventually(lambda: digest() != first)
    assert host.get("count_words", {"text": "a b a"}) == counted
    # One for each file, with the functions of its last version.
    assert [*own_cache.glob("*.functions")] == [functions]
    assert ("damaged" in host.log) == damage


@pytest.mark.attack(
    "compiled code that is damaged or cut short",
    "it is compiled again",
)
@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "no sum"])
def test_a_damaged_entry_is_compiled_again(
    make_host: MakeHost, own_cache: Path, damage: str
) -> None:
    """Running damaged code could do anything."""
    host = make_host("math", cache=own_cache)
    assert host.stop() == 0
    first = state(own_cache)
    (compiled,) = own_cache.glob("*.cwasm")
    content = bytearray(compiled.read_bytes())
    if damage == "no sum":
        compiled.with_suffix(".sum").unlink()
    else:
        content[len(content) // 2] ^= 0xFF
        length = {"flipped": len(content), "cut": len(content) // 2, "emptied": 0}[damage]
        compiled.write_bytes(content[:length])
    host = make_host(folder=host.folder, cache=own_cache)
    assert host.rpc("add", 1, 2) == 3
    assert host.problems() == {}
    assert state(own_cache).keys() == first.keys()
    assert state(own_cache) != first, "written anew"
    assert compiled.stat().st_size == len(content)


def test_only_its_owner_may_write_to_the_cache(make_host: MakeHost, own_cache: Path) -> None:
    make_host("math", cache=own_cache)
    assert own_cache.stat().st_mode & 0o777 == 0o700


def test_a_cache_that_others_could_write_to_is_refused(tmp_path: Path) -> None:
    cache = tmp_path / "open"
    cache.mkdir()
    cache.chmod(0o777)
    refused = run_binary("serve", tmp_path, "--port", "0", "--cache", cache)
    assert refused.returncode != 0
    assert str(cache) in refused.stderr
    assert "chmod 700" in refused.stderr


@pytest.mark.attack(
    "a directory for compiled components with files of others",
    "only what the host made is removed",
)
def test_only_what_the_host_made_is_ever_removed(make_host: MakeHost, own_cache: Path) -> None:
    """However old it is, and whether it was there before the host or came later."""
    host = make_host("math", cache=own_cache)
    assert host.stop() == 0
    strangers = [own_cache / "notes.txt", own_cache / "other.cwasm", own_cache / "photos"]
    strangers[0].write_text("Mine.")
    strangers[1].write_text("Mine as well.")
    strangers[2].mkdir()
    for stranger in strangers:
        os.utime(stranger, (1_000_000_000, 1_000_000_000))
    config = '[loading]\ncache_size = "1 KiB"'
    host = make_host("text", cache=own_cache, config=config)
    assert host.rpc("reverse", "ab") == "ba"
    assert all(stranger.exists() for stranger in strangers)
    assert not [file for file in own_cache.glob("*.cwasm") if file not in strangers]


@pytest.mark.attack(
    "`--cache` at a folder of documents",
    "refused; nothing is touched",
)
def test_a_directory_of_others_is_refused_untouched(tmp_path: Path) -> None:
    others = tmp_path / "documents"
    others.mkdir(mode=0o700)
    (others / "thesis.txt").write_text("Years of work.")
    os.utime(others / "thesis.txt", (1_000_000_000, 1_000_000_000))
    refused = run_binary("serve", tmp_path, "--port", "0", "--cache", others)
    assert refused.returncode != 0
    assert "thesis.txt" in refused.stderr
    assert "does not exist yet, or is empty" in refused.stderr
    assert [file.name for file in others.iterdir()] == ["thesis.txt"]


def test_an_empty_directory_is_taken(make_host: MakeHost, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o700)
    make_host("math", cache=empty)
    assert list(empty.glob("*.cwasm"))


@pytest.mark.attack(
    "more compiled code than `cache_size`",
    "what was used longest ago goes first",
)
def test_what_was_used_longest_ago_goes_first(make_host: MakeHost, own_cache: Path) -> None:
    def component(number: int) -> bytes:
        return Builder().export([f"f{number}"], U8).binary

    host = make_host(cache=own_cache)
    entries = {}
    for number in range(4):
        before = set(own_cache.glob("*.cwasm"))
        place(component(number), host.folder / f"{number}.wasm")
        eventually(lambda number=number: host.serves(f"f{number}"))
        (entries[number],) = set(own_cache.glob("*.cwasm")) - before
        used = time.time() - 1000 + number
        for file in own_cache.glob(f"{entries[number].stem}.*"):
            os.utime(file, (used, used))
    assert host.stop() == 0
    size = sum(file.stat().st_size for file in own_cache.glob("*-*"))
    # A start with the first of them makes it the one that was used last.
    again = make_host(cache=own_cache)
    shutil.copy(host.folder / "0.wasm", again.folder / "0.wasm")
    eventually(lambda: again.serves("f0"))
    assert again.stop() == 0
    config = f'[loading]\ncache_size = "{size * 6 // 10} B"'
    make_host(cache=own_cache, config=config)
    assert {number for number, entry in entries.items() if entry.exists()} == {0, 3}


@pytest.mark.attack(
    "compiled code that somebody else may have written",
    "it is not loaded; the component is compiled again",
)
@pytest.mark.parametrize("how", ["writable for others", "of two names", "a link"])
def test_a_planted_file_is_not_run(make_host: MakeHost, own_cache: Path, how: str) -> None:
    """Content and sum are right; but somebody else may have put it there."""
    host = make_host("math", cache=own_cache)
    assert host.stop() == 0
    (compiled,) = own_cache.glob("*.cwasm")
    if how == "writable for others":
        compiled.chmod(0o666)
    elif how == "of two names":
        os.link(compiled, own_cache.parent / "other")
    else:
        compiled.rename(own_cache.parent / "other")
        compiled.symlink_to(own_cache.parent / "other")
    again = make_host(folder=host.folder, cache=own_cache)
    assert again.rpc("add", 1, 2) == 3
    assert "not loaded from the cache" in again.log
    assert not compiled.is_symlink()
    stat = compiled.stat()
    assert (stat.st_mode & 0o777, stat.st_nlink) == (0o600, 1)


def test_without_room_on_the_disk_components_are_served_all_the_same(
    make_host: MakeHost, own_cache: Path, faults: Path, tmp_path: Path
) -> None:
    (tmp_path / "trigger").write_text("write 28")
    host = make_host(
        "math",
        cache=own_cache,
        environment={
            "LD_PRELOAD": str(faults),
            "FAULTS_UNDER": str(own_cache),
            "FAULTS_TRIGGER": str(tmp_path / "trigger"),
        },
    )
    assert host.rpc("add", 1, 2) == 3
    assert "cannot keep a compiled component" in host.log
