"""What a process that was forked has to make anew: locks that another thread held, threads that are
not there, and sockets that are its parent's."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Something with locks, threads or sockets."""

    def _after_fork(self) -> None:
        """Begins anew, in a child in which no other thread runs."""


_forkable: weakref.WeakSet[Forkable] = weakref.WeakSet()


def renew_after_fork(what: Forkable) -> None:
    """Sees to it that a forked child tells it."""
    _forkable.add(what)


def _in_child() -> None:
    for what in list(_forkable):
        what._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
