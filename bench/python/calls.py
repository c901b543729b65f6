"""`add(1, 2)` in a loop: one client, one connection, one call after the other."""

import statistics
import sys
import time

import Pyro5.api
import tarp

#: Calls a second of the original client and server, measured elsewhere: there is no copy of
#: that server to measure here.
ORIGINAL = 680

#: Calls between two looks at the clock.
BATCH = 50


def measure(table, url, uri, rounds, seconds):
    with tarp.connect(url) as host, Pyro5.api.Proxy(uri) as proxy:
        candidates = {"tarp": host, "Pyro5": proxy}
        for callee in candidates.values():
            _turn(callee, seconds / 4)
        turns = {name: [] for name in candidates}
        for round_ in range(rounds):
            print(f"add(1, 2), round {round_ + 1} of {rounds}", file=sys.stderr)
            # A B, B A, A B ..., so that neither is always the first.
            for name in list(candidates)[:: -1 if round_ % 2 else 1]:
                turns[name].append(_turn(candidates[name], seconds))
    rates = {name: [rate for rate, _ in turn] for name, turn in turns.items()}
    ratios = [ours / theirs for ours, theirs in zip(rates["tarp"], rates["Pyro5"])]
    table.row(
        "`add(1, 2)` in a loop: calls/s",
        {name: f"{statistics.median(rate):.0f}" for name, rate in rates.items()}
        | {"the original": f"{ORIGINAL}"},
    )
    table.row(
        "... of Pyro5's rate",
        {"tarp": f"{statistics.median(ratios):.2f}", "Pyro5": "1.00"},
        ">= 1",
    )
    table.row(
        "... client's CPU time a call, us",
        {
            name: f"{statistics.median(cpu for _, cpu in turn) * 1e6:.0f}"
            for name, turn in turns.items()
        },
    )


def _turn(callee, seconds):
    """Calls a second, and the client's CPU time of one."""
    calls = 0
    used = time.process_time()
    start = now = time.perf_counter()
    while now - start < seconds:
        for _ in range(BATCH):
            # Looked up each time, as one writes it in a program.
            if callee.add(1, 2) != 3:
                raise RuntimeError("1 + 2 is not 3")
        calls += BATCH
        now = time.perf_counter()
    return calls / (now - start), (time.process_time() - used) / calls
