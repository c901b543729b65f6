"""numpy arrays of 8 MB: in, out, and both ways, as whole calls from argument to result."""

import statistics
import sys
import time

import numpy
import tarp

COUNT = 1_000_000

#: Milliseconds of the original for such an array in, measured elsewhere.
ORIGINAL = 175

#: How many times as fast is promised.
TIMES = 12

#: Calls of each kind a round.
CALLS = 5


def measure(table, url, rounds):
    values = numpy.arange(COUNT) / 8
    with tarp.connect(url, arrays="numpy") as host:
        kinds = {
            "in (`sum`)": lambda: host.sum.with_receipt(values),
            "out (`linspace`)": lambda: host.linspace.with_receipt(0.0, 1.0, COUNT),
            "in and out (`scale`)": lambda: host.scale.with_receipt(values, 2.0),
        }
        _check(values, *(call().value for call in kinds.values()))
        times = {kind: [] for kind in kinds}
        runs = {kind: [] for kind in kinds}
        for round_ in range(rounds):
            print(f"arrays of 8 MB, round {round_ + 1} of {rounds}", file=sys.stderr)
            for _ in range(CALLS):
                for kind, call in kinds.items():
                    start = time.perf_counter()
                    outcome = call()
                    times[kind].append((time.perf_counter() - start) * 1e3)
                    runs[kind].append(outcome.receipt.run_us / 1e3)
    for kind in kinds:
        one_way = "and" not in kind
        table.row(
            f"8 MB {kind}: ms",
            {"tarp": f"{statistics.median(times[kind]):.1f}"}
            | ({"the original": f"{ORIGINAL}"} if one_way else {}),
            f"<= {ORIGINAL / TIMES:.1f}" if one_way else "",
        )
        table.row(
            "... of which in the procedure, its arguments and result copied",
            {"tarp": f"{statistics.median(runs[kind]):.1f}"},
        )


def _check(values, total, spaced, scaled):
    if total != values.sum():
        raise RuntimeError("a wrong sum")
    if not numpy.allclose(spaced, numpy.linspace(0.0, 1.0, COUNT)):
        raise RuntimeError("wrong values between 0 and 1")
    if not numpy.array_equal(scaled, values * 2):
        raise RuntimeError("wrong multiples")
