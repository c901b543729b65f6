"""What `tarp` says of itself, to people and to shells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from command_line import CommandLine

HELP = Path(__file__).parent / "help"


@pytest.mark.parametrize(
    "command",
    [
        "call",
        "list",
        "jobs",
        "jobs list",
        "jobs show",
        "jobs logs",
        "jobs cancel",
        "jobs result",
        "deploy",
        "rollback",
        "versions",
        "completions",
    ],
)
def test_the_help_is_as_it_was_written_down(tarp: CommandLine, command: str) -> None:
    """TARP_WRITE_HELP=1 writes it down anew."""
    written = HELP / f"{command.replace(' ', '-')}.txt"
    shown = tarp.ok(*command.split(), "--help").text
    if os.environ.get("TARP_WRITE_HELP"):
        written.write_text(shown)
    assert shown == written.read_text()
