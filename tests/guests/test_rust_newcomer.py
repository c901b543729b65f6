"""From an empty folder to a call in Rust, as `tarp new` begins it: with plain WIT, with the SDK."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from command_line import CommandLine, run
from host import REPOSITORY, Host, MakeHost, eventually
from page_runner import PageRunner
from pages import blocks

MINUTES = 400

#: Compiling the dependencies takes minutes on a busy machine.
pytestmark = pytest.mark.timeout(3 * MINUTES)


@pytest.mark.parametrize("sdk", [False, True])
def test_a_newcomers_project_builds_passes_its_test_and_is_called(
    make_host: MakeHost, tmp_path: Path, rust_target: str, sdk: bool
) -> None:
    host = make_host("text")
    tarp = CommandLine(host.address, CARGO_TARGET_DIR=rust_target)
    project = tmp_path / "lab-stats"
    with_sdk = ["--sdk", REPOSITORY / "guest-sdk"] if sdk else []
    written = tarp.ok("new", project, "--lang", "rust", *with_sdk).text
    assert "Cargo.toml" in written
    built = tarp("build", project, "--output", host.folder, "--json", deadline=MINUTES)
    assert built.code == 0, built.err
    names = {procedure["name"] for procedure in built.json["procedures"]}
    assert "mean" in names
    eventually(lambda: host.request("GET", "/mean?values=1,2,3").status_code == 200)
    assert host.rpc("mean", [1.0, 2.0, 6.0]) == 3.0
    assert tarp.ok("call", "mean", "[1, 2, 3]").text.strip() == "2.0"
    tested = subprocess.run(
        ["cargo", "test"],
        cwd=project,
        env=tarp.environment,
        capture_output=True,
        text=True,
        timeout=MINUTES,
        check=False,
    )
    assert tested.returncode == 0, tested.stderr
    assert "test result: ok" in tested.stdout


def test_a_fault_is_told_as_rustc_tells_it_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text(
        '[package]\nname = "faulty"\nedition = "2024"\n\n[lib]\ncrate-type = ["cdylib"]\n\n'
        '[dependencies]\nlocal = { path = "local" }\n'
    )
    (tmp_path / "src" / "lib.rs").write_text("pub fn f() -> i32 {\n    local::one() + true\n}\n")
    (tmp_path / "local" / "src").mkdir(parents=True)
    (tmp_path / "local" / "Cargo.toml").write_text('[package]\nname = "local"\nedition = "2024"\n')
    (tmp_path / "local" / "src" / "lib.rs").write_text("pub fn one() -> i32 {\n    1\n}\n")
    built = run("build", tmp_path, deadline=MINUTES)
    assert built.returncode == 1
    _, fault = built.stderr.split("` failed (exit status: 101):\n")
    assert fault.startswith("error[E0277]: cannot add `bool` to `i32`\n --> src/lib.rs:2:")
    assert "reason" not in fault
    assert "Compiling" not in fault


def test_the_chapter_on_rust_does_what_it_says(
    host: Host, cache: Path, rust_target: str, tmp_path: Path
) -> None:
    environment = {"TARP_CACHE": str(cache), "CARGO_BUILD_BUILD_DIR": rust_target}
    with PageRunner(tmp_path, host.address, Path(sys.executable), environment) as reader:
        # As a reader's clone, beside the reader's own projects.
        reader.here.joinpath("tarp").symlink_to(REPOSITORY)
        for block in blocks("docs/rust.md"):
            if block.not_run is None:
                reader.run(block)
