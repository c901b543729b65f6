"""The folder changes while the host serves it: what is served follows, and no call suffers."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

import command_line
from components import CORE_MODULE, version_of_math, with_section
from host import REPOSITORY, Host, MakeHost, eventually, guest, in_background, place, result_of

#: All that the example `math` offers.
MATH = {
    *("my_function", "add", "linspace", "sum", "scale", "transpose", "statistics/mean"),
    *("statistics/median", "statistics/standard_deviation", "statistics/histogram"),
    "statistics/summary",
}


def is_gone(host: Host, name: str) -> bool:
    """Whether calls of the procedure say that there is none; any other failure is a fault."""
    outcome = host.outcome(name)
    assert outcome in ("NotFound", "BadArguments")
    return outcome == "NotFound"


def adds(host: Host) -> bool:
    """Whether there is `add`; if so, it must add."""
    reply = host.request("GET", "/add?x=1&y=2")
    return reply.status_code != 404 and result_of(reply) == 3


def described(host: Host, text: str, name: str = "add") -> bool:
    return text in host.descriptions().get(name, "")


#: By language: a source file, and one procedure that answers its version. For Rust a project.
SOURCES = {
    "c": ("again.c", '#include "again.h"\nuint32_t exports_again_version(void) {{ return {}; }}\n'),
    "javascript": ("again.js", "export const version = () => {};\n"),
    "python": ("again.py", "def version() -> int:\n    return {}\n"),
    "rust": (
        "src/lib.rs",
        "#[tarp_guest::procedures]\nmod again {{\n    pub fn version() -> u32 {{ {} }}\n}}\n",
    ),
}


# Files come and go.


def test_an_empty_folder_is_served_and_filled(make_host: MakeHost) -> None:
    host = make_host()
    assert host.descriptions() == {}
    assert host.problems() == {}
    place(guest("math"), host.folder / "math.wasm")
    assert eventually(lambda: adds(host))
    assert "Adds two integers" in host.descriptions()["add"]


def test_a_new_file_is_served_at_its_first_listing_whole(make_host: MakeHost) -> None:
    host = make_host("math")
    place(guest("text"), host.folder / "text.wasm")
    names = eventually(lambda: {n for n in host.descriptions() if n not in MATH})
    assert {"reverse", "greet", "reservations/reserve"} <= names, "all of it at once"
    assert host.rpc("reverse", "abc") == "cba"


def test_a_copy_in_place_is_served(make_host: MakeHost) -> None:
    """As `cp` does it: the file is there before it is whole."""
    host = make_host()
    shutil.copyfile(guest("math"), host.folder / "math.wasm")
    assert eventually(lambda: adds(host))
    assert host.problems() == {}


def test_a_deleted_file_is_gone_and_may_come_back(make_host: MakeHost) -> None:
    host = make_host("math", "text")
    (host.folder / "math.wasm").unlink()
    eventually(lambda: is_gone(host, "add"))
    assert is_gone(host, "statistics/mean")
    assert is_gone(host, "statistics_mean")
    assert not MATH & host.descriptions().keys()
    assert host.rpc("reverse", "ab") == "ba"
    place(guest("math"), host.folder / "math.wasm")
    assert eventually(lambda: adds(host))


def test_a_renamed_file_keeps_its_procedures_and_another_ending_ends_them(
    make_host: MakeHost,
) -> None:
    host = make_host("math")
    (host.folder / "math.wasm").rename(host.folder / "sums.wasm")
    place(guest("text"), host.folder / "text.wasm")
    eventually(lambda: host.serves("reverse"))
    assert eventually(lambda: adds(host))
    (host.folder / "sums.wasm").rename(host.folder / "sums.wasm.off")
    eventually(lambda: is_gone(host, "add"))
    assert host.problems().keys() <= {"text.wasm"}


def test_hidden_and_other_files_are_passed_over(make_host: MakeHost) -> None:
    host = make_host()
    for name in (".math.wasm", "math.wasm.part", "math.txt", ".hidden/math.wasm"):
        place(guest("math"), host.folder / name)
    place(guest("text"), host.folder / "text.wasm")
    eventually(lambda: host.serves("reverse"))
    assert not host.serves("add")
    assert host.problems().keys() == {"text.wasm"}, "only its warning"


@pytest.mark.parametrize(("what", "error"), [("watch", errno.ENOSPC), ("instance", errno.EMFILE)])
def test_where_inotify_is_exhausted_the_folder_is_looked_at_again_and_again(
    make_host: MakeHost, faults: Path, tmp_path: Path, what: str, error: int
) -> None:
    (tmp_path / "trigger").write_text(f"{what} {error}")
    preloaded = {"LD_PRELOAD": str(faults), "FAULTS_UNDER": ""}
    host = make_host("math", environment={**preloaded, "FAULTS_TRIGGER": str(tmp_path / "trigger")})
    assert "looking every 500ms" in host.log
    assert "raise fs.inotify.max_user_watches" in host.log
    place(guest("text"), host.folder / "lab" / "text.wasm")
    eventually(lambda: host.serves("lab/reverse"))
    place(version_of_math(guest("math"), "Newer."), host.folder / "math.wasm")
    eventually(lambda: described(host, "Newer."))
    (host.folder / "math.wasm").unlink()
    eventually(lambda: is_gone(host, "add"))


# Subfolders.


def test_a_new_subfolder_is_a_prefix(make_host: MakeHost) -> None:
    host = make_host("math")
    place(guest("math"), host.folder / "lab" / "math.wasm")
    eventually(lambda: host.serves("lab/add"))
    assert host.get("lab/add", {"x": 1, "y": 2}) == 3
    assert host.get("lab_add", {"x": 1, "y": 2}) == 3
    assert host.rpc("lab/statistics/mean", [1, 3]) == 2.0
    assert host.rpc("lab_statistics_mean", [1, 3]) == 2.0
    assert adds(host)
    assert host.problems() == {}
    place(guest("text"), host.folder / "lab" / "Deep-er" / "text.wasm")
    eventually(lambda: host.serves("lab/deep_er/reverse"))
    shutil.rmtree(host.folder / "lab")
    eventually(lambda: not [name for name in host.descriptions() if name.startswith("lab/")])
    assert adds(host)


def test_a_folder_that_is_moved_in_whole(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host()
    place(guest("math"), tmp_path / "prepared" / "math.wasm")
    place(b"[procedures.add]\ndescription = 'Prepared.'\n", tmp_path / "prepared" / "math.toml")
    (tmp_path / "prepared").rename(host.folder / "lab")
    eventually(lambda: described(host, "Prepared.", "lab/add"))
    (host.folder / "lab").rename(host.folder / "office")
    eventually(lambda: described(host, "Prepared.", "office/add"))
    eventually(lambda: is_gone(host, "lab/add"))


def test_changes_in_a_new_subfolder_are_noticed_too(make_host: MakeHost) -> None:
    host = make_host()
    file = host.folder / "lab" / "math.wasm"
    place(guest("math"), file)
    eventually(lambda: host.serves("lab/add"))
    place(version_of_math(guest("math"), "Second version."), file)
    eventually(lambda: described(host, "Second version.", "lab/add"))


# New versions.


def test_a_rename_over_the_old_version(make_host: MakeHost) -> None:
    host = make_host("math")
    place(version_of_math(guest("math"), "Second version."), host.folder / "math.wasm")
    eventually(lambda: described(host, "Second version."))
    place(guest("text"), host.folder / "math.wasm")
    eventually(lambda: host.serves("reverse"))
    assert is_gone(host, "add")


def test_a_rename_over_by_an_older_file(make_host: MakeHost, tmp_path: Path) -> None:
    """What was copied with its times (`cp -p`, `rsync -t`) may be older than what it replaces."""
    host = make_host("math")
    older = tmp_path / "math.wasm"
    older.write_bytes(version_of_math(guest("math"), "Older version."))
    os.utime(older, (1_000_000_000, 1_000_000_000))
    older.rename(host.folder / "math.wasm")
    eventually(lambda: described(host, "Older version."))


@pytest.mark.parametrize("keeps_open", [True, False], ids=["one writer", "one writer a piece"])
def test_a_slow_rewrite_in_place_never_loads_half(make_host: MakeHost, keeps_open: bool) -> None:
    host = make_host("math")
    file = host.folder / "math.wasm"
    new = version_of_math(guest("math"), "Written slowly.")
    is_nearly_whole, written = threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        size = len(new) // 15
        for at in range(0, len(new), size):
            if at + size >= len(new):
                is_nearly_whole.set()
            yield new[at : at + size]

    def write(_: threading.Event) -> None:
        if keeps_open:
            with file.open("wb", buffering=0) as stream:
                for piece in pieces():
                    stream.write(piece)
                    time.sleep(0.1)  # The pace of a slow copy; nothing is awaited.
        else:
            file.write_bytes(b"")
            for piece in pieces():
                with file.open("ab", buffering=0) as stream:
                    stream.write(piece)
                time.sleep(0.02)
        written.set()

    calls = 0
    with in_background(write):
        while not written.is_set():
            is_new = described(host, "Written slowly.")
            assert not is_new or is_nearly_whole.is_set()
            assert adds(host), "the good old version is served throughout"
            if keeps_open:
                assert host.problems() == {}, "nobody looks at a file that is being written"
            calls += 1
    assert calls > 10
    eventually(lambda: described(host, "Written slowly."))
    assert adds(host)
    assert host.problems() == {}


@pytest.mark.timeout(180)
def test_calls_go_on_during_20_reloads(make_host: MakeHost) -> None:
    host = make_host("math")
    file = host.folder / "math.wasm"
    counts: list[int] = []

    def call(over: threading.Event) -> None:
        n = 0
        while not over.is_set():
            if n % 2:
                assert host.get("add", {"x": n, "y": 1}) == n + 1
            else:
                assert host.rpc("statistics_mean", [n, n + 2]) == n + 1
            n += 1
        counts.append(n)

    with in_background(call, 8):
        for reload in range(20):
            # Five of them are compiled first, the others come from the cache at once.
            text = f"Version {reload % 5}."
            place(version_of_math(guest("math"), text), file)
            eventually(functools.partial(described, host, text))
    assert len(counts) == 8
    assert min(counts) >= 20
    assert host.problems() == {}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", SOURCES)
def test_what_is_built_again_is_served_again(
    make_host: MakeHost, tmp_path: Path, rust_target: str, language: str
) -> None:
    """In every language, with the author's own command, while calls go on."""
    host = make_host()
    name, text = SOURCES[language]
    project = tmp_path / "again"
    words = ("build", "--output", host.folder, "--lang", language)
    build = functools.partial(command_line.run, *words, deadline=240, CARGO_TARGET_DIR=rust_target)
    if language == "rust":
        new = command_line.run(
            *("new", project, "--lang", "rust", "--sdk", REPOSITORY / "guest-sdk"), deadline=60
        )
        assert new.returncode == 0, new.stderr
    else:
        project.mkdir()
    if language == "c":
        wit = "package a:b;\nworld again { export version: func() -> u32; }\n"
        (project / "again.wit").write_text(wit)

    def built(version: int) -> None:
        (project / name).write_text(text.format(version))
        done = build(project if language == "rust" else project / name)
        assert done.returncode == 0, done.stderr

    def call(over: threading.Event) -> None:
        answers = [1]
        while not over.is_set():
            answers.append(host.get("version", {}))
        assert set(answers) == {1, 2}
        assert answers == sorted(answers), "never the old version after the new one"

    built(1)
    # Python's interpreter alone is 18 MB to compile.
    eventually(lambda: host.serves("version"), 120)
    with in_background(call):
        built(2)
        eventually(lambda: host.get("version", {}) == 2, 120)
    assert host.problems() == {}


