"""How much memory 100 MB in and out take, in the client's process and in the host's.

footprint.py URL     makes the call in a fresh process, and prints its side of it as JSON

A process of its own, since what another has been before shows in its figures, and those of
Linux (VmRSS, VmHWM, clear_refs), since only they can be begun anew.
"""

import json
import pathlib
import re
import subprocess
import sys

import numpy
import tarp

SIZE = 100_000_000

#: Fresh clients, one after the other, so that what the host keeps of one call counts too.
CLIENTS = 3


def measure(table, host):
    with tarp.connect(host.url) as client:
        client.scale(numpy.ones(1), 1.0)
    before = Memory(host.pid)
    sides, peaks = [], []
    for i in range(CLIENTS):
        print(f"100 MB in and out, client {i + 1} of {CLIENTS}", file=sys.stderr)
        command = [sys.executable, __file__, host.url]
        sides.append(json.loads(subprocess.check_output(command)))
        peaks.append(before.grown())
    client, guest = (max(side[name] for side in sides) for name in ("client", "guest"))
    table.row(
        "100 MB in and out (`scale`): the client's memory, of the array's",
        {"tarp": f"{client / SIZE:.2f}"},
        "<= 3",
    )
    table.row("... the host's", {"tarp": f"{peaks[0] / SIZE:.2f}"}, "<= 3")
    table.row(
        f"... ... after {CLIENTS} clients, one after the other",
        {"tarp": f"{peaks[-1] / SIZE:.2f}"},
    )
    table.row("... ... of which the procedure's", {"tarp": f"{guest / SIZE:.2f}"})


class Memory:
    """What a process holds from now on."""

    def __init__(self, pid):
        self._process = pathlib.Path("/proc", str(pid))
        # The highest so far becomes what it is now.
        (self._process / "clear_refs").write_text("5")
        self._start = self._read("VmRSS")

    def grown(self):
        """By how much it was more than at the start, at the most, in bytes."""
        return self._read("VmHWM") - self._start

    def _read(self, name):
        status = (self._process / "status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024


def _client(url):
    with tarp.connect(url) as host:
        host.scale(numpy.ones(1), 1.0)
        memory = Memory("self")
        values = numpy.ones(SIZE // 8)
        result, receipt = host.scale.with_receipt(values, 2.0)
        grown = memory.grown()
    if not (result == 2.0).all():
        raise RuntimeError("wrong multiples")
    print(json.dumps({"client": grown, "guest": receipt.peak_memory}))


if __name__ == "__main__":
    _client(*sys.argv[1:])
