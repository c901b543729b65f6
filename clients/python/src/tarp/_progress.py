"""Progress bars: tqdm where it is installed, plain text on standard error otherwise."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from ._status import Progress

if TYPE_CHECKING:
    from ._job import Job


class Bar(Protocol):
    """As much of tqdm as is used here."""

    total: float | None

    def update(self, n: float) -> Any:
        """Adds to what is done."""

    def close(self) -> Any:
        """Leaves the bar as it is."""


def make_bar(title: str, total: float | None) -> Bar:
    """A bar in the notebook, the terminal, or text."""
    try:
        with warnings.catch_warnings():
            # A notebook without widgets still gets a bar, of text.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm

            bar: Bar = tqdm(total=total, desc=title)
            return bar
    except ImportError:
        return PlainBar(title, total)


class PlainBar:
    """A bar without tqdm: one line, written anew as it advances."""

    def __init__(self, title: str, total: float | None) -> None:
        self.total = total
        self._title = title
        self._done = 0.0
        self._shown = ""
        self._show()

    def update(self, n: float) -> None:
        """Adds to what is done."""
        self._done += n
        self._show()

    def _show(self) -> None:
        line = f"{self._title}: {self._done:g}"
        if self.total:
            line += f" of {self.total:g} ({self._done / self.total:.0%})"
        if line != self._shown:
            sys.stderr.write("\r" + line.ljust(len(self._shown)))
            sys.stderr.flush()
            self._shown = line

    def close(self) -> None:
        """Leaves the bar as it is."""
        sys.stderr.write("\n")


class NoBar:
    """What there is where no bar is wanted."""

    total: float | None = None

    def update(self, n: float) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class Shown:
    """Shows the progress of one job in a bar."""

    def __init__(self, title: str) -> None:
        self._bar = make_bar(title, None)
        self._done = 0.0

    def show(self, update: object) -> None:
        """Advances the bar, if the update is of progress."""
        if not isinstance(update, Progress) or update.done is None:
            return
        if update.total is not None:
            self._bar.total = _short(update.total)
        self._bar.update(_short(update.done - self._done))
        self._done = update.done

    def close(self) -> None:
        """Leaves the bar as it is."""
        self._bar.close()


def _short(number: float) -> float:
    """The number, as an integer if it is one: bars show what they are given."""
    return int(number) if float(number).is_integer() else number


def follow(job: Job[Any]) -> None:
    """Shows the progress of a job until it has ended."""
    with contextlib.closing(Shown(job.status().procedure)) as shown:
        for update in job:
            shown.show(update)


def count_of(iterables: Iterable[Any]) -> int | None:
    """How many items there will be, if all tell their lengths."""
    lengths = [len(items) if hasattr(items, "__len__") else None for items in iterables]
    known = [length for length in lengths if length is not None]
    return min(known) if len(known) == len(lengths) and known else None
