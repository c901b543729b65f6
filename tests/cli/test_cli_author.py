"""`tarp build`, `tarp check`, `tarp inspect` and `tarp dev`: what an author does before and while
serving."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from command_line import CommandLine
from host import BINARY, DEADLINE, REPOSITORY, clean_environment, eventually, guest


@pytest.fixture
def tarp(cache: Path) -> CommandLine:
    return CommandLine("http://127.0.0.1:9", TARP_CACHE=str(cache))


#: Some compile Rust, on a machine that has other things to do.
pytestmark = pytest.mark.timeout(300)


def folder(where: Path, *guests: str) -> Path:
    where.mkdir(parents=True, exist_ok=True)
    for name in guests:
        shutil.copy(guest(name), where / f"{name}.wasm")
    return where


# build


def test_a_folder_that_is_not_there_is_not_taken_for_a_file(
    tarp: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("def f() -> int:\n    return 1\n")
    built = tarp("build", tmp_path / "a.py", "--output", tmp_path / "procedures")
    assert built.code == 1
    assert f"for a folder, `mkdir -p {tmp_path}/procedures` first" in built.err
    assert {file.name for file in tmp_path.iterdir()} == {"a.py"}


# check


def test_a_sound_folder_passes_the_check(tarp: CommandLine, tmp_path: Path) -> None:
    folder(tmp_path, "math", "app")
    checked = tarp("check", tmp_path)
    assert checked.code == 0, checked.err
    assert "11 procedures, 1 mounted, 0 problems" in checked.text
    assert tarp("check", tmp_path, "--json").json["mounts"] == ["app"]


def test_every_problem_is_told_and_fails_the_check(tarp: CommandLine, tmp_path: Path) -> None:
    folder(tmp_path, "math")
    folder(tmp_path / "lab", "shapes")
    (tmp_path / "broken.wasm").write_bytes(b"nothing")
    (tmp_path / "core.wasm").write_bytes(b"\0asm\1\0\0\0")
    (tmp_path / "lab" / "shapes.toml").write_text("[limits]\nfuel = 'much'\n")
    shutil.copy(guest("math"), tmp_path / "twin.wasm")
    checked = tarp("check", tmp_path)
    assert checked.code == 1
    for words in ("error: broken.wasm: ", "error: core.wasm: a core module", "lab/shapes.toml"):
        assert words in checked.text
    assert re.search(r"error: (math|twin)\.wasm: `add` is already served from", checked.text)
    report = tarp("check", tmp_path, "--json")
    assert report.code == 1
    problems = {problem["file"] for problem in report.json["problems"]}
    assert problems >= {"broken.wasm", "core.wasm", "lab/shapes.wasm"}
    assert "add" in report.json["procedures"]


def test_what_a_file_says_controls_no_terminal(tarp: CommandLine, tmp_path: Path) -> None:
    folder(tmp_path, "math")
    (tmp_path / "math.toml").write_text('title = "\x1b[2J"\n')
    with tarp.terminal("check", tmp_path) as terminal:
        assert terminal.ended() == 1
    assert "\x1b[1m\x1b[31merror:\x1b[0m" in terminal.raw, "what is wrong stands out"
    assert "\x1b[2J" not in terminal.raw
    assert "\\u{1b}[2J" in terminal.shown


def test_a_warning_fails_the_check_too(tarp: CommandLine, tmp_path: Path) -> None:
    folder(tmp_path, "text")
    checked = tarp("check", tmp_path)
    assert checked.code == 1
    assert "warning: text.wasm: the parameter `name`" in checked.text


def test_no_folder_is_no_folder(tarp: CommandLine, tmp_path: Path) -> None:
    checked = tarp("check", tmp_path / "nowhere")
    assert checked.code == 1
    assert "not a folder" in checked.err


# inspect


def test_a_component_is_shown_with_all_it_has(tarp: CommandLine, tmp_path: Path) -> None:
    folder(tmp_path, "stats", "plot", "app")
    shown = tarp("inspect", tmp_path / "stats.wasm").text
    assert "mean(values: list<f64>) -> result<f64, string>" in shown
    assert "The arithmetic mean" in shown
    assert "(asynchronous)" in shown
    assert "imports " in shown
    assert "wants nothing that would have to be granted" in shown
    assert "get_plot (web, GET)" in tarp("inspect", tmp_path / "plot.wasm").text
    answers = tarp("inspect", tmp_path / "app.wasm").text
    assert "below /app/ itself (wasi:http 0.2)" in answers
    assert "other HTTP servers" in answers


def test_programs_read_the_same_as_json(tarp: CommandLine, tmp_path: Path) -> None:
    file = folder(tmp_path, "math") / "math.wasm"
    report = tarp("inspect", file, "--json").json
    assert report["size"] == file.stat().st_size
    assert len(report["digest"]) == 64
    procedures = {procedure["name"]: procedure for procedure in report["procedures"]}
    assert procedures["add"]["signature"] == "(x: s64, y: s64) -> s64"
    assert procedures["add"]["mode"] == "sync"
    assert report["answers_http"] is None
    assert report["access"]["wants"] == []


def test_what_no_host_would_load_is_told_with_the_reason(tarp: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "core.wasm").write_bytes(b"\0asm\1\0\0\0")
    shown = tarp("inspect", tmp_path / "core.wasm")
    assert shown.code == 1
    assert "core.wasm: a core module, not a component" in shown.err


def test_names_stand_out_in_a_terminal(tarp: CommandLine, tmp_path: Path) -> None:
    file = folder(tmp_path, "math") / "math.wasm"
    with tarp.terminal("inspect", file) as terminal:
        assert terminal.ended() == 0
    assert "\x1b[1madd\x1b[0m(x: s64, y: s64) -> s64" in terminal.raw
    assert "\x1b" not in tarp("inspect", file).text


@pytest.mark.parametrize("command", ["inspect", "check"])
def test_a_reader_may_have_read_enough(tarp: CommandLine, tmp_path: Path, command: str) -> None:
    file = folder(tmp_path, "math") / "math.wasm"
    process = tarp.start(command, file if command == "inspect" else tmp_path)
    process.stdout.close()
    assert process.wait(DEADLINE) == 0
    with process.stderr as said:
        assert said.read() == b""


# dev


class Dev:
    """`tarp dev` with what it prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        threading.Thread(target=self.read, daemon=True).start()
        eventually(lambda: self.says("listening"))
        first = next(line for line in self.lines if "listening" in line)
        self.address = re.search(r"http://[\d.:]+", first)[0]

    def read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def result(self, path: str) -> object:
        reply = requests.get(f"{self.address}/{path}", timeout=DEADLINE)
        return reply.json().get("result") if reply.status_code == 200 else None


