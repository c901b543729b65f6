"""Files that would take the host down, or keep it busy for ever, were they loaded in its own
process: each is that file's problem, and the host serves on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from binary import U8, Builder, core_module, doubled, long_names, slow_to_compile
from components import with_section
from host import Host, MakeHost, eventually, guest, place

#: Enough to keep a compiler busy until somebody ends it.
ENDLESS = 60_000


def problem(host: Host, file: str) -> str:
    """What is said of a file, as soon as something is that is not of its being compiled."""

    def said() -> str:
        messages = [entry["message"] for entry in host.problems().get(file, [])]
        return "; ".join(message for message in messages if "still being compiled" not in message)

    return eventually(said, 120)


def children(host: Host) -> list[int]:
    """The processes in which the host compiles."""
    assert host._process
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            words = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == host._process.pid and b"compile-component" in words:
            found.append(int(stat.parent.name))
    return found


def memory(host: Host) -> int:
    """Bytes that the host has taken at the most."""
    assert host._process
    status = Path(f"/proc/{host._process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


def serves_on(host: Host) -> None:
    start = time.monotonic()
    assert host.request("GET", "/-/health/live").status_code == 200
    assert host.rpc("add", 1, 2) == 3
    assert time.monotonic() - start < 5, "others wait"


@pytest.mark.parametrize(
    ("component", "words"),
    [
        (doubled(18), "more than 20000 types"),
        (doubled(30), "type"),
        (long_names(10, 90_000), "names of more than 1024 KiB"),
    ],
    ids=["many types", "more types than wasm allows", "long names"],
)
def test_types_that_are_small_in_the_file_and_huge_when_written_out(
    make_host: MakeHost, component: bytes, words: str
) -> None:
    assert len(component) < 100_000
    host = make_host("math")
    before = memory(host)
    place(component, host.folder / "huge.wasm")
    assert words in problem(host, "huge.wasm")
    assert memory(host) - before < 64 << 20
    assert host.request("GET", "/-/openapi.json").status_code == 200
    serves_on(host)
    # The next version is looked at again, and so is the bad one at the next start.
    place(doubled(3), host.folder / "huge.wasm")
    eventually(lambda: host.serves("f"))
    assert "huge.wasm" not in host.problems()
    place(component, host.folder / "huge.wasm")
    assert words in problem(host, "huge.wasm")
    assert host.stop() == 0
    again = make_host(folder=host.folder)
    assert words in problem(again, "huge.wasm")
    serves_on(again)


def test_what_takes_too_long_to_compile_is_given_up(make_host: MakeHost) -> None:
    host = make_host("math", config='[loading]\ncompile_time = "1 s"')
    place(slow_to_compile(ENDLESS), host.folder / "slow.wasm")
    assert "more than 1s of processor time" in problem(host, "slow.wasm")
    assert "`compile_time`" in problem(host, "slow.wasm")
    serves_on(host)
    place(doubled(2), host.folder / "slow.wasm")
    eventually(lambda: host.serves("f"))


def test_what_takes_too_much_memory_to_compile_is_given_up(make_host: MakeHost) -> None:
    host = make_host("math", config='[loading]\ncompile_memory = "64 MiB"')
    place(slow_to_compile(ENDLESS), host.folder / "large.wasm")
    assert "more than 64.0 MiB of memory" in problem(host, "large.wasm")
    serves_on(host)


def test_a_compiler_that_dies_is_the_problem_of_its_file(make_host: MakeHost) -> None:
    host = make_host("math")
    place(slow_to_compile(ENDLESS), host.folder / "slow.wasm")
    (compiler,) = eventually(lambda: children(host))
    os.kill(compiler, signal.SIGABRT)
    assert "the compiler crashed on it (signal 6)" in problem(host, "slow.wasm")
    serves_on(host)


def test_compilers_end_with_their_host(make_host: MakeHost) -> None:
    host = make_host("math")
    place(slow_to_compile(ENDLESS), host.folder / "slow.wasm")
    (compiler,) = eventually(lambda: children(host))
    host.kill()
    eventually(lambda: not Path(f"/proc/{compiler}/exe").exists())


def test_slow_files_stop_neither_the_start_nor_others(make_host: MakeHost) -> None:
    host = make_host("math", config='[loading]\nstart_wait = "1 s"', start=False)
    for number in range(5):
        slow = with_section(slow_to_compile(ENDLESS), "number", bytes([number]))
        place(slow, host.folder / f"a{number}.wasm")
    # Compiled when its turn comes, although it is behind all of them.
    place(Builder().export(["last"], U8).binary, host.folder / "z.wasm")
    host.launch()
    eventually(lambda: host.serves("add"))
    eventually(lambda: host.serves("last"), 120)
    eventually(lambda: host.request("GET", "/-/health/ready").status_code == 200, 120)
    (said, *_) = host.problems()["a0.wasm"]
    # On a fast machine the limit of memory has ended it by now.
    pending = "still being compiled" in said["message"]
    assert pending or "compiling it takes more than" in said["message"]
    assert said["serving"] is False
    # A job starts.
    assert host.ended(host.submit("add", 1, 2)["id"])["state"] == "succeeded"
    serves_on(host)
    assert host.stop() == 0, "nobody waits for what is compiled"


def test_an_old_version_that_is_compiled_late_does_not_replace_a_newer_one(
    make_host: MakeHost,
) -> None:
    host = make_host("math")
    place(slow_to_compile(ENDLESS), host.folder / "math.wasm")
    (old,) = eventually(lambda: children(host))
    place(guest("text"), host.folder / "math.wasm")
    eventually(lambda: host.serves("reverse"))
    eventually(lambda: old not in children(host))
    assert host.serves("reverse")
    assert host.problems().keys() <= {"math.wasm"}, "a warning of its own at the most"


def test_a_table_beyond_the_pool_is_refused_with_what_to_do(make_host: MakeHost) -> None:
    host = make_host("math")
    fits = Builder().export(["fits"], U8, core_module(table=60_000))
    place(fits.binary, host.folder / "fits.wasm")
    eventually(lambda: host.serves("fits"))
    beyond = Builder().export(["beyond"], U8, core_module(table=200_000))
    place(beyond.binary, host.folder / "beyond.wasm")
    said = problem(host, "beyond.wasm")
    assert "exceeds the limit of 100000" in said
    assert "link without what is not used" in said


def test_what_newer_tools_made_says_so(make_host: MakeHost) -> None:
    host = make_host()
    builder = Builder()
    builder.type(b"\x5f")
    place(builder.binary, host.folder / "newer.wasm")
    assert "newer tools" in problem(host, "newer.wasm")
