"""The cache of compiled components: used at the next start, and trusted only where it may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from components import version_of_math
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
