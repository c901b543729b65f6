"""From an empty folder to a call in Rust, as `tarp new` begins it: with plain WIT, with the SDK."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from command_line import CommandLine
from host import REPOSITORY, MakeHost, eventually

MINUTES = 400


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
