"""Files that would take the host down, or keep it busy for ever, were they loaded in its own
process: each is that file's problem, and the host serves on."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from binary import U8, Builder, core_module, doubled, long_names, nested, slow_to_compile
from command_line import CommandLine
from components import version_of_math, with_section
from host import READY, Host, MakeHost, eventually, guest, in_background, place


def endless(name: str) -> bytes:
    """A component that keeps a compiler busy until somebody ends it, and differs from those of
    other names: what was refused once is not compiled again."""
    return with_section(slow_to_compile(60_000), "test", name.encode())


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


@pytest.mark.attack(
    "files of less than 100 KB whose types or names are huge when written out",
    "the file is refused with the limit; the next version of it is served",
)
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


@pytest.mark.attack(
    "a type of 60 tuples in one another, whose JSON is deeper than readers take",
    "the function is refused with the limit; the listing can be read, with 59 as well",
)
def test_the_listing_can_be_read_however_deep_a_type_is(make_host: MakeHost) -> None:
    host = make_host("math")
    tarp = CommandLine(host.address)
    place(nested(59), host.folder / "deep.wasm")
    eventually(lambda: host.serves("f"))
    assert "add(" in tarp.ok("list").text
    assert "tuple<tuple<u8>>" in tarp.ok("call", "f", "--help").text
    place(nested(60), host.folder / "deeper.wasm")
    assert "is too deep: listed in JSON" in problem(host, "deeper.wasm")
    assert "add(" in tarp.ok("list").text


@pytest.mark.attack(
    "a file that compiles for ever",
    "its compiler is ended after `compile_time`",
)
def test_what_takes_too_long_to_compile_is_given_up(make_host: MakeHost) -> None:
    host = make_host("math", config='[loading]\ncompile_time = "1 s"')
    place(endless("slow"), host.folder / "slow.wasm")
    assert "more than 1s of processor time" in problem(host, "slow.wasm")
    assert "`compile_time`" in problem(host, "slow.wasm")
    serves_on(host)
    place(doubled(2), host.folder / "slow.wasm")
    eventually(lambda: host.serves("f"))


@pytest.mark.attack(
    "a file whose compiling takes all memory",
    "its compiler is ended at `compile_memory`",
)
def test_what_takes_too_much_memory_to_compile_is_given_up(make_host: MakeHost) -> None:
    host = make_host("math", config='[loading]\ncompile_memory = "64 MiB"')
    place(endless("large"), host.folder / "large.wasm")
    assert "more than 64.0 MiB of memory" in problem(host, "large.wasm")
    serves_on(host)


@pytest.mark.attack(
    "a file at which the compiler crashes",
    "that is the file's problem; others are served",
)
def test_a_compiler_that_dies_is_the_problem_of_its_file(make_host: MakeHost) -> None:
    host = make_host("math")
    place(endless("dies"), host.folder / "slow.wasm")
    (compiler,) = eventually(lambda: children(host))
    os.kill(compiler, signal.SIGABRT)
    assert "the compiler crashed on it (signal 6)" in problem(host, "slow.wasm")
    serves_on(host)


@pytest.mark.attack(
    "restarts beside a file that compiles for ever",
    "the refusal is shown at once, without a compiler; another limit or file is tried again",
)
def test_a_refusal_is_remembered_over_a_restart(make_host: MakeHost, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    config = '[loading]\ncompile_time = "{} s"'
    host = make_host("math", config=config.format(1), cache=cache)
    place(endless("remembered"), host.folder / "slow.wasm")
    assert "more than 1s of processor time" in problem(host, "slow.wasm")
    assert host.stop() == 0
    again = make_host(folder=host.folder, config=config.format(1), cache=cache, start=False)
    again.launch()
    compilers: set[int] = set()

    def look(over: threading.Event) -> None:
        while not over.wait(0.01):
            compilers.update(children(again))

    with in_background(look):
        again.said(READY)
        (said,) = again.problems()["slow.wasm"]
    assert "more than 1s of processor time" in said["message"]
    assert not compilers
    serves_on(again)
    assert again.stop() == 0
    # Under other limits it is tried again, and so is another file.
    other = make_host(folder=host.folder, config=config.format(2), cache=cache, start=False)
    other.launch()
    assert eventually(lambda: children(other))
    assert "more than 2s of processor time" in problem(other, "slow.wasm")
    place(endless("changed"), other.folder / "slow.wasm")
    assert eventually(lambda: children(other))


@pytest.mark.attack(
    "a compiler that crashes, and one that is killed",
    "the crash is remembered; what was killed is tried again at the next start",
)
@pytest.mark.parametrize("end", [signal.SIGABRT, signal.SIGKILL])
def test_only_what_lies_in_the_file_is_remembered(
    make_host: MakeHost, tmp_path: Path, end: signal.Signals
) -> None:
    """A compiler that was killed says nothing of its file: the machine was out of memory."""
    host = make_host("math", cache=tmp_path / "cache")
    place(endless("ended"), host.folder / "slow.wasm")
    (compiler,) = eventually(lambda: children(host))
    os.kill(compiler, end)
    assert "the compiler" in problem(host, "slow.wasm")
    assert host.stop() == 0
    again = make_host(folder=host.folder, cache=host.cache, start=False)
    again.launch()
    if end == signal.SIGKILL:
        assert eventually(lambda: children(again))
    else:
        again.said(READY)
        assert "crashed on it (signal 6)" in problem(again, "slow.wasm")
        assert not children(again)


@pytest.mark.attack(
    "`kill -9` of the host while it compiles",
    "no compiler is left",
)
def test_compilers_end_with_their_host(make_host: MakeHost) -> None:
    host = make_host("math")
    place(endless("ends"), host.folder / "slow.wasm")
    (compiler,) = eventually(lambda: children(host))
    host.kill()
    eventually(lambda: not Path(f"/proc/{compiler}/exe").exists())


@pytest.mark.attack(
    "five files that compile for ever, at the start",
    "the host becomes ready; others are compiled and served, jobs start",
)
def test_slow_files_stop_neither_the_start_nor_others(make_host: MakeHost) -> None:
    host = make_host("math", config='[loading]\nstart_wait = "1 s"', start=False)
    for number in range(5):
        place(endless(f"a{number}"), host.folder / f"a{number}.wasm")
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


#: A start that waits for slow files, which are compiled for as long as a test takes.
PATIENT = """
[loading]
start_wait = "10 min"
compile_time = "10 min"
compile_memory = "64 GiB"
[jobs]
places = 1
"""


def is_ready(host: Host) -> bool:
    return host.request("GET", "/-/health/ready").status_code == 200


@pytest.mark.attack(
    "a start with queued jobs beside a file that compiles for ever",
    "jobs of what is loaded run before the host is ready; the others stay queued with the reason",
)
def test_jobs_start_while_slow_files_are_compiled(make_host: MakeHost) -> None:
    host = make_host("math", "text", "misbehave", config=PATIENT)
    host.running(host.submit("sleep_for", 2000)["id"])
    add = host.submit("add", 1, 2)["id"]
    reverse = host.submit("reverse", "ab")["id"]
    host.kill()
    place(endless("text"), host.folder / "text.wasm")
    host.launch()
    assert host.result(add) == 3
    waiting = eventually(lambda: (job := host.job(reverse)).get("reason") and job)
    assert waiting["state"] == "queued"
    assert "`reverse`" in waiting["reason"]
    assert not is_ready(host)
    place(guest("text"), host.folder / "text.wasm")
    assert host.result(reverse) == "ba"
    eventually(lambda: is_ready(host))


def test_a_job_of_another_version_waits_for_the_end_of_the_start(make_host: MakeHost) -> None:
    """Another file, which is not loaded yet, may have the procedure's name."""
    host = make_host("math", "misbehave", config=PATIENT)
    host.running(host.submit("sleep_for", 2000)["id"])
    add = host.submit("add", 1, 2)["id"]
    host.kill()
    place(version_of_math(guest("math"), "Second version."), host.folder / "math.wasm")
    place(endless("first"), host.folder / "first.wasm")
    host.launch()
    eventually(lambda: host.serves("add"))
    waiting = eventually(lambda: (job := host.job(add)).get("reason") and job)
    assert waiting["state"] == "queued"
    assert not is_ready(host)
    (host.folder / "first.wasm").unlink()
    assert host.result(add) == 3
    assert is_ready(host)