def test_a_call_in_flight_finishes_on_its_version(make_host: MakeHost) -> None:
    host = make_host("misbehave", "math")
    file = host.folder / "misbehave.wasm"
    with ThreadPoolExecutor(1) as pool:
        for change in (lambda: place(guest("text"), file), file.unlink):
            if not host.serves("sleep_for"):
                place(guest("misbehave"), file)
                eventually(lambda: host.serves("sleep_for"))
            call = pool.submit(host.rpc, "sleep_for", 4000)
            # A reply to a later request: the earlier one is under way by now.
            while not call.running():
                pass
            for _ in range(20):
                assert adds(host)
            change()
            eventually(lambda: is_gone(host, "sleep_for"))
            assert not call.done(), "the version went before the call ended"
            assert call.result() == 4000


def test_a_change_back_and_forth_ends_with_the_last(make_host: MakeHost) -> None:
    host = make_host("math")
    file = host.folder / "math.wasm"
    for version in range(30):
        place(version_of_math(guest("math"), f"Version {version}."), file)
    eventually(lambda: described(host, "Version 29."))


# Bad versions.


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"not wasm at all", "not WebAssembly"),
        (CORE_MODULE, "core module"),
        (b"\0asm\x0d\0\x01\0" + b"\xff" * 100, "component"),
    ],
    ids=["empty", "garbage", "core module", "broken component"],
)
def test_a_bad_file_is_reported_and_a_bad_version_keeps_the_good_one(
    make_host: MakeHost, content: bytes, words: str
) -> None:
    host = make_host("math")

    def problem(name: str) -> dict[str, Any] | None:
        return next(iter(host.problems().get(name, [])), None)

    place(content, host.folder / "bad.wasm")
    bad = eventually(lambda: problem("bad.wasm"))
    assert words in bad["message"]
    assert bad["serving"] is False
    assert bad["since"]
    place(content, host.folder / "math.wasm")
    bad = eventually(lambda: problem("math.wasm"))
    assert words in bad["message"]
    assert bad["serving"] is True
    assert adds(host)
    assert str(host.folder) not in host.request("GET").text
    # Mended.
    place(version_of_math(guest("math"), "Mended."), host.folder / "math.wasm")
    eventually(lambda: described(host, "Mended."))
    (host.folder / "bad.wasm").unlink()
    eventually(lambda: host.problems() == {})


