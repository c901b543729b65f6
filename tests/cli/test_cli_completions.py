"""What a shell is offered: by the scripts that it is given, and by `tarp`, which these ask."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from command_line import CommandLine
from host import BINARY, DEADLINE


def bash(tarp: CommandLine, *line: str) -> list[str]:
    """What bash has after a press of Tab behind these words."""
    words = " ".join(shlex.quote(word) for word in line)
    script = f"""
        source <(tarp completions bash)
        COMP_WORDS=({words}) COMP_CWORD={len(line) - 1} COMP_TYPE=9
        _clap_complete_tarp tarp {shlex.quote(line[-1])} {shlex.quote(line[-2])}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    path = f"{BINARY.parent}:{tarp.environment.get('PATH', '/usr/bin:/bin')}"
    ran = subprocess.run(
        ["bash", "-c", script],
        env=tarp.environment | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ran.stderr == ""
    return ran.stdout.split()


def offered(tarp: CommandLine, *line: str) -> list[str]:
    """What `tarp` answers to fish, which shows each with what is told of it."""
    return tarp.ok("--", *line, TARP_COMPLETE="fish").text.splitlines()


@pytest.fixture
def job(tarp: CommandLine) -> str:
    return tarp.ok("call", "--detach", "add", "1", "2").text.strip()


def test_bash_knows_procedures_parameters_and_jobs(tarp: CommandLine, job: str) -> None:
    assert set(bash(tarp, "tarp", "call", "statistics/m")) == {
        *("statistics/mean", "statistics/median"),
    }
    assert bash(tarp, "tarp", "call", "scale", "fac") == ["factor="]
    assert bash(tarp, "tarp", "jobs", "show", job[:-2]) == [job]
    assert "statistics/mean" in bash(tarp, "tarp", "list", "statistics/")
    assert "--cancel-on-interrupt" in bash(tarp, "tarp", "call", "--cancel")


def test_bash_takes_addresses_apart_and_they_are_put_together(tarp: CommandLine) -> None:
    address = tarp.environment["TARP_URL"]
    elsewhere = CommandLine("http://127.0.0.1:1")
    pieces = address.removeprefix("http://").split(":")
    line = ("tarp", "call", "http", ":", f"//{pieces[0]}", ":", pieces[1], "statistics/mea")
    assert bash(elsewhere, *line) == ["statistics/mean"]


def test_other_shells_are_told_what_each_is(tarp: CommandLine, job: str) -> None:
    assert offered(tarp, "tarp", "call", "statistics/mea") == [
        "statistics/mean\t(values: list<f64>) -> result<f64, string>"
    ]
    assert [line.split("\t")[0] for line in offered(tarp, "tarp", "call", "echo_color", "li")] == [
        "light_blue"
    ]
    assert offered(tarp, "tarp", "jobs", "result", job)[0].startswith(f"{job}\tadd ")


def test_files_are_completed_behind_their_sign(tarp: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "data.npy").touch()
    word = f"values=@{tmp_path}/da"
    assert offered(tarp, "tarp", "call", "sum", word) == [f"values=@{tmp_path}/data.npy"]


def test_a_host_that_is_away_offers_nothing_and_says_nothing() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        # Nobody answers here, and nobody listens there.
        for away in (address, "127.0.0.1:1"):
            tarp = CommandLine(away)
            ran = tarp("--", "tarp", "call", "statistics/", deadline=10, TARP_COMPLETE="fish")
            assert (ran.code, ran.out, ran.err) == (0, b"", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_is_one_of_its_shell(tarp: CommandLine, shell: str, tmp_path: Path) -> None:
    script = tarp.ok("completions", shell).text
    assert "TARP_COMPLETE" in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True, timeout=DEADLINE)