@pytest.mark.attack(
    "an older version whose compiling ends after that of a newer one",
    "the newer one stays",
)
def test_an_old_version_that_is_compiled_late_does_not_replace_a_newer_one(
    make_host: MakeHost,
) -> None:
    host = make_host("math")
    place(endless("old"), host.folder / "math.wasm")
    (old,) = eventually(lambda: children(host))
    place(guest("text"), host.folder / "math.wasm")
    eventually(lambda: host.serves("reverse"))
    eventually(lambda: old not in children(host))
    assert host.serves("reverse")
    assert host.problems().keys() <= {"math.wasm"}, "a warning of its own at the most"


@pytest.mark.attack(
    "a table of 200,000 elements",
    "refused with the limit and what to do",
)
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


@pytest.mark.attack(
    "a component with atomic instructions",
    "refused when it is compiled",
)
def test_atomics_are_refused(make_host: MakeHost) -> None:
    host = make_host("math")
    # memory.atomic.notify(0, 1), whose result is dropped.
    notify = b"\0\x41\0\x41\1\xfe\0\2\0\x1a\x0b"
    place(Builder().export(["f"], U8, core_module(notify)).binary, host.folder / "atomic.wasm")
    assert "not a usable component" in problem(host, "atomic.wasm")
    assert "threads" in problem(host, "atomic.wasm")
    serves_on(host)


@pytest.mark.attack(
    "a component of newer tools than the host knows",
    "refused; the message says so",
)
def test_what_newer_tools_made_says_so(make_host: MakeHost) -> None:
    host = make_host()
    builder = Builder()
    builder.type(b"\x5f")
    place(builder.binary, host.folder / "newer.wasm")
    assert "newer tools" in problem(host, "newer.wasm")
