"""A real host as a child process: how the tests start, stop and restart it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

BINARY = Path(os.environ.get("TARP_BIN", ""))
GUESTS = Path(os.environ.get("TARP_GUESTS", ""))

_LISTENING = re.compile(r"listening on (https?://\S+), watching ")
_READY = re.compile(r"ready: ")

#: Seconds; what takes so long has failed.
DEADLINE = 60.0


class RunningHost:
    """One host that serves one folder, with its jobs in another."""

    def __init__(self, home: Path, cache: Path, *flags: str, guests: tuple[str, ...]) -> None:
        self.folder = home / "procedures"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._flags = [*flags, "--cache", str(cache), "--data", str(home / "data")]
        self._port = "0"
        self.url = ""
        for guest in guests:
            self.add(guest)
        self.start()

    def add(self, guest: str, name: str | None = None) -> None:
        """Drops an example into the folder."""
        unfinished = self._home / "unfinished"
        shutil.copyfile(GUESTS / f"{guest}.wasm", unfinished)
        unfinished.replace(self.folder / f"{name or guest}.wasm")

    def start(self) -> None:
        """Starts the process, at the same port as before, and waits until it serves."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TARP_")}
        with (self._home / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [BINARY, "serve", self.folder, "--port", self._port, *self._flags],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
            )
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(ready,))
        self._reader.start()
        if not ready.wait(DEADLINE) or not self.url:
            self.kill()
            raise AssertionError(f"the host did not start:\n{self.log}")
        self._port = self.url.rpartition(":")[2]

    def _read(self, ready: threading.Event) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                if match := _LISTENING.match(line):
                    self.url = match[1]
                if _READY.match(line):
                    ready.set()
        ready.set()

    @property
    def log(self) -> str:
        """All that it wrote to standard error."""
        return (self._home / "log.txt").read_text(errors="replace")

    def stop(self, signal: int) -> None:
        """Sends a signal to the process, and waits until it has ended."""
        self._process.send_signal(signal)
        self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)

    def kill(self) -> None:
        """Ends the process as a crash would."""
        self._process.kill()
        self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
