"""The commands of `tarp` that talk to a host, as a person or a script runs them."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterable
from fcntl import ioctl
from pathlib import Path
from typing import Any, NamedTuple, Self

from host import BINARY, DEADLINE, clean_environment

#: What a terminal is told that text does not say: colours, the cursor.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(
    *words: str | Path, at: Path | None = None, deadline: float, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A command that wants no host, run to its end in a folder, with more in its environment."""
    return subprocess.run(
        [BINARY, *words],
        cwd=at,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=deadline,
        check=False,
    )


class CommandLine:
    """Runs commands that find one host in their environment."""

    def __init__(self, address: str, **environment: str) -> None:
        self.environment = clean_environment() | {"TARP_URL": address} | environment

    def __call__(
        self, *words: str | Path, stdin: bytes = b"", deadline: float = DEADLINE, **environment: str
    ) -> Ran:
        """Runs a command to its end, with pipes around it."""
        ran = subprocess.run(
            [str(BINARY), *map(str, words)],
            input=stdin,
            capture_output=True,
            timeout=deadline,
            env=self.environment | environment,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr.decode())

    def ok(self, *words: str | Path, stdin: bytes = b"", **environment: str) -> Ran:
        """Runs a command that is to succeed, and to say nothing else."""
        ran = self(*words, stdin=stdin, **environment)
        assert ran.code == 0, ran.err
        return ran

    def value(self, name: str, *words: str | Path, stdin: bytes = b"") -> Any:
        """Calls a procedure; gives its result as JSON has it."""
        return self.ok("call", "--json", name, *words, stdin=stdin).json["result"]

    def start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """Starts a command, with pipes around it."""
        return subprocess.Popen(
            [str(BINARY), *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )

    def terminal(self, *words: str | Path, **environment: str) -> Terminal:
        """Starts a command in a terminal."""
        given = {"TERM": "xterm-256color"} | environment
        return Terminal([str(BINARY), *map(str, words)], self.environment | given)


class Terminal:
    """A command in a terminal of its own, and what it has shown there."""

    COLUMNS, LINES = 120, 24

    def __init__(self, command: Iterable[str], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", self.LINES, self.COLUMNS, 0, 0))
        #: All that came, control sequences too.
        self.raw = ""
        # The first terminal that the leader of a session opens is the one whose Ctrl-C it gets.
        opens = 'exec "$@" < "$0" > "$0" 2> "$0"'
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", opens, os.ttyname(theirs), *command],
            env=environment,
            start_new_session=True,
        )
        self._theirs: int | None = theirs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(DEADLINE)
        if self._theirs is not None:
            os.close(self._theirs)
        os.close(self._ours)

    @property
    def shown(self) -> str:
        """All that came, without control sequences."""
        return CONTROL.sub("", self.raw)

    def until(self, pattern: str, deadline: float = DEADLINE) -> re.Match[str]:
        """Waits until something like that is shown."""
        end = time.monotonic() + deadline
        while not (match := re.search(pattern, self.shown)):
            assert time.monotonic() < end, f"no {pattern!r} in {self.shown!r}"
            assert self._read(end), f"no {pattern!r} in {self.shown!r}"
        return match

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def ended(self, deadline: float = DEADLINE) -> int:
        """Waits for the command's end, and takes what it shows until then; gives its exit code."""
        code = None
        end = time.monotonic() + deadline
        while code is None:
            assert time.monotonic() < end, self.shown
            self._read(time.monotonic() + 0.05)
            code = self._process.poll()
        while self._read(time.monotonic()):
            pass
        return code

    def _read(self, end: float) -> bool:
        """Takes what is shown until then; whether there was anything, or time is left."""
        left = max(0.0, end - time.monotonic())
        if not select.select([self._ours], [], [], left)[0]:
            return False
        self.raw += os.read(self._ours, 65536).decode(errors="replace")
        return True
