"""What an attack must not do: the host's memory and its answers to others, seen while it lasts."""

from __future__ import annotations

import re
import socket
import statistics
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from host import DEADLINE, Host, eventually, result_of

MIB = 1 << 20

#: Within so many seconds others are answered.
PROMPT = 1.0


def memory(host: Host) -> int:
    """The host's resident memory, in bytes."""
    assert host._process
    status = Path(f"/proc/{host._process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) << 10


def settles_below(host: Host, limit: int) -> None:
    """Waits until the host's memory is below `limit` bytes."""

    def is_below() -> bool:
        now = memory(host)
        assert now < limit, f"{now / MIB:.0f} MiB, {limit / MIB:.0f} expected"
        return True

    eventually(is_below)


def charged(host: Host) -> int:
    """Bytes of its memory budget that the host has charged."""
    figures = host.request("GET", "/-/metrics").text
    found = re.search(r"^tarp_memory_charged_bytes (\S+)$", figures, re.MULTILINE)
    assert found, figures
    return int(float(found[1]))


def connect(host: Host) -> socket.socket:
    return socket.create_connection(("127.0.0.1", host.port), DEADLINE)


class Watch:
    """Watches a host from beside the attack: how much memory it takes, and how long others wait.

    Others are new callers, each with a connection of its own: one asks for `/-/health`, one adds
    two numbers, by the example `math`.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._measure, self._ask)
        ]
        self._failures: list[BaseException] = []
        self.before = memory(host)
        self.peak = self.before
        self.waits: list[float] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            # Short attacks are over before anybody else came.
            enough = time.monotonic() + 2
            while len(self.waits) < 6 and not self._failures and time.monotonic() < enough:
                time.sleep(0.02)
        self._over.set()
        for thread in self._threads:
            thread.join(DEADLINE)
        if kind is None and self._failures:
            raise self._failures[0]

    def _measure(self) -> None:
        while not self._over.wait(0.02):
            self.peak = max(self.peak, memory(self._host))

    def _ask(self) -> None:
        try:
            while not self._over.is_set():
                for path in ("/-/health", "/add?x=1&y=2"):
                    begun = time.monotonic()
                    with requests.Session() as session:
                        session.trust_env = False
                        reply = session.get(self._host.address + path, timeout=DEADLINE)
                    assert reply.status_code == 200, (path, reply.text)
                    if path.startswith("/add"):
                        assert result_of(reply) == 3
                    self.waits.append(time.monotonic() - begun)
                self._over.wait(0.02)
        except BaseException as error:
            self._failures.append(error)

    @property
    def growth(self) -> int:
        """By how many bytes the host's memory grew at the most."""
        return self.peak - self.before

    def check(self, growth: int) -> None:
        """Others were answered promptly, and the memory grew by no more than `growth` bytes.

        On a machine that is busy with other tests a single answer may be late.
        """
        assert self.waits, "nobody else was answered"
        assert statistics.median(self.waits) < PROMPT, self.waits
        late = sum(wait > PROMPT for wait in self.waits)
        assert late <= 1 + len(self.waits) // 10, sorted(self.waits)
        assert self.growth <= growth, f"{self.growth / MIB:.0f} MiB, {growth / MIB:.0f} allowed"