def test_a_core_module_is_told_how_to_become_a_component(make_host: MakeHost) -> None:
    host = make_host()
    place(CORE_MODULE, host.folder / "core.wasm")
    (problem,) = eventually(lambda: host.problems().get("core.wasm"))
    assert "wasm32-wasip2" in problem["message"]


def test_half_a_component_is_reported(make_host: MakeHost) -> None:
    host = make_host()
    whole = guest("math").read_bytes()
    place(whole[: len(whole) // 2], host.folder / "math.wasm")
    (problem,) = eventually(lambda: host.problems().get("math.wasm"))
    assert problem["message"]
    assert not host.serves("add")
    place(whole, host.folder / "math.wasm")
    assert eventually(lambda: adds(host))
    assert host.problems() == {}


def test_the_log_tells_of_problems_and_reloads(make_host: MakeHost) -> None:
    host = make_host("math")
    place(b"", host.folder / "math.wasm")
    eventually(lambda: host.problems())
    eventually(lambda: "math.wasm" in host.log and "empty file" in host.log)


# Conflicts.


def test_of_two_files_with_one_name_the_first_keeps_it(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host("math")
    # It comes first in the alphabet, and is older than the one that is served.
    other = tmp_path / "another.wasm"
    other.write_bytes(version_of_math(guest("math"), "The other one."))
    os.utime(other, (1_000_000_000, 1_000_000_000))
    other.rename(host.folder / "another.wasm")
    problems = eventually(lambda: host.problems().get("another.wasm"))
    told = "\n".join(problem["message"] for problem in problems)
    for name in MATH:
        assert f"`{name}`" in told
    assert "math.wasm" in told
    assert not described(host, "The other one.")
    assert adds(host)
    assert "math.wasm" not in host.problems()
    eventually(lambda: "already served" in host.log)
    # A new version of the owner stays the owner.
    place(version_of_math(guest("math"), "New version."), host.folder / "math.wasm")
    eventually(lambda: described(host, "New version."))
    # When it goes, the other one takes over.
    (host.folder / "math.wasm").unlink()
    eventually(lambda: described(host, "The other one."))
    assert host.problems() == {}


def test_a_conflict_is_settled_by_a_prefix(make_host: MakeHost) -> None:
    host = make_host("math")
    place(guest("math"), host.folder / "other.wasm")
    eventually(lambda: host.problems().get("other.wasm"))
    place(b"prefix = 'other'\n", host.folder / "other.toml")
    eventually(lambda: host.serves("other/add"))
    eventually(lambda: host.problems() == {})


def test_after_a_restart_a_conflict_is_settled_as_before(make_host: MakeHost) -> None:
    host = make_host()
    place(version_of_math(guest("math"), "From z."), host.folder / "z.wasm")
    eventually(lambda: described(host, "From z."))
    place(version_of_math(guest("math"), "From a."), host.folder / "a.wasm")
    eventually(lambda: host.problems().get("a.wasm"))
    assert host.stop() == 0
    again = make_host(folder=host.folder)
    assert described(again, "From z.")
    assert again.problems().keys() == {"a.wasm"}


def test_an_alias_of_two_procedures_belongs_to_none(make_host: MakeHost) -> None:
    host = make_host()
    place(guest("math"), host.folder / "lab" / "one" / "math.wasm")
    eventually(lambda: host.serves("lab/one/add"))
    assert host.rpc("lab_one_add", 1, 2) == 3
    place(guest("math"), host.folder / "lab_one" / "math.wasm")
    eventually(lambda: host.serves("lab_one/add"))
    assert is_gone(host, "lab_one_add"), "no silent winner"
    assert host.rpc("lab/one/add", 1, 2) == 3
    assert host.rpc("lab_one/add", 1, 2) == 3
    shutil.rmtree(host.folder / "lab_one")
    eventually(lambda: not is_gone(host, "lab_one_add"))


# Damage from outside.


def test_the_folder_may_vanish_and_come_back(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host("math")
    away = tmp_path / "away"
    host.folder.rename(away)
    eventually(lambda: host.problems())
    assert host.request("GET").status_code == requests.codes.ok
    away.rename(host.folder)
    eventually(lambda: host.problems() == {})
    assert eventually(lambda: adds(host))
    place(with_section(guest("text").read_bytes(), "x", b""), host.folder / "text.wasm")
    eventually(lambda: host.serves("reverse"))


def test_links_are_followed(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host(config=f'[server]\nreachable_folders = ["{tmp_path}"]\n')
    place(guest("math"), tmp_path / "build" / "math.wasm")
    (host.folder / "math.wasm").symlink_to(tmp_path / "build" / "math.wasm")
    assert eventually(lambda: adds(host))
    place(version_of_math(guest("math"), "Built again."), tmp_path / "build" / "math.wasm")
    eventually(lambda: described(host, "Built again."))
