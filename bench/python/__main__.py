"""Measures the Python client, and prints one Markdown table.

This file knows the command line and the order; `servers` starts what is called, `calls`,
`arrays` and `footprint` measure, `table` says what came of it. What is measured, and why so,
is in the README of the folder above.
"""

import argparse
import pathlib
import tempfile

import arrays
import calls
import footprint
from servers import host, pyro
from table import Table


def main():
    parser = argparse.ArgumentParser(
        prog="cargo xtask bench python", description=__doc__
    )
    parser.add_argument("--host", type=pathlib.Path, required=True, metavar="FILE",
                        help="the `tarp` to call")  # fmt: skip
    parser.add_argument("--guests", type=pathlib.Path, required=True, metavar="DIR",
                        help="the example procedures")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=9,
                        help="how often each candidate has its turn")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="of each turn of small calls")  # fmt: skip
    parsed = parser.parse_args()

    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with host(parsed.host, parsed.guests, folder) as running, pyro() as uri:
            calls.measure(table, running.url, uri, parsed.rounds, parsed.seconds)
            arrays.measure(table, running.url, parsed.rounds)
        limits = f'[server]\nmax_body = "{2 * footprint.SIZE} B"\n'
        with host(parsed.host, parsed.guests, folder, limits) as running:
            footprint.measure(table, running)
    table.print()


if __name__ == "__main__":
    main()
