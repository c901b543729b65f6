"""One Markdown table with a column for each candidate."""

import importlib.metadata
import os
import platform

CANDIDATES = ("tarp", "Pyro5", "the original")


class Table:
    """Rows as they are measured."""

    def __init__(self):
        self._load = _load()
        self._rows = []

    def row(self, title, figures, target=""):
        """Adds a row; `figures` by candidate."""
        self._rows.append([title, *(figures.get(c, "") for c in CANDIDATES), target])

    def print(self):
        """Writes all of it to the standard output."""
        packages = ("tarp-client", "Pyro5", "numpy")
        versions = (f"{name} {importlib.metadata.version(name)}" for name in packages)
        print(
            f"{os.cpu_count()} cores; Python {platform.python_version()};"
            f" {'; '.join(versions)}; load {self._load} at the start, {_load()} at the end\n"
        )
        head = [
            ["", *CANDIDATES, "target"],
            ["---", *["---:"] * len(CANDIDATES), "---"],
        ]
        for row in head + self._rows:
            print(f"| {' | '.join(row)} |")


def _load():
    return f"{os.getloadavg()[0]:.2f}"