@contextmanager
def dev(source: Path, cache: Path, target: str, *flags: str) -> Iterator[Dev]:
    process = subprocess.Popen(
        [BINARY, "dev", source, "--port", "0", "--cache", cache, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment() | {"CARGO_TARGET_DIR": target},
    )
    try:
        running = Dev(process)
        yield running
        process.terminate()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A Rust project that takes its dependencies from where the examples have them."""
    home = tmp_path / "dev-lab"
    (home / "src").mkdir(parents=True)
    (home / "Cargo.toml").write_text(
        f"""[package]
name = "dev-lab"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
tarp-guest = {{ path = "{REPOSITORY / "guest-sdk"}" }}

[workspace]
"""
    )
    shutil.copy(REPOSITORY / "examples" / "guests" / "Cargo.lock", home / "Cargo.lock")
    write(home, "1")
    return home


def write(project: Path, answer: str) -> None:
    body = f'println!("asked for {{}}", "it"); {answer}'
    text = f"#[tarp_guest::procedures]\nmod lab {{\n    pub fn answer() -> u32 {{ {body} }}\n}}\n"
    (project / "src" / "lib.rs").write_text(text)


def test_an_edit_is_served_and_a_mistake_is_told(
    project: Path, cache: Path, rust_target: str
) -> None:
    with dev(project, cache, rust_target) as running:
        eventually(lambda: running.result("answer") == 1, 240)
        assert running.says("dev_lab.wasm") or running.says("built ")
        write(project, "2")
        eventually(lambda: running.result("answer") == 2)
        write(project, "two")
        eventually(lambda: running.says("not built; waiting for a change"))
        assert running.says("cannot find value `two`")
        assert running.result("answer") == 2, "the last good version is served on"
        write(project, "3")
        eventually(lambda: running.result("answer") == 3)
        assert "answer | asked for it" in running.lines
    assert not list(project.glob("*.wasm")), "the project's folder is left as it was"


def test_programs_read_what_happens_line_by_line(
    project: Path, cache: Path, rust_target: str
) -> None:
    with dev(project, cache, rust_target, "--json") as running:
        eventually(lambda: running.result("answer") == 1, 240)
        write(project, "two")
        eventually(lambda: running.says("cannot find value"))
    events = [json.loads(line) for line in running.lines]
    by_name = {event["event"]: event for event in events}
    assert by_name.keys() == {"listening", "ready", "built", "failed", "printed"}
    printed = {"procedure": "answer", "stdout": "asked for it\n", "stderr": ""}
    assert by_name["printed"] == {"event": "printed"} | printed
    assert by_name["listening"]["url"] == running.address
    assert [procedure["name"] for procedure in by_name["built"]["procedures"]] == ["answer"]
    assert by_name["built"]["size"] > 1000
    assert "`two`" in by_name["failed"]["error"]


def test_nothing_is_built_again_without_a_change(
    project: Path, cache: Path, rust_target: str
) -> None:
    (project / "answer.txt").write_text("1")
    write(project, 'include_str!("../answer.txt").parse().unwrap()')
    with dev(project, cache, rust_target) as running:
        eventually(lambda: running.result("answer") == 1, 240)
        (project / "answer.txt").write_text("4")
        eventually(lambda: running.result("answer") == 4, 120)
        (project / "notes.txt~").write_text("an editor's backup")
        (project / "results.csv").write_text("what a run of the procedure gave")
        (project / "README.md").write_text("nothing that is built")
        # A build that any of these began would be told before the next one.
        time.sleep(1)
        (project / "target").mkdir(exist_ok=True)
        (project / "target" / "x.rs").write_text("made by a tool")
        write(project, "2")
        eventually(lambda: running.result("answer") == 2, 120)
        assert sum(line.startswith("built ") for line in running.lines) == 3
